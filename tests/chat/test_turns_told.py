"""What people hear while they wait, how often, and who is refused; in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from bot.chat.fairness import Ticket
from bot.chat.turns import QUIET, Turns
from bot.errors import QueueFull
from tests.virtual_time import clock, in_virtual_time

MODEL = "tiny:1b"


@dataclass
class Asker:
    """Somebody who asks, and whose answer takes a while."""

    turns: Turns
    ticket: Ticket
    seconds: float = 40
    told: list[tuple[float, int, float | None]] = field(default_factory=list)
    begun_at: float | None = None

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        async with self.turns.turn(self.ticket, tell=lambda ahead, wait: self.told.append((clock(), ahead, wait))):
            self.begun_at = clock()
            await asyncio.sleep(self.seconds)


def asks(turns: Turns, person: str, *, channel: str = "", server: str = "Team", seconds: float = 40) -> Asker:
    """A person's question, by default in a channel of their own."""
    channel = channel or f"{person}'s"
    return Asker(turns, Ticket((server, channel), (server, channel, person), MODEL), seconds)


def line(*, parallel: int = 1, waiting: int = 50) -> Turns:
    return Turns(parallel=parallel, waiting=waiting, clock=clock)


@in_virtual_time
async def test_how_long_it_takes_is_said_as_soon_as_an_answer_of_the_model_has_shown_it() -> None:
    turns = line()
    first, second = asks(turns, "Anna"), asks(turns, "Bernd")
    await first.task
    third = asks(turns, "Carla")
    await asyncio.sleep(10)
    fourth = asks(turns, "Dora")
    await fourth.task

    assert second.told == [(0, 1, None)]
    assert third.told == [(40, 1, 40)]
    assert fourth.told[:1] == [(50, 2, 70)]
    assert fourth.begun_at == 120


@in_virtual_time
async def test_an_answer_that_was_stopped_says_nothing_of_how_long_the_next_one_takes() -> None:
    turns = line()
    first = asks(turns, "Anna")
    await asyncio.sleep(1)
    first.task.cancel()
    await asyncio.gather(first.task, return_exceptions=True)
    second, third = asks(turns, "Bernd"), asks(turns, "Carla")
    await third.task

    assert third.told == [(1, 1, None)]
    await second.task


@in_virtual_time
async def test_nobody_is_told_twice_within_some_seconds_however_quickly_the_line_moves() -> None:
    turns = line()
    quick = [asks(turns, str(number), seconds=1) for number in range(30)]
    last = asks(turns, "Last")
    await last.task

    at = [moment for moment, _, _ in last.told]
    assert [ahead for _, ahead, _ in last.told] == [30, 21, 11, 1]
    assert all(later - earlier >= QUIET for earlier, later in pairwise(at))
    assert all(len(asker.told) <= 4 for asker in quick)


@in_virtual_time
async def test_a_place_that_does_not_change_is_said_once() -> None:
    turns = line()
    asks(turns, "Anna", seconds=500)
    second = asks(turns, "Bernd")
    await second.task

    assert second.told == [(0, 1, None)]


@in_virtual_time
async def test_a_crowd_in_one_channel_is_told_more_rarely_so_that_answers_there_keep_their_edits() -> None:
    turns = line()
    crowd = [asks(turns, f"{number}", channel="general", seconds=1) for number in range(50)]
    await asyncio.gather(*(asker.task for asker in crowd))

    moments = sorted(at for asker in crowd for at, _, _ in asker.told[1:])
    assert len(moments) <= 50 / 5 + 1


@in_virtual_time
async def test_a_busy_server_holds_up_another_one_for_one_answer_only() -> None:
    turns = line()
    busy = [asks(turns, f"{number}", server="Busy") for number in range(10)]
    await asyncio.sleep(5)
    quiet = asks(turns, "Anna", server="Quiet")
    await quiet.task

    assert quiet.told[0][1] <= 2
    assert quiet.begun_at == 80
    await asyncio.gather(*(asker.task for asker in busy))


@in_virtual_time
async def test_who_fills_the_line_pushes_out_nobody_but_themselves() -> None:
    turns = line(waiting=3)
    greedy = [asks(turns, "Greedy", channel=f"{number}") for number in range(5)]
    await asyncio.sleep(0)
    modest = asks(turns, "Modest", server="Quiet")
    await modest.task

    ends = await asyncio.gather(*(asker.task for asker in greedy), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), type(None), type(None), QueueFull, QueueFull]
    assert str(ends[-1]) == "3 questions are waiting already; please ask again in a moment."
    assert modest.begun_at is not None


@in_virtual_time
async def test_a_question_takes_the_turn_of_the_one_that_it_replaces() -> None:
    turns = line(waiting=2)
    first, other = asks(turns, "Anna", channel="general"), asks(turns, "Bernd", channel="general")
    await asyncio.sleep(1)
    begun = []

    async def again() -> None:
        ticket = Ticket(first.ticket.conversation, first.ticket.path, MODEL)
        async with turns.turn(ticket, tell=lambda *_: None, instead_of=first.ticket, joined=first.task.cancel):
            begun.append(clock())

    await again()

    assert begun == [1]
    assert first.task.cancelled()
    await other.task
    assert other.begun_at == 1


@in_virtual_time
async def test_a_question_takes_the_place_in_a_full_line_of_the_one_that_it_replaces() -> None:
    turns = line(waiting=2)
    everybody = [asks(turns, person, channel="general") for person in ("Anna", "Bernd", "Carla")]
    bernd = everybody[1]
    await asyncio.sleep(1)
    begun = []

    async def again() -> None:
        ticket = Ticket(bernd.ticket.conversation, bernd.ticket.path, MODEL)
        async with turns.turn(ticket, tell=lambda *_: None, instead_of=bernd.ticket, joined=bernd.task.cancel):
            begun.append(clock())

    await again()
    with pytest.raises(asyncio.CancelledError):
        await bernd.task

    assert begun == [40]
    await everybody[2].task
    assert everybody[2].begun_at == 40


@in_virtual_time
async def test_a_replacement_that_is_stopped_in_the_same_moment_leaves_the_turn_to_the_next() -> None:
    turns = line()
    first, other = asks(turns, "Anna", channel="general"), asks(turns, "Bernd", channel="general")
    await asyncio.sleep(1)
    ticket = Ticket(first.ticket.conversation, first.ticket.path, MODEL)

    async def again() -> None:
        async with turns.turn(ticket, tell=lambda *_: None, instead_of=first.ticket, joined=first.task.cancel):
            pytest.fail("it was stopped")

    replacement = asyncio.create_task(again())
    await asyncio.sleep(0)
    replacement.cancel()
    await asyncio.gather(replacement, first.task, return_exceptions=True)
    await other.task

    assert other.begun_at == 1
