from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.fairness import Ticket
from bot.chat.turns import Turns
from bot.errors import QueueFull


def ticket(conversation: Hashable) -> Ticket:
    """Everybody in the same circle: whoever came first is first."""
    return Ticket(conversation, ("somebody",))


@dataclass
class Turn:
    """Somebody who waits for a turn and keeps it until told to end."""

    turns: Turns
    conversation: Hashable
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async with self.turns.turn(ticket(self.conversation), tell=lambda ahead, _: self.told.append(ahead)):
            self.begun.set()
            await self.end.wait()

    @property
    def is_waiting(self) -> bool:
        return not self.begun.is_set() and not self.task.done()

    @property
    def is_running(self) -> bool:
        return self.begun.is_set() and not self.task.done()

    async def finish(self) -> None:
        self.end.set()
        await self.task

    async def cancel(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def settled() -> None:
    """Let every task go on until it waits for an event."""
    for _ in range(10):
        await asyncio.sleep(0)


async def take(turns: Turns, *conversations: Hashable) -> list[Turn]:
    taken = [Turn(turns, conversation) for conversation in conversations]
    await settled()
    return taken


async def test_a_conversation_has_one_turn_at_a_time() -> None:
    first, second = await take(Turns(quiet=0, parallel=5, waiting=5), "a", "a")
    assert [first.is_running, second.is_waiting] == [True, True]

    await first.finish()
    await settled()

    assert second.is_running
    await second.finish()


async def test_conversations_have_turns_side_by_side_up_to_the_limit() -> None:
    turns = await take(Turns(quiet=0, parallel=2, waiting=5), "a", "b", "c")
    assert [turn.is_running for turn in turns] == [True, True, False]

    await turns[1].finish()
    await settled()

    assert turns[2].is_running
    await turns[0].finish()
    await turns[2].finish()


async def test_first_come_is_first_served() -> None:
    turns = await take(Turns(quiet=0, parallel=1, waiting=5), *"abcd")
    order = []

    for turn in turns:
        await settled()
        order.append([other.is_running for other in turns].index(True))
        await turn.finish()

    assert order == [0, 1, 2, 3]


async def test_nobody_waits_behind_a_question_that_is_held_up_elsewhere() -> None:
    first, held, other = await take(Turns(quiet=0, parallel=2, waiting=5), "a", "a", "b")

    assert other.is_running
    assert held.is_waiting
    for turn in (other, first, held):
        await turn.finish()


async def test_everybody_hears_how_many_come_first_each_time_that_changes() -> None:
    first, second, third, fourth = await take(Turns(quiet=0, parallel=1, waiting=5), *"abca")
    assert [turn.told for turn in (first, second, third, fourth)] == [[], [1], [1 + 1], [3]]

    await third.cancel()
    await first.finish()
    await settled()

    assert second.is_running
    assert fourth.told[-1] == 1
    await second.finish()
    await fourth.finish()


async def test_only_ones_own_conversation_counts_where_there_is_room() -> None:
    first, second, third, other = await take(Turns(quiet=0, parallel=9, waiting=5), "a", "a", "a", "b")

    assert [turn.told for turn in (first, second, third, other)] == [[], [1], [2], []]
    for turn in (other, first, second, third):
        await turn.finish()


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        (2, "2 questions are waiting already; please"),
        (1, "One question is waiting already; please"),
        (0, "I can't take another question just now; please"),
    ],
)
async def test_a_full_line_refuses_at_once_with_the_number(waiting: int, told: str) -> None:
    turns = Turns(quiet=0, parallel=1, waiting=waiting)
    taken = await take(turns, *"abc"[: waiting + 1])

    with pytest.raises(QueueFull, match=told):
        async with turns.turn(ticket("d"), tell=lambda *_: None):
            pytest.fail("the line is full")

    for turn in taken:
        await turn.finish()


async def test_a_line_of_no_length_still_lets_through_what_is_free() -> None:
    turns = Turns(quiet=0, parallel=1, waiting=0)
    (first,) = await take(turns, "a")

    (refused,) = await take(turns, "b")
    assert isinstance(refused.task.exception(), QueueFull)
    await first.finish()
    (second,) = await take(turns, "b")

    assert second.is_running
    await second.finish()


