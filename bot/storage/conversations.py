"""What was said in each place, as a tree of messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.chat.memory import Begun, Summary
from bot.chat.messages import Answer, Author, EndReason, Image, Place, Receipt, StoredMessage
from bot.chat.thoughts import Thoughts
from bot.storage import branches, pages, thoughts, tree, versions
from bot.storage.database import Database, utc_now
from bot.storage.purging import purge


class SqlConversations:
    """A `ConversationStore`.

    A cleared conversation loses its channel, and with it everything that looks for it: that is the one transaction
    that counts. Its rows are deleted after that, a batch at a time (`purge`), the newest first, because each
    message needs its parent.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now
        self._estimates: dict[str, tuple[int, int] | None] = {}

    async def begin(
        self,
        place: Place,
        author: Author,
        question: str,
        images: Sequence[Image] = (),
        *,
        after: int | None = None,
        on_way: Sequence[int] = (),
    ) -> Begun:
        """Store a question with its pictures below the head or an older answer, and its empty answer as RUNNING.

        Returns what the model needs to read. The rows `on_way` wait no more.
        """
        at = self._now()
        return await self._database.write(
            tree.begin, place, author, question, images, at=at, after=after, on_way=on_way
        )

    async def begin_again(self, answer_id: int) -> Begun:
        """Store an empty RUNNING sibling of an answer, a new version."""
        return await self._database.write(versions.begin_again, answer_id, at=self._now())

    async def resume(self, answer_id: int) -> Begun:
        """Let an answer that was cut off be RUNNING again, with the text that it has."""
        return await self._database.write(versions.resume, answer_id)

    async def answer(self, channel_id: int, answer_id: int) -> Answer | None:
        """An answer with everything that its buttons need; None where the channel's memory does not hold it."""
        return await self._database.read(versions.answer, channel_id, answer_id)

    async def current(self, answer_id: int) -> int:
        """The version of an answer that the shown branch goes through; the answer itself where there is none."""
        return await self._database.read(versions.current, answer_id)

    async def later(self, answer_id: int) -> int:
        """How many messages of the shown branch came after an answer, or after another version of it."""
        return await self._database.read(versions.later, answer_id)

    async def elsewhere(self, answer_id: int) -> int:
        """How many messages of the shown branch are left when the conversation goes on from another one's answer."""
        return await self._database.read(versions.elsewhere, answer_id)

    async def choose(self, answer_id: int) -> int:
        """Let the conversation go on from a version; returns how many later messages stay with the other one."""
        return await self._database.write(versions.choose, answer_id)

    async def remove(self, answer_id: int) -> list[int]:
        """Forget an answer, its versions and its question; returns the ids of its messages in Discord."""
        return await self._database.write(versions.remove, answer_id)

    async def not_shown(self, discord_message_ids: Sequence[int]) -> None:
        """Note that these messages in Discord show nothing of the memory any more."""
        await self._database.write(pages.hide, discord_message_ids)

    async def images(self, message_ids: Sequence[int]) -> dict[int, list[Image]]:
        """The pictures that came with these messages, by the messages that have any."""
        return await self._database.read(branches.images_of, message_ids)

    async def window(self, place: Place) -> list[StoredMessage]:
        """The shown branch from the window's start to the head, oldest first; at most the newest MAX_WINDOW."""
        return await self._database.read(branches.window, place)

    async def shown_as(self, message_id: int, discord_message_id: int) -> None:
        """Note that a stored message is (also) this message in Discord, which then shows no other any more."""
        await self._database.write(pages.show, message_id, discord_message_id)

    async def finish(
        self,
        answer_id: int,
        content: str,
        reason: EndReason,
        receipt: Receipt,
        *,
        question_tokens: int | None = None,
        thoughts: str = "",
        takes_over: bool = False,
        replaces: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Store an answer's text, end and receipt; the head moves to it where it has any text.

        An answer that was deleted or cleared meanwhile stays gone: then nothing is stored and nothing is raised.
        """
        thought = (thoughts, self._now()) if thoughts else None
        await self._database.write(
            tree.finish,
            answer_id,
            content,
            reason,
            receipt,
            question_tokens=question_tokens,
            thought=thought,
            takes_over=takes_over,
            replaces=replaces,
            goes_on=goes_on,
        )
        if receipt.prompt_estimate is not None and receipt.prompt_tokens is not None:
            self._estimates[receipt.model] = (receipt.prompt_estimate, receipt.prompt_tokens)

    async def keep(self, answer_id: int, content: str) -> None:
        """Store what there is of an answer's text, where it is still RUNNING."""
        await self._database.write(tree.keep, answer_id, content)

    async def thoughts(self, answer_id: int) -> Thoughts | None:
        """What the model thought before an answer; None where it did not, or its thoughts are kept no more."""
        return await self._database.read(thoughts.of, answer_id, self._now())

    async def move_window(self, place: Place, start: int) -> None:
        """From now on the window starts at the message with this id, if it is still there."""
        await self._database.write(tree.move_window, place, start)

    async def last_estimate(self, model: str) -> tuple[int, int] | None:
        """Of the model's newest receipt that has both: our estimate, and the prompt tokens it really was."""
        if model not in self._estimates:
            stored = await self._database.read(branches.last_estimate, model)
            self._estimates.setdefault(model, stored)
        return self._estimates[model]

    async def answer_in(self, place: Place, discord_message_id: int) -> StoredMessage | None:
        """The answer that a Discord message shows, or a page of; None where the place's memory holds none for it."""
        return await self._database.read(branches.answer_in, place.channel_id, discord_message_id)

    async def undo(self, place: Place, *, only_by: int | None) -> list[StoredMessage]:
        """Delete the newest question and answer of the shown branch, and what hangs below them.

        Returns the two, or nothing if there are none; refuses another's question, and to delete a RUNNING answer.
        """
        return await self._database.write(tree.undo, place, only_by)

    async def clear(self, place: Place, *, only_by: int | None) -> int:
        """Delete everything that is remembered of a place; returns how many messages that were.

        Refuses where `only_by` is an id and somebody else asked here too.
        """
        count = await self._database.write(tree.unlink, place, only_by)
        await self.purge()
        return count

    async def purge(self) -> None:
        """Delete the rows of cleared conversations; at the start, those that a crash left behind."""
        await purge(self._database)

    async def branch(self, place: Place, *, newest: int | None = None) -> list[StoredMessage]:
        """The shown branch, oldest first: all of it, or its newest messages."""
        if newest is not None and newest < 1:
            return []
        return await self._database.read(branches.branch, place, newest)

    async def summary(self, place: Place, *, newest: int) -> Summary:
        """The shown branch in numbers, and its newest messages, all in one view of the database."""
        return await self._database.read(branches.summary, place, newest)

    async def shown_at(self, message_id: int) -> int | None:
        """The Discord message that shows a message, or where none does, the answer to it; None where there is none."""
        return await self._database.read(branches.shown_at, message_id)

    async def count(self, place: Place) -> int:
        """How many messages the place's memory holds: on every branch, with and without an answer."""
        return await self._database.read(tree.count, place)

    async def authors(self, place: Place) -> set[int]:
        """Ids of everybody who asked something that the place's memory holds."""
        return await self._database.read(branches.authors, place)

    async def interrupt_running(self) -> list[int]:
        """Mark every answer that is still RUNNING as INTERRUPTED; returns their ids."""
        return await self._database.write(tree.interrupt_running)
