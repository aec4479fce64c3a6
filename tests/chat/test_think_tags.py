from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.model import Text, Thinking
from bot.chat.think_tags import Part, TakenBack, ThinkTags

PIECES = ["<think>", "</think>", "<THINK>", "</Thinking>", "<thinking>", "</thinking>", "<", ">", "/", "thi", "nk"]
ANSWERS = st.lists(st.sampled_from([*PIECES, " ", "\n", "\t\n", "```", "word", "é", "🦙"]) | st.text(max_size=3)).map(
    "".join
)

BLOCK = re.compile(r"(?si)\s*<(think|thinking)>(.*?)(?:</\1>|\Z)")
REST = re.compile(r"(?si)\s*(.*?)(?:</(?:think|thinking)>|\Z)")


def as_a_whole(answer: str, *, opened: bool) -> tuple[str, str]:
    """Thoughts and text, found by looking at all of it at once."""
    thoughts, at = [], 0
    while block := BLOCK.match(answer, at):
        thoughts.append(block[2])
        at = block.end()
        opened = False
    if opened:
        rest = REST.match(answer)
        assert rest
        more, text = as_a_whole(answer[rest.end() :], opened=False)
        return rest[1] + more, text.lstrip()
    return "".join(thoughts), answer[at:].lstrip() if thoughts or at else answer


def told_apart(pieces: Iterable[str], *, opened: bool = False, leaks: bool = False) -> tuple[str, str]:
    tags = ThinkTags(opened=opened, leaks=leaks)
    thoughts = text = ""
    for part in [part for piece in pieces for part in tags.feed(piece)] + tags.flush():
        if isinstance(part, TakenBack):
            thoughts, text = thoughts + text, ""
        else:
            assert part.text, "an empty piece says nothing"
            thoughts += part.text if isinstance(part, Thinking) else ""
            text += part.text if isinstance(part, Text) else ""
    return thoughts, text


def length(parts: Iterable[Part]) -> int:
    return sum(len(part.text) for part in parts if not isinstance(part, TakenBack))


def cut(text: str, places: Iterable[int]) -> list[str]:
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(ends)]


@pytest.mark.parametrize(
    ("answer", "thoughts", "text"),
    [
        ("Hello there.", "", "Hello there."),
        ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
        ("\n <think>\nHm.\n</think>\n\nYes.\n", "\nHm.\n", "Yes.\n"),
        ("<Thinking>Hm.</THINKING>Yes.", "Hm.", "Yes."),
        ("<think>\n\n</think>\n\nYes.", "\n\n", "Yes."),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>One.</think>\n<think>Two.</think>Yes.", "One.Two.", "Yes."),
        ("<think>Is it </thinking>, or <think>?</think>Yes.", "Is it </thinking>, or <think>?", "Yes."),
        ("<think>Hm, and then", "Hm, and then", ""),
        ("<think>Hm.</thin", "Hm.</thin", ""),
        ("<think>Hm.</think>\n", "Hm.", ""),
        ("<thin", "", "<thin"),
        ("  <thin", "", "  <thin"),
        ("  \n", "", "  \n"),
        ("<thinker>Hm.", "", "<thinker>Hm."),
        ("<think >Hm.</think >", "", "<think >Hm.</think >"),
        ("Use <think>Hm.</think> tags.", "", "Use <think>Hm.</think> tags."),
        ("```\n<think>Hm.</think>\n```", "", "```\n<think>Hm.</think>\n```"),
        ("Yes.\n</think>\nNo.", "", "Yes.\n</think>\nNo."),
        ("    indented", "", "    indented"),
        ("<thin\u212a>Hm.", "", "<thin\u212a>Hm."),
    ],
)
def test_only_tags_at_the_very_beginning_tell_thoughts_from_the_answer(answer: str, thoughts: str, text: str) -> None:
    assert told_apart([answer]) == told_apart(answer) == (thoughts, text)


@pytest.mark.parametrize(
    ("answer", "thoughts", "text"),
    [
        ("\nHm.\n</think>\n\nYes.", "Hm.\n", "Yes."),
        ("Hm.</THINKING>Yes.", "Hm.", "Yes."),
        ("</think>Yes.", "", "Yes."),
        ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
        ("Hm.</think><think>Hm!</think>Yes, </think>", "Hm.Hm!", "Yes, </think>"),
        ("Hm, and then", "Hm, and then", ""),
    ],
)
def test_where_the_prompt_opened_the_thoughts_the_answer_only_closes_them(
    answer: str, thoughts: str, text: str
) -> None:
    assert told_apart([answer], opened=True) == told_apart(answer, opened=True) == (thoughts, text)


