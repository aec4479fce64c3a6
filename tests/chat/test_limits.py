"""How much each person may ask: by the operator, by role, by the minute and by the day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.limits import MINUTE, LastMinute, Limits, Quota
from bot.errors import BadInput, LimitReached
from bot.storage.database import Database, open_database
from bot.storage.migrations import migrate
from bot.storage.privacy import SqlPrivacy
from bot.storage.settings import SqlSettings
from bot.storage.usage import SqlUsage

from .parts import ANNA, BERND, GUILD

EVERYBODY, STAFF, GUESTS = GUILD, 7, 8
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class World:
    """Limits with clocks of the test's own."""

    database: Database
    seconds: float = 1000.0
    now: datetime = NOON
    defaults: dict[Quota, int] = field(default_factory=dict)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, **defaults: int) -> None:
        """As a new process does."""
        self.defaults |= {Quota(name): most for name, most in defaults.items()}
        self.limits = Limits(
            settings=SqlSettings(self.database),
            usage=SqlUsage(self.database),
            defaults=self.defaults,
            clock=lambda: self.seconds,
            now=lambda: self.now,
        )

    async def ask(self, *roles: int, times: int = 1, guild: int | None = GUILD) -> None:
        for _ in range(times):
            await self.limits.admit(ANNA, guild, {EVERYBODY, *roles})

    async def refusal(self, *roles: int, guild: int | None = GUILD) -> str:
        with pytest.raises(LimitReached) as refused:
            await self.ask(*roles, guild=guild)
        return str(refused.value)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await open_database(f"sqlite+aiosqlite:///{tmp_path / 'llampost.db'}") as database:
        await migrate(database)
        yield World(database)


async def test_without_limits_everybody_asks_as_much_as_they_want_and_nothing_is_counted(world: World) -> None:
    await world.ask(times=2000)
    await world.limits.spent(ANNA, 10**9)

    assert await world.limits.used(ANNA) == 0


async def test_one_question_too_many_in_a_minute_is_refused_with_when_it_goes_on(world: World) -> None:
    world.start(questions_per_minute=2)
    await world.ask()
    world.seconds += 20
    await world.ask()
    world.seconds += 20.5

    moment = int(NOON.timestamp()) + 20
    assert await world.refusal() == (
        "You asked 2 questions within a minute, which is as many as you may. "
        f"You can ask again in 20 s (<t:{moment}:R>)."
    )
    world.seconds += 19.5
    await world.ask()
    assert "in 20 s" in await world.refusal()


async def test_the_minute_is_no_matter_of_the_calendar(world: World) -> None:
    world.start(questions_per_minute=1)
    await world.ask()
    world.now += timedelta(days=365)

    assert "You asked one question within a minute" in await world.refusal()

    world.seconds += MINUTE
    world.now -= timedelta(days=700)
    await world.ask()


async def test_who_is_refused_need_not_wait_longer_for_it(world: World) -> None:
    world.start(questions_per_minute=1)
    await world.ask()
    for _ in range(59):
        world.seconds += 1
        await world.refusal()
    world.seconds += 1

    await world.ask()


async def test_the_tokens_of_a_day_are_over_until_midnight_also_after_a_restart(world: World) -> None:
    world.start(tokens_per_day=1000)
    await world.ask()
    await world.limits.spent(ANNA, 999)
    await world.ask()
    await world.limits.spent(ANNA, 500)
    world.start()

    midnight = int(datetime(2026, 3, 5, tzinfo=UTC).timestamp())
    assert await world.refusal() == (
        f"You have used your 1,000 tokens for today. You can ask again in 12 h (<t:{midnight + 1}:R>)."
    )
    await world.limits.admit(BERND, GUILD, {EVERYBODY})
    world.now = datetime(2026, 3, 5, 0, 0, 1, tzinfo=UTC)
    await world.ask()


async def test_who_has_everything_deleted_has_used_as_much_as_before_and_nothing_more_is_stored(world: World) -> None:
    world.start(tokens_per_day=1000)
    settings = SqlSettings(world.database)
    await world.ask()
    await world.limits.spent(ANNA, 600)

    told = await world.limits.store_no_more(ANNA)
    await SqlPrivacy(world.database, settings).delete(ANNA.id)
    await world.limits.spent(ANNA, 399)  # an answer that was being written
    await world.ask()
    await world.limits.spent(ANNA, 1)

    assert told == 600
    assert "You have used your 1,000 tokens for today." in await world.refusal()
    assert await SqlUsage(world.database).tokens(ANNA.id, NOON.date()) == 0
    world.now += timedelta(days=1)
    await world.ask()
    await world.limits.spent(ANNA, 5)
    assert await SqlUsage(world.database).tokens(ANNA.id, world.now.date()) == await world.limits.used(ANNA) == 5


