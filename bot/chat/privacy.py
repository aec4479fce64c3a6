"""What is kept about a person: showing it, taking it away, deleting it, keeping nothing at all, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, Protocol

from bot.chat.messages import Author
from bot.chat.profiles import Sourced
from bot.chat.scopes import Change, Scope, ScopeKind, SettingsStore, Source
from bot.errors import BadInput

RETENTION: Final = "retention_days"
"""The key of the setting that a server's choice is stored under."""

MAX_DAYS: Final = 3_650
"""The longest that a server can choose; the operator's setting has the same limit."""

NOBODY: Final = Author(0, "somebody who has left")
"""Who changed a shared setting or persona, where that person had everything about them deleted."""


NOT_KEPT: Final = (
    "Whoever asked this opted out, so nothing new of it is kept, and the answer stays as it is. "
    "For another answer, ask the question once more."
)
"""Read by whoever asked, and by moderators."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel, thread or direct message in which somebody asked."""

    channel_id: int
    guild_id: int | None
    questions: int


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept about a person, in numbers."""

    questions: int
    answers: int
    images: int
    settings: int
    """Their own, and those that they made in servers."""
    changes: int
    personas: int
    """Versions of servers' personas that they wrote."""
    since: datetime | None
    """When the oldest of it was stored, in UTC."""
    told_at: datetime | None
    """When they were told what is kept."""
    opted_out_at: datetime | None
    counts_tokens: bool
    """Whether it is counted how much their answers took, because there is a limit."""
    spots: Sequence[Spot]
    """Where they asked, most questions first."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that they made."""
        return not (self.questions or self.settings or self.changes or self.personas)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept about a person."""

    name: str
    """Unlike every other one; the exported rows name it."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """What a person chose, and what they know of it."""

    told_at: datetime | None = None
    opted_out_at: datetime | None = None


Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by what they are, each by its columns, ready to be written as JSON."""


class PrivacyStore(Protocol):
    """Finds and deletes everything that is stored about one person, and knows people's choices."""

    async def person(self, person_id: int) -> Person:
        """What a person chose."""
        ...

    async def opted_out(self) -> set[int]:
        """Everybody who wants nothing to be kept."""
        ...

    async def tell(self, person_id: int) -> None:
        """Note that a person has been told what is kept."""
        ...

    async def choose(self, person_id: int, *, opted_out: bool) -> None:
        """Note what a person chose. After opting out they are told once more, after coming back not."""
        ...

    async def report(self, person_id: int) -> Report:
        """What is kept about a person, in numbers."""
        ...

    async def rows(self, person_id: int) -> Rows:
        """Every row of every table that is about a person; files by their names only."""
        ...

    def files(self, person_id: int) -> AsyncIterator[StoredFile]:
        """The files that the rows name, one at a time."""
        ...

    async def delete(self, person_id: int) -> int:
        """Delete everything about a person, in the files of the database too; returns how many messages that were.

        What they chose in `choose` stays. Shared settings and personas stay without their name.
        """
        ...

    async def sweep(self, key: str, now: datetime, default_days: int) -> int:
        """Delete questions and answers that are older than their server's choice; returns how many messages that were.

        The choice is the server's setting of that key, in days; 0 is for ever.
        """
        ...


class Notice(Enum):
    """What a person is to be told after an answer."""

    KEPT = auto()
    """What is kept, and how to prevent it."""
    NOT_KEPT = auto()
    """That nothing is kept, since they opted out."""


class Privacy:
    """What is kept about people, as they and their servers choose."""

    def __init__(
        self,
        *,
        store: PrivacyStore,
        settings: SettingsStore,
        retention_days: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the operator's default of how many days conversations are kept; 0 is for ever."""
        self._store = store
        self._settings = settings
        self._default_days = retention_days
        self._now = now
        self._opted_out: set[int] = set()
        self._knows_who = False
        self._told: set[int] = set()
        self._unreachable: set[int] = set()

    async def is_opted_out(self, person: Author) -> bool:
        """Whether nothing of what a person asks is to be stored."""
        if not self._knows_who:
            self._opted_out |= await self._store.opted_out()
            self._knows_who = True
        return person.id in self._opted_out

    async def notice(self, person: Author, *, directly: bool) -> Notice | None:
        """What to tell a person now; None where they were told, or are being told, or take no direct messages."""
        if person.id in self._told or (directly and person.id in self._unreachable):
            return None
        self._told.add(person.id)
        known = await self._store.person(person.id)
        if known.told_at is not None:
            return None
        return Notice.NOT_KEPT if known.opted_out_at else Notice.KEPT

    async def was_told(self, person: Author) -> None:
        """Note that the notice reached them."""
        await self._store.tell(person.id)

    def was_not_told(self, person: Author, *, directly: bool) -> None:
        """Note that the notice did not reach them: they are told later, but not directly before the next start."""
        self._told.discard(person.id)
        if directly:
            self._unreachable.add(person.id)

    async def opt_out(self, person: Author) -> bool:
        """From now on store nothing of what a person asks; whether that is new."""
        if await self.is_opted_out(person):
            return False
        self._opted_out.add(person.id)
        await self._store.choose(person.id, opted_out=True)
        self._told.discard(person.id)
        return True

    async def opt_in(self, person: Author) -> bool:
        """From now on remember what a person asks; whether that is new."""
        if not await self.is_opted_out(person):
            return False
        await self._store.choose(person.id, opted_out=False)
        self._opted_out.discard(person.id)
        return True

    async def report(self, person: Author) -> Report:
        """What is kept about a person, in numbers."""
        return await self._store.report(person.id)

    async def rows(self, person: Author) -> Rows:
        """Everything that is kept about a person, files by their names only."""
        return await self._store.rows(person.id)

    def files(self, person: Author) -> AsyncIterator[StoredFile]:
        """The files that are kept about a person, one at a time."""
        return self._store.files(person.id)

    async def delete(self, person: Author) -> int:
        """Delete everything about a person; returns how many messages that were. That they opted out stays."""
        count = await self._store.delete(person.id)
        self._told.discard(person.id)
        return count

    async def retention(self, guild_id: int | None) -> Sourced[int]:
        """For how many days conversations are kept there, and who decided it; 0 is for ever."""
        if guild_id is not None:
            server = Scope(ScopeKind.SERVER, guild_id)
            setting = (await self._settings.values([server])).get(server, {}).get(RETENTION)
            if setting is not None:
                return Sourced(int(setting.value), Source.SERVER, setting)
        return Sourced(self._default_days, Source.OPERATOR)

    async def set_retention(self, guild_id: int, days: int, *, by: Author) -> list[Change]:
        """Choose for how many days a server's conversations are kept; 0 is for ever. Raises BadInput for too many."""
        if not 0 <= int(days) <= MAX_DAYS:
            raise BadInput(f"Conversations are kept for up to {MAX_DAYS} days, or for ever with 0.")
        server = Scope(ScopeKind.SERVER, guild_id)
        return await self._settings.change(server, {RETENTION: str(days)}, guild_id=guild_id, by=by)

    async def sweep(self) -> int:
        """Delete what is older than was chosen; returns how many messages that were."""
        return await self._store.sweep(RETENTION, self._now(), self._default_days)


def before(now: datetime, days: int) -> datetime | None:
    """What was said earlier is to be deleted; None where everything is kept."""
    return now - timedelta(days=days) if days else None