@pytest.mark.parametrize(
    ("answer", "thoughts", "text"),
    [
        ("Hm, hm.\nHm.\n</think>\n\nYes.", "Hm, hm.\nHm.\n", "Yes."),
        ("Hm.\n  </THINKING> Yes.", "Hm.\n", "Yes."),
        ("</think>\n\nYes.", "", "Yes."),
        ("Hm.\n</think>\nYes.\n</think>\nNo.", "Hm.\n", "Yes.\n</think>\nNo."),
        ("<think>Hm.</think>Yes.\n</think>\nNo.", "Hm.", "Yes.\n</think>\nNo."),
        ("Close it with </think>, like so.", "", "Close it with </think>, like so."),
        ("```html\n</think>\n```\nYes.", "", "```html\n</think>\n```\nYes."),
        ("~~~\n```\n</think>\n~~~\n</think>\nYes.", "~~~\n```\n</think>\n~~~\n", "Yes."),
        ("Hm.\n    </think>", "", "Hm.\n    </think>"),
        ("Hm.\n</thin", "", "Hm.\n</thin"),
        ("Hm.\n``", "", "Hm.\n``"),
    ],
)
def test_a_model_that_leaks_is_found_out_by_a_tag_that_closes_what_nothing_opened(
    answer: str, thoughts: str, text: str
) -> None:
    assert told_apart([answer], leaks=True) == told_apart(answer, leaks=True) == (thoughts, text)


@given(ANSWERS, st.lists(st.integers(0, 200)))
def test_however_it_is_cut_a_leak_is_found_as_if_it_came_at_once(answer: str, places: list[int]) -> None:
    assert told_apart(cut(answer, places), leaks=True) == told_apart([answer], leaks=True)


@given(ANSWERS)
def test_without_a_tag_that_closes_nothing_a_leaking_model_answers_like_any_other(answer: str) -> None:
    answer = re.sub("(?i)</think", "", answer)

    assert told_apart(answer, leaks=True) == told_apart([answer])


@given(answer=ANSWERS, places=st.lists(st.integers(0, 200)), opened=st.booleans())
@example(answer="<think>a</think>b", places=[3, 12], opened=False)
def test_however_an_answer_is_cut_it_is_told_apart_as_if_it_came_at_once(
    answer: str, places: list[int], opened: bool
) -> None:
    pieces = cut(answer, places)

    assert "".join(pieces) == answer
    assert told_apart(pieces, opened=opened) == as_a_whole(answer, opened=opened)


@given(ANSWERS, ANSWERS)
def test_no_character_of_thoughts_or_answer_is_lost(thoughts: str, answer: str) -> None:
    thoughts = re.sub("(?i)</think>", "", thoughts).replace("<", "")
    answer = f"A{answer}"

    assert told_apart(f"<think>{thoughts}</think>{answer}") == (thoughts, answer)
    assert told_apart(answer) == ("", answer)


@pytest.mark.parametrize("left", ["</think>", "\n</think>\n\n", "</Thinking> "])
def test_a_closing_tag_that_the_server_left_behind_is_no_part_of_the_answer(left: str) -> None:
    for size in range(1, 12):
        tags = ThinkTags()
        assert tags.parts(Thinking("Hm.")) == [Thinking("Hm.")]
        answer = f"{left}So it is, says </think>."
        parts = [part for at in range(0, len(answer), size) for part in tags.parts(Text(answer[at : at + size]))]
        assert "".join(part.text for part in parts if isinstance(part, Text)) == "So it is, says </think>."
        assert not any(isinstance(part, Thinking) for part in parts)


@given(ANSWERS)
def test_nothing_is_held_back_longer_than_a_tag(answer: str) -> None:
    tags, shown, tag = ThinkTags(), 0, len("</thinking>")
    for character in f"A{answer}":
        shown += length(tags.feed(character))
    assert shown == len(answer) + 1

    tags, shown = ThinkTags(), 0
    body = "<think>" + answer.replace(">", "")
    for taken, character in enumerate(body, 1):
        shown += length(tags.feed(character))
        assert shown >= taken - len("<think>") - tag


@pytest.mark.parametrize("piece", [" ", "<", "x", "</think", "</thinking"])
@pytest.mark.parametrize("beginning", ["", "<think>", "A", "A\n"])
@pytest.mark.parametrize("leaks", [False, True])
def test_a_long_answer_costs_no_more_a_piece_than_a_short_one(leaks: bool, beginning: str, piece: str) -> None:
    def seconds(count: int) -> float:
        tags = ThinkTags(leaks=leaks)
        tags.feed(beginning)
        began = time.process_time()
        for _ in range(count):
            tags.feed(piece)
        tags.flush()
        return time.process_time() - began

    short = min(seconds(2_000) for _ in range(5))
    assert min(seconds(40_000) for _ in range(3)) < short * 20 * 4