async def test_a_clock_that_was_wrong_for_a_while_neither_refuses_for_ever_nor_leaves_anything(world: World) -> None:
    world.start(tokens_per_day=10)
    await world.ask()
    await world.limits.spent(ANNA, 10)
    world.now = datetime(2099, 1, 1, tzinfo=UTC)
    await world.ask()
    await world.limits.spent(ANNA, 10)
    world.now = NOON + timedelta(days=1)
    await world.ask()
    await world.limits.spent(ANNA, 5)

    assert await world.limits.used(ANNA) == 5
    world.now = datetime(2099, 1, 1, tzinfo=UTC)
    assert await world.limits.used(ANNA) == 0


async def test_a_roles_limit_counts_instead_of_the_operators(world: World) -> None:
    world.start(questions_per_minute=1)
    await world.limits.set(GUILD, STAFF, Quota.QUESTIONS, "3", by=BERND)

    await world.ask(STAFF, times=3)

    assert "3 questions" in await world.refusal(STAFF)
    assert "one question" in await world.refusal()
    assert "one question" in await world.refusal(STAFF, guild=None)


@pytest.mark.parametrize(
    ("staff", "guests", "most"), [("5", "2", 5), ("2", "5", 5), ("none", "5", None), ("0", "1", None), ("9", None, 9)]
)
async def test_of_all_roles_the_most_generous_counts(
    staff: str, guests: str | None, most: int | None, world: World
) -> None:
    world.start(questions_per_minute=7)
    await world.limits.set(GUILD, STAFF, Quota.QUESTIONS, staff, by=BERND)
    if guests:
        await world.limits.set(GUILD, GUESTS, Quota.QUESTIONS, guests, by=BERND)

    found = await world.limits.in_force(GUILD, {EVERYBODY, STAFF, GUESTS})

    assert found == {Quota.QUESTIONS: most, Quota.TOKENS: None}


async def test_a_server_says_nothing_about_another_one_or_about_direct_messages(world: World) -> None:
    await world.limits.set(GUILD, EVERYBODY, Quota.TOKENS, "5", by=BERND)

    assert (await world.limits.in_force(GUILD, {EVERYBODY}))[Quota.TOKENS] == 5
    assert (await world.limits.in_force(GUILD + 1, {EVERYBODY}))[Quota.TOKENS] is None
    assert (await world.limits.in_force(None, ()))[Quota.TOKENS] is None


async def test_what_was_set_can_be_taken_back_by_role_by_limit_or_all_at_once(world: World) -> None:
    for role in (STAFF, GUESTS):
        for quota in Quota:
            await world.limits.set(GUILD, role, quota, "5", by=BERND)

    taken_back = [
        await world.limits.reset(GUILD, STAFF, Quota.TOKENS, by=ANNA),
        await world.limits.reset(GUILD, GUESTS, None, by=ANNA),
        await world.limits.reset(GUILD, None, None, by=ANNA),
    ]

    assert list(map(len, taken_back)) == [1, 2, 1]
    assert await world.limits.of_roles(GUILD) == []


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "", "1001", "9" * 30])
async def test_a_limit_takes_whole_numbers_only(value: str, world: World) -> None:
    with pytest.raises(BadInput, match=r"`questions_per_minute` takes a whole number from 1 to 1000, or none"):
        await world.limits.set(GUILD, STAFF, Quota.QUESTIONS, value, by=BERND)


@given(st.lists(st.floats(0, 40)), st.integers(1, 4))
def test_within_no_minute_are_there_more_questions_than_allowed_and_none_is_refused_without_need(
    gaps: list[float], most: int
) -> None:
    now, let_in = 0.0, list[float]()
    last_minute = LastMinute(lambda: now)
    for gap in gaps:
        now += gap
        recent = [at for at in let_in if at > now - MINUTE]
        wait = last_minute.ask(1, most)
        assert (wait == 0) == (len(recent) < most)
        if wait == 0:
            let_in.append(now)
        else:
            assert 0 < wait <= MINUTE + 1e-6
            assert len([at for at in let_in if at > now + wait - MINUTE + 1e-6]) < most


def test_nothing_is_kept_of_those_who_asked_over_a_minute_ago() -> None:
    now = 0.0
    last_minute = LastMinute(lambda: now)
    for person in range(1000):
        now += 1
        last_minute.ask(person, 5)

    assert len(last_minute._asked) <= MINUTE + 1
