"""How much each person may ask: questions a minute and tokens a day, by role where a server says so.

A minute is measured by a clock that never jumps, and forgotten with the process. A day is one of the calendar in UTC,
and what was used in it is stored, but only of those for whom there is a limit. Of those who had everything about them
deleted it is kept in memory until the day ends.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from enum import StrEnum
from typing import Final, Protocol

from bot.chat.messages import Author
from bot.chat.parameters import shown
from bot.chat.scopes import Change, Scope, ScopeKind, Setting, SettingsStore
from bot.errors import BadInput, LimitReached, StorageError

log = logging.getLogger(__name__)

MINUTE = 60.0
_INSTANT = 0.001
NONE = "none"
_KEY = "limit:{quota}:{role}"
_KEYS = re.compile(r"limit:(?P<quota>[a-z_]+):(?P<role>[0-9]+)")


class Quota(StrEnum):
    """What can be limited."""

    QUESTIONS = "questions_per_minute"
    TOKENS = "tokens_per_day"


HIGHEST: Final[Mapping[Quota, int]] = {Quota.QUESTIONS: 1_000, Quota.TOKENS: 1_000_000_000}


class UsageStore(Protocol):
    """Keeps for two days how many tokens each person used on each day."""

    async def tokens(self, person_id: int, day: date) -> int:
        """How many the person used on that day."""
        ...

    async def add(self, person_id: int, day: date, tokens: int) -> None:
        """Count further tokens, and forget what is over."""
        ...


@dataclass(frozen=True, slots=True)
class RoleLimit:
    """What a server allows those who have a role."""

    role_id: int
    quota: Quota
    most: int | None
    """None for as much as they want."""
    setting: Setting


class LastMinute:
    """When each person asked within the last minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: OrderedDict[int, deque[float]] = OrderedDict()

    def ask(self, person_id: int, most: int) -> float:
        """Count a question, unless that is one too many: then the seconds until it is not, else 0."""
        now = self._clock()
        while self._asked and next(iter(self._asked.values()))[-1] <= now - MINUTE:
            self._asked.popitem(last=False)
        if wait := self.wait(person_id, most):
            return wait
        asked = self._asked.setdefault(person_id, deque())
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        asked.append(now)
        self._asked.move_to_end(person_id)
        return 0.0

    def wait(self, person_id: int, most: int) -> float:
        """The seconds until one more question is not too many; counts none."""
        now = self._clock()
        recent = [at for at in self._asked.get(person_id, ()) if at > now - MINUTE]
        return max(recent[-most] + MINUTE - now, _INSTANT) if len(recent) >= most else 0.0