async def test_who_leaves_the_line_makes_room_in_it() -> None:
    turns = Turns(quiet=0, parallel=1, waiting=1)
    first, second = await take(turns, "a", "b")

    await second.cancel()
    (third,) = await take(turns, "c")

    assert third.told == [1]
    await first.finish()
    await third.finish()


async def test_a_turn_given_to_somebody_who_leaves_in_the_same_moment_goes_on_to_the_next() -> None:
    first, second, third = await take(Turns(quiet=0, parallel=1, waiting=5), "a", "b", "c")

    first.end.set()
    second.task.cancel()
    await asyncio.gather(first.task, second.task, return_exceptions=True)
    await settled()

    assert third.is_running
    await third.finish()


async def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns(quiet=0, parallel=1, waiting=5)

    with pytest.raises(ZeroDivisionError):
        async with turns.turn(ticket("a"), tell=lambda *_: None):
            _ = 1 / 0

    (again,) = await take(turns, "a")
    assert again.is_running
    await again.finish()


async def test_a_listener_that_fails_does_not_stay_in_line() -> None:
    turns = Turns(quiet=0, parallel=1, waiting=1)
    (first,) = await take(turns, "a")

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with turns.turn(ticket("b"), tell=fail):
            pytest.fail("it is not its turn")

    (second,) = await take(turns, "c")
    await first.finish()
    await settled()
    assert second.is_running
    await second.finish()


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from("abcd")),
        st.tuples(st.sampled_from(["finish", "cancel", "both"]), st.integers(0, 30)),
        st.tuples(st.just("settle"), st.none()),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(ACTIONS, st.integers(1, 3), st.integers(0, 5))
def test_whatever_happens_the_rules_hold_and_everybody_gets_a_turn(
    actions: list[tuple[str, str | int | None]], parallel: int, waiting: int
) -> None:
    asyncio.run(live_through(actions, parallel, waiting))


async def live_through(actions: list[tuple[str, str | int | None]], parallel: int, waiting: int) -> None:
    turns, everybody = Turns(quiet=0, parallel=parallel, waiting=waiting), list[Turn]()
    for action, which in actions:
        if action == "take":
            everybody.append(Turn(turns, which))
        elif action == "settle":
            await settled()
            check(everybody, parallel, waiting)
        elif everybody and isinstance(which, int):
            turn = everybody[which % len(everybody)]
            if action != "cancel":
                turn.end.set()
            if action != "finish":
                turn.task.cancel()
    await settled()
    check(everybody, parallel, waiting)
    for turn in everybody:
        turn.end.set()
    async with asyncio.timeout(5):
        ends = await asyncio.gather(*(turn.task for turn in everybody), return_exceptions=True)
    assert all(end is None or isinstance(end, QueueFull | asyncio.CancelledError) for end in ends)
    (last,) = await take(turns, "a")
    assert last.is_running
    await last.finish()


def check(everybody: list[Turn], parallel: int, waiting: int) -> None:
    running = [turn.conversation for turn in everybody if turn.is_running]
    line = [turn for turn in everybody if turn.is_waiting]
    assert len(running) <= parallel
    assert len(set(running)) == len(running)
    assert len(line) <= waiting
    if len(running) < parallel:
        assert {turn.conversation for turn in line} <= set(running)
    assert all(turn.told for turn in line)
    # Whoever came later in a conversation has not begun before those who came first.
    for conversation in "abcd":
        own = [turn for turn in everybody if turn.conversation == conversation and not turn.task.done()]
        assert not any(turn.begun.is_set() for turn in own[1:])


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.data())
def test_with_one_turn_at_a_time_the_position_told_is_exact(conversations: list[str], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.integers(1, len(conversations)), max_size=3))
    asyncio.run(count_down(conversations, gone))


async def count_down(conversations: list[str], gone: set[int]) -> None:
    everybody = await take(Turns(quiet=0, parallel=1, waiting=99), *conversations)
    for index in gone:
        if index < len(everybody):
            await everybody[index].cancel()
    left = [turn for turn in everybody if not turn.task.done()]
    for done in range(len(left)):
        assert [turn.told[-1] for turn in left[done + 1 :]] == list(range(1, len(left) - done))
        await left[done].finish()
        await settled()
