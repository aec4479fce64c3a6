"""Each question with everything that Discord shows of it, kept up to date by Discord's own events."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import zip_longest

from playground.discord import Actor, Asked, ChannelHandle, Event, EventKind, LoopbackDiscord, Message
from playground.discord.validation import walk
from playground.transcript import is_status, last_line
from tests.wire.stage import is_finished

from .plans import Deed, Plan, Way

NOTICE = "-# I say this only once"
_BEGINNING = 60
BRANCHED = "The conversation goes on from this "
_ABOUT_MESSAGES = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE, EventKind.MESSAGE_DELETE}


@dataclass(slots=True)
class Press:
    """A button that was pressed."""

    deed: Deed
    asked: Asked
    at: float
    said: str = ""
    """What only the person who pressed was told."""
    took: bool = False
    """Whether something came of it."""


@dataclass(eq=False, slots=True)
class Case:
    """One question."""

    plan: Plan
    asker: Actor
    place: ChannelHandle
    question: Message | None = None
    asked: Asked | None = None
    asked_at: float = 0.0
    ended_at: float = 0.0
    pages: dict[int, Message] = field(default_factory=dict)
    """What shows the answer, by id."""
    notes: list[Message] = field(default_factory=list)
    """What was said beside it, such as a refusal."""
    gone: list[Message] = field(default_factory=list)
    """Pages that were deleted, as they were."""
    presses: list[Press] = field(default_factory=list)
    done: Deed | None = None
    """What was done in the middle of the answer."""
    grew: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False

    @property
    def shown(self) -> list[Message]:
        """The pages, first one first.

        Of a further private page whose confirmation was lost nobody can find out whether it came through, so it is
        sent again: an earlier one that begins like the next one is such a double.
        """
        pages = [self.pages[number] for number in sorted(self.pages)]
        if self.plan.way is not Way.PRIVATE:
            return pages
        return [page for page, after in zip_longest(pages, pages[1:]) if not after or _begins_unlike(page, after)]

    @property
    def went_unheard(self) -> bool:
        """Whether Discord itself told the person that the command was not answered in time."""
        return self.asked is not None and self.asked.interaction.response is None

    def take(self, event: Event, message: Message) -> None:
        """Learn what became of a message."""
        self.stirred.set()
        if event.kind is EventKind.MESSAGE_DELETE:
            if (page := self.pages.pop(message.id, None)) is not None:
                self.gone.append(page)
        elif self._is_note(message):
            self.notes = [note for note in self.notes if note.id != message.id] + [message]
            self._hear(message)
        else:
            self.pages[message.id] = message
            if f"Answer {self.plan.number}." in message.content:
                self.grew.set()
        self._judge()

    def _is_note(self, message: Message) -> bool:
        if message.content.startswith(NOTICE) or (not message.content and not message.thinking):
            return True  # the latter is a question that is given back as a file
        if message.id in self.pages:
            return False
        by_press = any(press.asked.id == message.interaction_id for press in self.presses)
        return by_press or (message.ephemeral and self.plan.way is not Way.PRIVATE)

    def _hear(self, message: Message) -> None:
        for press in self.presses:
            if press.asked.id == message.interaction_id and not message.content.startswith(BRANCHED):
                press.said = message.content

    @property
    def refusal(self) -> str:
        """The sentence in place of an answer."""
        said = [note.content for note in self.notes if not note.content.startswith(NOTICE) and note.content]
        return said[0] if said and not self.pages and not self.presses else ""

    def _judge(self) -> None:
        shown = self.shown
        last = shown[-1] if shown else None
        ended = bool(self.gone or self.refusal) if last is None else has_ended(last)
        if ended and not any(is_stoppable(page) for page in shown):
            self.ended.set()
            self.ended_at = time.monotonic()
        else:
            self.ended.clear()


def _begins_unlike(page: Message, after: Message) -> bool:
    return page.content[:_BEGINNING] != after.content[:_BEGINNING]


def has_ended(message: Message) -> bool:
    """Whether a page is the last one of an answer that has its end."""
    said_plainly = message.reply_to is not None and message.nonce is None
    return is_finished(message) or (said_plainly and not is_status(last_line(message)))


def is_stoppable(message: Message) -> bool:
    """Whether it has the button of an answer on its way."""
    return has_button(message, "Stop")


def has_button(message: Message, label: str) -> bool:
    """Whether there is such a button below it."""
    return any(part.get("label") == label for part in walk(message.components))


class Desk:
    """Knows to which question each of the bot's messages belongs."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self._discord = discord
        self._owners: dict[int, Case] = {}
        self.cases: list[Case] = []
        self.strays: dict[int, Message] = {}
        """Messages of the bot that belong to no question."""
        discord.feed.listen(self._on_event)

    def open(self, case: Case, identifier: int) -> None:
        """From now on this message's or interaction's id stands for the question."""
        if case not in self.cases:
            self.cases.append(case)
        self._owners[identifier] = case

    def _on_event(self, event: Event) -> None:
        message = event.message
        if message is None or event.kind not in _ABOUT_MESSAGES or message.author_id != self._discord.settings.bot_id:
            return
        owner = self._owner(message)
        if owner is not None:
            owner.take(event, message)
        elif not message.content.startswith(NOTICE):
            self.strays[message.id] = message

    def _owner(self, message: Message) -> Case | None:
        # The key of an answer is the id of what asked for it, in hexadecimal digits.
        key = str(message.nonce or "0").partition(".")[0]
        ids = (message.interaction_id, int(key, 16), message.reply_to)
        return next((self._owners[it] for it in ids if it in self._owners), None)
