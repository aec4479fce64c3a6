from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.script import Script, asked_for, question
from benchmarks.text import SHORTEST, AnswerText, compose
from benchmarks.words import ANSWERS, PER_ANSWER, places, word

PLACES = st.tuples(st.integers(0, ANSWERS - 1), st.integers(0, PER_ANSWER - 1))


@given(PLACES)
def test_a_word_tells_its_place(place: tuple[int, int]) -> None:
    assert places(f"**{word(place)}**, `x`") == [place]


@given(PLACES, PLACES)
def test_no_word_has_two_places(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (word(one) == word(other)) == (one == other)


@pytest.mark.parametrize("place", [(-1, 0), (0, PER_ANSWER), (ANSWERS, 0)])
def test_there_is_no_word_beyond_the_last(place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no word"):
        word(place)


def test_other_words_have_no_place() -> None:
    assert places("python def return banana1 xbakulo bakulox Interrupted: the bot is being restarted.") == []


@given(st.integers(0, 200), st.integers(SHORTEST, 600))
def test_an_answer_has_as_many_tokens_as_were_ordered(number: int, count: int) -> None:
    answer = compose(number, count)
    assert len(answer.tokens) == count
    assert all(answer.tokens)
    assert answer.text == answer.text.strip()
    assert answer.text.count("```") % 2 == 0
    assert answer.text.count("**") % 2 == 0


def test_a_very_short_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        compose(0, SHORTEST - 1)


def test_no_word_occurs_twice_in_any_answer() -> None:
    texts = Script((4_200, 400, 400), 40, 0).texts
    found = [place for text in texts for place in places(text.text)]
    assert len(found) == len(set(found))
    assert [{answer for answer, _ in places(text.text)} for text in texts] == [{0}, {1}, {2}, {3}]
    assert places(texts[0].text) == sorted(places(texts[0].text))


def test_an_answer_has_prose_lists_and_code() -> None:
    text = compose(1, 400).text
    for mark in ("\n\n```python\ndef ", "\n- **", "\n1. ", " **", " *", " `", ".\n\n"):
        assert mark in text


def test_the_same_answer_is_always_the_same() -> None:
    assert compose(5, 300) == compose(5, 300)


@pytest.mark.parametrize(("length", "tokens"), [(0, 0), (2, 0), (3, 1), (6, 3), (7, 3), (9, 4), (20, 4)])
def test_tokens_within_counts_whole_tokens_and_unseen_whitespace(length: int, tokens: int) -> None:
    assert AnswerText(0, ("one", " t", "\n ", "no")).tokens_within(length) == tokens


def test_the_question_names_its_answer_whatever_stands_before_it() -> None:
    assert asked_for(question(17)) == 17
    assert asked_for(f"[Anna spoke]\nAnna: {question(3)}\nBob: {question(12)}") == 12
    assert asked_for("How are you?") is None
