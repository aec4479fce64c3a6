from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.context_window import Entry, answer_limit, history_budget, least_budget, window_start
from bot.errors import PromptTooLong

SIZES = st.integers(1, 300)
EXCHANGES = st.lists(st.tuples(SIZES, SIZES), max_size=60)


def entries(exchanges: Sequence[tuple[int, int]]) -> list[Entry]:
    return [entry for asked, said in exchanges for entry in (Entry(asked, True), Entry(said, False))]


def size(history: Sequence[Entry]) -> int:
    return sum(entry.tokens for entry in history)


@given(EXCHANGES, st.integers(0, 3000))
def test_what_is_sent_fits_and_begins_with_a_person(exchanges: list[tuple[int, int]], budget: int) -> None:
    history = entries(exchanges)

    sent = history[window_start(history, budget) :]

    assert size(sent) <= budget
    assert not sent or sent[0].opens_exchange


@given(EXCHANGES)
def test_everything_is_sent_while_it_fits(exchanges: list[tuple[int, int]]) -> None:
    history = entries(exchanges)

    assert window_start(history, size(history)) == 0


@given(EXCHANGES.filter(bool), st.integers(0, 3000))
def test_a_full_window_keeps_the_last_exchange_or_as_many_as_half_of_it_holds(
    exchanges: list[tuple[int, int]], budget: int
) -> None:
    history = entries(exchanges)
    start = window_start(history, budget)
    if start == 0:
        return
    kept = size(history[start:])
    last = size(history[-2:])

    assert (kept > 0) == (last <= budget)
    if start < len(history) - 2:
        assert kept <= budget // 2
    if 0 < kept <= budget // 2:
        assert kept + size(history[start - 2 : start]) > budget // 2


@given(st.lists(st.builds(Entry, SIZES, st.booleans()), max_size=60), st.integers(0, 6000))
def test_it_is_known_how_much_smaller_a_budget_may_be_for_the_same_start(history: list[Entry], budget: int) -> None:
    start = window_start(history, budget)

    least = least_budget(history, start)

    assert least <= budget
    assert window_start(history, least) == window_start(history, (least + budget) // 2) == start
    assert least == 0 or window_start(history, least - 1) != start


@given(st.lists(SIZES, min_size=1, max_size=50), st.integers(0, 1000))
def test_a_history_in_which_nobody_asks_is_sent_whole_or_not_at_all(sizes: list[int], budget: int) -> None:
    history = [Entry(tokens, False) for tokens in sizes]

    assert window_start(history, budget) in {0, len(history)}


@dataclass
class Model:
    """Counts as an engine does: of each prompt it reads what comes after the part that it already knows."""

    known: list[int] = field(default_factory=list)
    read: int = 0

    def take(self, prompt: list[int], sizes: Sequence[int]) -> None:
        common = 0
        while common < min(len(prompt), len(self.known)) and prompt[common] == self.known[common]:
            common += 1
        self.read += sum(sizes[message] for message in prompt[common:])
        self.known = prompt


@pytest.mark.parametrize("budget", [600, 1500, 3000])
def test_over_many_turns_the_window_jumps_seldom_and_little_is_read_again(budget: int) -> None:
    history = [entry for _ in range(200) for entry in (Entry(65, True), Entry(38, False))]
    sizes = [entry.tokens for entry in history]
    jumping, sliding = Model(), Model()
    start = slid = jumps = 0

    for turn in range(0, len(history), 2):
        moved = window_start(history[start:turn], budget)
        jumps += bool(moved)
        start += moved
        jumping.take(list(range(start, turn + 1)), sizes)
        while sum(sizes[slid:turn]) > budget:
            slid += 2
        sliding.take(list(range(slid, turn + 1)), sizes)

    assert 0 < jumps <= 2 * sum(sizes) / budget + 1
    assert jumping.read <= 2 * sum(sizes) + jumps * 103
    assert jumping.read * 3 < sliding.read


@given(st.integers(4, 200_000), st.integers(1, 1_000_000), st.integers(1, 250_000))
def test_history_question_and_answer_have_room_together(num_ctx: int, num_predict: int, fixed: int) -> None:
    try:
        budget = history_budget(num_ctx=num_ctx, num_predict=num_predict, fixed=fixed)
    except PromptTooLong:
        assert num_ctx - fixed < min(num_predict, num_ctx // 4)
        return

    room = num_ctx - fixed - budget
    assert budget >= 0
    assert min(num_predict, num_ctx // 4) <= room
    assert budget == 0 or room >= min(num_predict, num_ctx // 2)
    limit = answer_limit(num_ctx=num_ctx, num_predict=num_predict, prompt=fixed + budget)
    assert 1 <= limit <= num_predict
    assert fixed + budget + limit <= num_ctx


def test_too_long_a_question_is_refused_with_the_numbers() -> None:
    with pytest.raises(PromptTooLong, match=r"it has about 3,073 tokens, and 3,072 fit\. Please ask something shorter"):
        history_budget(num_ctx=4096, num_predict=1024, fixed=3073)

    assert history_budget(num_ctx=4096, num_predict=1024, fixed=3072) == 0


def test_an_answer_is_never_longer_than_what_is_left() -> None:
    assert answer_limit(num_ctx=100, num_predict=50, prompt=20) == 50
    assert answer_limit(num_ctx=100, num_predict=50, prompt=80) == 20
    assert answer_limit(num_ctx=100, num_predict=50, prompt=200) == 1
