from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.matching import Shown, body_of, has_cursor, has_open_fence, is_whole, match_page, match_pages
from benchmarks.text import compose
from bot.delivery.pages import Pages

TRUTH = "Some **bold words** here.\n\n```python\ndef f():\n    x = 1\n\n    return x\n```\n\n- *one*\n- `two`"


def upto(part: str) -> int:
    """Where the first occurrence of a part of the truth ends."""
    return TRUTH.index(part) + len(part)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("-# Anna asked: hello\nSome text\n-# Writing…", "Some text"),
        ("-# One moment…", ""),
        ("Some text ▌", "Some text"),
        ("Some text\n-# model · assistant", "Some text"),
        ("- # no small print", "- # no small print"),
        ("```\nx\n▌\n```\n-# Writing…", "```\nx\n\n```"),
    ],
)
def test_small_print_and_cursor_are_no_text(content: str, body: str) -> None:
    assert body_of(content) == body


@pytest.mark.parametrize(
    ("content", "cursor"), [("Text ▌", True), ("Text…", True), ("Text\n-# Writing…", False), ("Text.", False)]
)
def test_a_cursor_is_seen_in_the_text_only(content: str, cursor: bool) -> None:
    assert has_cursor(content) is cursor


@pytest.mark.parametrize(
    ("content", "open_"),
    [("a", False), ("```py\nx\n```", False), ("```py\nx", True), ("````\n```\n````", True), ("``x``", False)],
)
def test_a_fence_is_open_where_its_end_lacks(content: str, open_: bool) -> None:
    assert has_open_fence(content) is open_


@pytest.mark.parametrize(
    ("body", "end"),
    [
        ("", 0),
        ("Some", upto("Some")),
        ("Some **bold**", upto("**bold")),
        ("Some **bold words**", upto("words**")),
        ("Some **bold words** here.", upto("here.")),
        (TRUTH[: upto("    x = 1")] + "\n```", upto("x = 1\n")),
        (TRUTH[: upto("    return")] + "\n```", upto("return")),
        (TRUTH[: upto("*one")] + "*", upto("*one*")),
        (TRUTH[: upto("`tw")] + "`", upto("`tw")),
        (TRUTH, len(TRUTH)),
    ],
)
def test_what_was_closed_for_a_frame_is_no_text(body: str, end: int) -> None:
    assert match_page(body, TRUTH, 0) == Shown(end, exact=True)


@pytest.mark.parametrize(
    "body",
    [
        "ome",
        "Some bold words here.",
        "Some **bold words** here. More",
        "Some **bold words** here.\n\nSome **bold words** here.",
        "⚠️ Interrupted",
        "**Some",
    ],
)
def test_other_text_is_not_exact(body: str) -> None:
    assert not match_page(body, TRUTH, 0).exact


def test_text_up_to_a_difference_still_counts_as_shown() -> None:
    assert match_page("Some **bold wordy things**", TRUTH, 0) == Shown(upto("word"), exact=False)


@pytest.mark.parametrize(
    ("pages", "end"),
    [
        (["Some **bold**", "**words** here."], upto("here.")),
        (["Some **bold words** here.", "```python\ndef f():\n    x = 1\n```"], upto("x = 1\n")),
        ([TRUTH[: upto("x = 1")] + "\n```", "```python\n    return x\n```\n\n- *one*"], upto("*one*")),
        # The naive cut: nothing is closed or reopened, and Discord takes the indentation away.
        ([TRUTH[: upto("x = 1")], "return x\n```"], upto("return x\n```")),
        # The block's end fell on the joint: the first page has closed it already, the next one begins after it.
        ([TRUTH[: upto("return x")] + "\n```", "- *one*\n- `two`"], len(TRUTH)),
        (["Some **bold words**", "here."], upto("here.")),
        # A cut in the middle of a marker.
        ([TRUTH[: upto("return x\n``")], "`\n\n- *one*"], upto("*one*")),
    ],
)
def test_a_page_goes_on_where_the_one_before_it_ended(pages: list[str], end: int) -> None:
    assert match_pages(pages, TRUTH) == Shown(end, exact=True)


@pytest.mark.parametrize(
    "pages",
    [
        ["Some **bold**", "here."],
        ["Some **bold words** here.", "Some **bold words** here."],
        ["```python\ndef f():", "Some **bold words** here."],
        ["Some **bold**", "words** here. And more"],
    ],
)
def test_lost_doubled_and_swapped_pages_are_not_exact(pages: list[str]) -> None:
    assert not match_pages(pages, TRUTH).exact


def test_whole_is_all_of_it_and_nothing_else() -> None:
    assert is_whole(match_pages([TRUTH], TRUTH), TRUTH)
    assert not is_whole(match_pages([TRUTH[:-4]], TRUTH), TRUTH)
    assert not is_whole(match_pages([f"{TRUTH} more"], TRUTH), TRUTH)


@given(st.integers(0, 200), st.integers(20, 400), st.data())
def test_every_beginning_is_found_to_the_character(number: int, count: int, data: st.DataObject) -> None:
    truth = compose(number, count).text
    end = data.draw(st.integers(1, len(truth)))
    body = truth[:end].strip()
    assert match_page(body, truth, 0) == Shown(len(body), exact=True)


@given(st.integers(0, 200), st.integers(50, 400), st.data())
def test_a_text_without_one_of_its_words_is_never_whole(number: int, count: int, data: st.DataObject) -> None:
    truth = compose(number, count).text
    words = truth.split()
    gone = data.draw(st.sampled_from([word for word in words if any(map(str.isalpha, word))]))
    left = truth.replace(gone, "", 1)
    assert not is_whole(match_pages([left.strip()], truth), truth)


def test_every_frame_that_the_bot_makes_of_an_answer_is_exact() -> None:
    answer = compose(7, 1_600)
    pages = Pages(first_reserve=60, last_reserve=100)
    ends = [0]
    for token in answer.tokens:
        pages.feed(token)
        shown = match_pages([*(page.text for page in pages.closed), pages.frame()], answer.text)
        assert shown.exact
        # A bar that turns out to begin a table's rule is taken back, a word never.
        ends.append(len(re.findall(r"\w+", answer.text[: shown.end])))
    pages.flush()
    assert len(pages.closed) > 2
    assert ends == sorted(ends)
    assert is_whole(match_pages([page.text for page in pages.closed], answer.text), answer.text)


@given(st.integers(0, 200), st.integers(600, 2_400))
@settings(max_examples=30)
def test_all_pages_that_the_bot_makes_of_an_answer_are_whole(number: int, count: int) -> None:
    truth = compose(number, count).text
    pages = Pages()
    pages.feed(truth)
    pages.flush()
    assert is_whole(match_pages([page.text for page in pages.closed], truth), truth)
