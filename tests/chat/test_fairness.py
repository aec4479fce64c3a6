"""The order of turns, with thousands of invented lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.fairness import FairLine, Ticket

Path = tuple[str, str, str]

paths = st.tuples(st.sampled_from("ST"), st.sampled_from("abc"), st.sampled_from("xyz"))
"""Server, channel, person."""


def asked(path: Path) -> Ticket:
    return Ticket(conversation=path[:2], path=path)


def line_of(*people: Path) -> FairLine:
    line = FairLine()
    for person in people:
        line.join(asked(person))
    return line


def order(line: FairLine) -> list[str]:
    return ["".join(map(str, ticket.path)) for ticket in line.in_order()]


def test_people_who_ask_once_each_are_answered_in_the_order_of_asking() -> None:
    assert order(line_of(("S", "a", "x"), ("S", "a", "y"), ("S", "a", "z"))) == ["Sax", "Say", "Saz"]


def test_a_busy_person_a_busy_channel_and_a_busy_server_each_share_one_turn_a_round() -> None:
    busy_person = line_of(*[("S", "a", "x")] * 3, ("S", "a", "y"))
    busy_channel = line_of(("S", "a", "x"), ("S", "a", "y"), ("S", "a", "z"), ("S", "b", "x"))
    busy_server = line_of(("S", "a", "x"), ("S", "b", "y"), ("S", "c", "z"), ("T", "a", "x"))

    assert order(busy_person) == ["Sax", "Say", "Sax", "Sax"]
    assert order(busy_channel) == ["Sax", "Sbx", "Say", "Saz"]
    assert order(busy_server) == ["Sax", "Tax", "Sby", "Scz"]


def test_a_question_in_place_of_another_stands_where_that_stood() -> None:
    line = FairLine()
    first, other, last = (asked(("S", "a", person)) for person in "xyx")
    for ticket in (first, other, last):
        line.join(ticket)
    instead = asked(("S", "a", "x"))

    line.join(instead, instead_of=first)

    assert line.in_order() == [instead, other, last]
    assert first not in line


@dataclass
class Story:
    """People ask, leave and have their turns, while some conversations are busy."""

    line: FairLine = field(default_factory=FairLine)
    waiting: list[Ticket] = field(default_factory=list)
    had: list[Ticket] = field(default_factory=list)

    def ask(self, path: Path) -> None:
        ticket = asked(path)
        self.line.join(ticket)
        self.waiting.append(ticket)

    def leave(self, which: int) -> None:
        if self.waiting:
            self.line.leave(self.waiting.pop(which % len(self.waiting)))

    def next(self, may_go: Callable[[Ticket], bool] = lambda _: True) -> Ticket | None:
        ticket = self.line.first(may_go)
        if ticket is not None:
            self.line.take(ticket)
            self.waiting.remove(ticket)
            self.had.append(ticket)
        return ticket


events = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), paths),
        st.tuples(st.just("leave"), st.integers(0, 99)),
        st.tuples(st.just("next"), st.sets(paths.map(lambda path: path[:2]), max_size=4)),
    ),
    max_size=80,
)


@given(events)
def test_a_turn_is_never_left_unused_and_goes_to_nobody_whose_conversation_is_busy(
    events: list[tuple[str, object]],
) -> None:
    story = Story()
    for kind, what in events:
        if kind == "ask":
            story.ask(what)  # type: ignore[arg-type]
        elif kind == "leave":
            story.leave(what)  # type: ignore[arg-type]
        else:
            busy: set[object] = what  # type: ignore[assignment]
            free = [ticket for ticket in story.waiting if ticket.conversation not in busy]
            given_to = story.next(lambda ticket, busy=busy: ticket.conversation not in busy)  # type: ignore[misc]
            assert (given_to in free) if free else given_to is None
    assert len(story.line) == len(story.waiting)
    assert not story.waiting or set(story.line.in_order()) == set(story.waiting)


@given(events)
def test_one_persons_questions_in_a_conversation_keep_their_order(events: list[tuple[str, object]]) -> None:
    story, asked_at = Story(), dict[int, int]()
    for kind, what in events:
        if kind == "ask":
            story.ask(what)  # type: ignore[arg-type]
            asked_at[id(story.waiting[-1])] = len(asked_at)
        elif kind == "next":
            story.next(lambda ticket, busy=what: ticket.conversation not in busy)  # type: ignore[misc]
    for path in {ticket.path for ticket in story.had}:
        numbers = [asked_at[id(ticket)] for ticket in story.had if ticket.path == path]
        assert numbers == sorted(numbers)


@given(st.lists(paths, min_size=1, max_size=20), paths, st.lists(st.lists(paths, max_size=3), max_size=60))
def test_while_one_waits_nobody_beside_them_has_a_second_turn(
    before: list[Path], mine: Path, crowd: list[list[Path]]
) -> None:
    """However many ask meanwhile: the theorem behind "no starvation", at each of the three levels."""
    story = Story()
    for path in before:
        story.ask(path)
    if mine not in before:
        story.ask(mine)
    since: dict[int, Counter[tuple[object, ...]]] = {depth: Counter() for depth in (1, 2, 3)}
    for newcomers in crowd:
        for path in newcomers:
            story.ask(path)
        turn = story.next()
        if turn is None or turn.path == mine:
            break
        for depth, turns in since.items():
            beside = turn.path[:depth]
            if beside[:-1] == mine[: depth - 1]:
                # One's own server's, or channel's, turn lets those inside it begin anew.
                turns[beside] += 1
                if beside == mine[:depth]:
                    turns.clear()
                else:
                    assert turns[beside] == 1


@given(st.lists(paths, min_size=1, max_size=30))
def test_what_is_foretold_is_what_happens_if_nobody_else_comes(people: list[Path]) -> None:
    story = Story()
    for path in people:
        story.ask(path)
    foretold = story.line.in_order()

    while story.next():
        pass

    assert story.had == foretold


@given(events)
def test_nothing_is_kept_of_those_who_wait_no_more(events: list[tuple[str, object]]) -> None:
    story = Story()
    for kind, what in events:
        if kind == "ask":
            story.ask(what)  # type: ignore[arg-type]
        elif kind == "leave":
            story.leave(what)  # type: ignore[arg-type]
        else:
            story.next()
    while story.next():
        pass

    assert story.line._places == {}
