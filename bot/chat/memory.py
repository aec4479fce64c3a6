"""What the chat core asks of the store that remembers conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bot.chat.messages import Answer, Author, EndReason, Image, OpenAnswer, Place, Receipt, StoredMessage
from bot.chat.thoughts import Thoughts

NOT_THEIR_QUESTION = "The last question here is somebody else's; taking it back needs the permission “Manage Messages”."
NOT_THEIRS_ALONE = "Other people asked here too; forgetting it all needs the permission “Manage Messages”."
FORGOTTEN = "I no longer remember this answer, so I can't do anything with it. Please ask me again."
BEING_WRITTEN = "An answer is being written here; please wait until it ends."


@dataclass(frozen=True, slots=True)
class Summary:
    """A place's shown branch at a glance, all of it at one moment."""

    total: int
    """How many messages are remembered."""
    window: Sequence[StoredMessage]
    """Those of them that still go to the model if they fit, oldest first."""
    newest: Sequence[StoredMessage]
    """The last few, oldest first."""


class Begun(NamedTuple):
    """A question that is stored, and what was said before it."""

    question_id: int
    answer_id: int
    window: Sequence[StoredMessage]
    """What still goes to the model: the shown branch from the window's start to the head, oldest first."""


class ConversationStore(Protocol):
    """Keeps each place's messages as a tree, and which branch of it is shown.

    The head of a conversation is the last message of the branch that is shown. A question and its answer are
    written at once (`begin`), but the head moves to the answer only when it is finished with text (`finish`), so a
    question that got no answer stays stored and never goes to the model again by itself.
    """

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
        """Store a question with its pictures below the head, and its empty answer as RUNNING.

        Where `after` is a Discord message that shows one of the place's answers, the question goes below that one
        instead. The place's conversation is made where there is none. The rows `on_way`, in an `OpenAnswerStore`, wait
        no more from this very moment on.
        """
        ...

    async def begin_again(self, answer_id: int) -> Begun:
        """Store an empty RUNNING sibling of an answer, a new version.

        Raises BadInput where the answer was forgotten, or is still RUNNING.
        """
        ...

    async def resume(self, answer_id: int) -> Begun:
        """Let an answer that was cut off be RUNNING again, with the text that it has. Raises as `begin_again` does."""
        ...

    async def answer(self, channel_id: int, answer_id: int) -> Answer | None:
        """An answer with everything that its buttons need; None where the channel's memory does not hold it."""
        ...

    async def current(self, answer_id: int) -> int:
        """The version of an answer that the shown branch goes through; the answer itself where there is none."""
        ...

    async def later(self, answer_id: int) -> int:
        """How many messages of the shown branch came after an answer, or after another version of it."""
        ...

    async def elsewhere(self, answer_id: int) -> int:
        """How many messages of the shown branch are left when the conversation goes on from an answer of another one.

        0 where the shown branch goes through the answer's question, or where there is no version of it with any text.
        """
        ...

    async def choose(self, answer_id: int) -> int:
        """Let the conversation go on from a version of an answer, or from the newest that was said after it.

        Returns how many later messages stay with the version that was shown before. Raises as `begin_again` does.
        """
        ...

    async def remove(self, answer_id: int) -> list[int]:
        """Forget an answer, its versions and its question; what was said afterwards stays.

        Returns the ids of the answer's messages in Discord. Raises as `begin_again` does. The question of a JOINED
        answer waits again.
        """
        ...

    async def not_shown(self, discord_message_ids: Sequence[int]) -> None:
        """Note that these messages in Discord show nothing of the memory any more."""
        ...

    async def window(self, place: Place) -> Sequence[StoredMessage]:
        """The shown branch from the window's start to the head, oldest first. Looking makes no conversation.

        Its cost follows the window's size, not the history's.
        """
        ...

    async def images(self, message_ids: Sequence[int]) -> Mapping[int, Sequence[Image]]:
        """The pictures that came with these messages, by the messages that have any."""
        ...

    async def shown_as(self, message_id: int, discord_message_id: int) -> None:
        """Note that a stored message is (also) this message in Discord. Noting it twice does nothing."""
        ...

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

        `question_tokens` is the question's size in the prompt, as worked out from the model's own count. The
        `thoughts` are kept apart, where no prompt and no export finds them. A version that `takes_over` is followed by
        what was said after the version that is shown, and then the head stays where it is. The first answer to a
        question that had none is followed by what was asked since; one that `goes_on` is no first one, since it had a
        text already. One that `replaces` is the only version left, if it has any text.
        A conversation that was cleared meanwhile stays cleared: then nothing is stored and nothing is raised.
        """
        ...

    async def keep(self, answer_id: int, content: str) -> None:
        """Store what there is of an answer's text, where it is still RUNNING."""
        ...

    async def thoughts(self, answer_id: int) -> Thoughts | None:
        """What the model thought before an answer; None where it did not, or its thoughts are kept no more."""
        ...

    async def move_window(self, place: Place, start: int) -> None:
        """From now on the window starts at the message with this id, if the place still has it."""
        ...

    async def last_estimate(self, model: str) -> tuple[int, int] | None:
        """Of the model's newest receipt that has both: our estimate, and the prompt tokens it really was."""
        ...

    async def answer_in(self, place: Place, discord_message_id: int) -> StoredMessage | None:
        """The answer that a Discord message shows, or a page of; None where the place's memory holds none for it.

        One that is still RUNNING has no text yet.
        """
        ...

    async def undo(self, place: Place, *, only_by: int | None) -> list[StoredMessage]:
        """Delete the newest question and answer of the shown branch; returns them, or nothing if there are none.

        Raises NotAllowed where `only_by` is an id and the question is not that person's, and BadInput where an answer
        that is still RUNNING would go with them. Both are checked in the transaction that deletes.
        """
        ...

    async def clear(self, place: Place, *, only_by: int | None) -> int:
        """Delete everything that is remembered of a place; returns how many messages that were.

        Raises NotAllowed where `only_by` is an id and somebody else asked here too, checked in the same transaction.
        """
        ...

    async def branch(self, place: Place, *, newest: int | None = None) -> list[StoredMessage]:
        """The shown branch, oldest first: all of it, or its newest messages."""
        ...

    async def summary(self, place: Place, *, newest: int) -> Summary:
        """The shown branch in numbers, and its newest messages. Looking makes no conversation."""
        ...

    async def shown_at(self, message_id: int) -> int | None:
        """The Discord message that shows a message, or where none does, the answer to it; None where there is none."""
        ...

    async def authors(self, place: Place) -> set[int]:
        """Ids of everybody who asked something that the place's memory holds."""
        ...

    async def interrupt_running(self) -> list[int]:
        """Mark every answer that is still RUNNING as INTERRUPTED; returns their ids.

        As with `finish`, the head moves to those that have any text.
        """
        ...


class OpenAnswerStore(Protocol):
    """Knows which answers are on their way, so that after a crash none is left in the middle and no question lost."""

    async def open(self, answer: OpenAnswer) -> int:
        """An answer is on its way from now on; returns the id of its row."""
        ...

    async def note(self, row_id: int, discord_id: int | None) -> None:
        """This is the newest of its messages; None where it has none any more."""
        ...

    async def allow(self, row_id: int, *, asking: bool) -> None:
        """Whether the next start may ask the question, if it still waits then."""
        ...

    async def close(self, row_ids: Sequence[int]) -> None:
        """These answers have come to their ends, for everybody to see."""
        ...

    async def all(self) -> list[OpenAnswer]:
        """Every answer that was opened and not closed, oldest first."""
        ...


class StateStore(Protocol):
    """Remembers small facts about the bot itself across restarts, such as which commands Discord knows."""

    async def get(self, key: str) -> str | None:
        """The value, if there is one."""
        ...

    async def set(self, key: str, value: str) -> None:
        """Store or replace a value."""
        ...