class Limits:
    """Lets questions in, or says when they may come again."""

    def __init__(
        self,
        *,
        settings: SettingsStore,
        usage: UsageStore,
        defaults: Mapping[Quota, int],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the operator's limits; 0 is none."""
        self._settings = settings
        self._usage = usage
        self._defaults = {quota: defaults.get(quota) or None for quota in Quota}
        self._last_minute = LastMinute(clock)
        self._now = now
        self._counted: set[int] = set()
        """Whose tokens are counted."""
        self._unstored: dict[int, tuple[date, int]] = {}
        """What those used on a day who wanted nothing of it to be stored."""

    async def in_force(self, guild_id: int | None, role_ids: Collection[int]) -> Mapping[Quota, int | None]:
        """What somebody with these roles may do: the most that one of them allows, else the operator's default."""
        limits = [it for it in await self.of_roles(guild_id) if it.role_id in role_ids] if guild_id else []
        found = dict(self._defaults)
        for quota in Quota:
            if allowed := [limit.most for limit in limits if limit.quota is quota]:
                found[quota] = None if None in allowed else max(filter(None, allowed))
        return found

    async def admit(
        self, person: Author, guild_id: int | None, role_ids: Collection[int], *, only_ask: bool = False
    ) -> None:
        """Count a question of a person with these roles there. Raises LimitReached where it is one too many.

        Where somebody `only_ask`s whether it is, it is not counted.
        """
        try:
            limits = await self.in_force(guild_id, role_ids)
            tokens, questions = limits[Quota.TOKENS], limits[Quota.QUESTIONS]
            used = 0 if tokens is None else await self.used(person)
        except StorageError:
            return  # the answer, which needs the database too, will say that it fails
        except Exception:
            log.exception("How much somebody may ask could not be read")
            return
        if tokens is None:
            self._counted.discard(person.id)
        else:
            self._counted.add(person.id)
            if used >= tokens:
                raise self._reached(f"You have used your {tokens:,} tokens for today.", self._left_of_the_day())
        count_in = self._last_minute.wait if only_ask else self._last_minute.ask
        if questions is not None and (wait := count_in(person.id, questions)):
            count = "one question" if questions == 1 else f"{questions} questions"
            raise self._reached(f"You asked {count} within a minute, which is as many as you may.", wait)

    async def used(self, person: Author) -> int:
        """How many tokens somebody used today, as far as they are counted."""
        today = self._now().date()
        day, tokens = self._unstored.get(person.id, (None, 0))
        return tokens if day == today else await self._usage.tokens(person.id, today)

    async def store_no_more(self, person: Author) -> int:
        """Count what somebody uses today in memory only from now on; returns how much that is so far.

        Before everything about them is deleted: else deleting would be a way round the limit.
        """
        today, tokens = self._now().date(), await self.used(person)
        self._unstored = {it: kept for it, kept in self._unstored.items() if kept[0] == today}
        self._unstored[person.id] = (today, tokens)
        return tokens

    async def spent(self, person: Author, tokens: int) -> None:
        """Count what an answer took. Never fails: nobody loses an answer for that."""
        if person.id not in self._counted or not tokens:
            return
        today = self._now().date()
        day, before = self._unstored.get(person.id, (None, 0))
        if day == today:
            self._unstored[person.id] = (today, before + tokens)
            return
        try:
            await self._usage.add(person.id, today, tokens)
        except StorageError:
            pass  # the storage has logged it, once
        except Exception:
            log.exception("The tokens of an answer could not be counted")

    async def of_roles(self, guild_id: int) -> list[RoleLimit]:
        """What a server has set."""
        scope = Scope(ScopeKind.SERVER, guild_id)
        stored = (await self._settings.values([scope])).get(scope, {})
        return [
            RoleLimit(int(key["role"]), Quota(key["quota"]), _read(setting.value, Quota(key["quota"])), setting)
            for name, setting in stored.items()
            if (key := _KEYS.fullmatch(name))
        ]

    async def set(self, guild_id: int, role_id: int, quota: Quota, value: str, *, by: Author) -> list[Change]:
        """Set what a role may do. Raises BadInput with what is allowed."""
        most = _read(value, quota)
        key = _KEY.format(quota=quota, role=role_id)
        return await self._change(guild_id, {key: NONE if most is None else str(most)}, by)

    async def reset(self, guild_id: int, role_id: int | None, quota: Quota | None, *, by: Author) -> list[Change]:
        """Take back what was set for a role, or all roles, and for a quota, or both."""
        gone = [
            _KEY.format(quota=limit.quota, role=limit.role_id)
            for limit in await self.of_roles(guild_id)
            if role_id in {None, limit.role_id} and quota in {None, limit.quota}
        ]
        return await self._change(guild_id, dict.fromkeys(gone), by)

    async def _change(self, guild_id: int, values: Mapping[str, str | None], by: Author) -> list[Change]:
        return await self._settings.change(Scope(ScopeKind.SERVER, guild_id), values, guild_id=guild_id, by=by)

    def _left_of_the_day(self) -> float:
        now = self._now()
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time_of_day(), UTC)
        return (tomorrow - now).total_seconds()

    def _reached(self, why: str, seconds: float) -> LimitReached:
        again = self._now() + timedelta(seconds=seconds)
        # Rounded up: whoever asks again when Discord says "now" must not be early.
        moment = int(again.timestamp()) + 1
        return LimitReached(why, f"You can ask again in {_lasting(seconds)} (<t:{moment}:R>).", seconds)


def _read(text: str, quota: Quota) -> int | None:
    """A number, or None for no limit. Raises BadInput with what is allowed."""
    text = text.strip().casefold().replace(",", "").replace("_", "")
    if text in {NONE, "off", "0"}:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= HIGHEST[quota]:
        raise BadInput(f"`{quota}` takes a whole number from 1 to {HIGHEST[quota]}, or none, not “{shown(text)}”.")
    return int(text)


def _lasting(seconds: float) -> str:
    whole = max(int(-(-seconds // 1)), 1)
    if whole < 2 * MINUTE:
        return f"{whole} s"
    minutes = -(-whole // 60)
    return f"{minutes} min" if minutes < 2 * MINUTE else f"{-(-minutes // 60)} h"
