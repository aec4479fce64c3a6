from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.markdown import MAX_RUN, Scan
from bot.delivery.marks import closing, opening
from tests.delivery.test_pages import NASTY_TEXT


def closers(text: str) -> str:
    return closing(Scan(text, complete=True).final)


def shown(text: str) -> str:
    """What an intermediate frame would show of `text`."""
    scan = Scan(text)
    end = scan.retreat(scan.held)
    return text[:end] + closing(scan.state(end))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ""),
        ("**bold", "**"),
        ("*italics", "*"),
        ("_italics", "_"),
        ("__underline", "__"),
        ("~~gone", "~~"),
        ("||secret", "||"),
        ("***both", "***"),
        ("**bold *and italics", "***"),
        ("**bold *and* more", "**"),
        ("`code", "`"),
        ("``co`de", "``"),
        ("```py\ncode", "\n```"),
        ("text ```py\ncode", "\n```"),
        ("~~~\ncode", "\n~~~"),
        ("`````\n```\ncode", "\n`````"),
        ("- item\n  ```py\n  code", "\n  ```"),
        ("- ```py\n  code", "\n  ```"),
        ("> ```py\n> code", "\n> ```"),
        ("||```py\ncode", "\n```||"),
        ("这是**重要", "**"),
    ],
)
def test_what_is_open_is_closed(text: str, expected: str) -> None:
    assert closers(text) == expected
    assert closers(text + expected) == ""


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 and 4*5 and 2**10 and 3*(4+5)",
        "snake_case, x_{1}, a || b and a~b",
        "* a list\n* with stars\n\n***\n",
        r"\*escaped\*, \`this\` too, \*\*and this",
        "`**not bold` and ``a`b``",
        "```py\n**not bold\n```",
        "~~~\n```\n~~~",
        "~~~a~~~\nb",
        "https://example.com/a_b*c and <https://example.com/_a> and [a _link](https://example.com/*)",
        "<:snake_case:123456789> <@123>",
        "a *footnote\n\nends with its paragraph, as does a lone ` or _this\n\nhere",
        "*" * 100_000,
        "`" * 100_000,
    ],
)
def test_what_only_looks_like_markup_opens_nothing(text: str) -> None:
    assert closers(text) == ""


@pytest.mark.parametrize("marker", ["**", "__", "~~", "||"])
def test_what_discord_carries_over_a_blank_line_stays_open(marker: str) -> None:
    assert closers(f"{marker}a\n\nb") == marker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [the docs](https://exam", "see"),
        ("see [the", "see"),
        ("see <https://exam", "see"),
        ("see <", "see"),
        ("as in [1] and", "as in [1] and"),
        ("if a < b", "if a < b"),
        ("**bold [link](htt", "**bold**"),
        ("**", ""),
        ("word **", "word"),
        ("**bold*", "**bold**"),
        ("**bold `", "**bold**"),
        ("a\\", "a"),
        ("**a\\", "**a**"),
        ("text\n``", "text"),
        ("text\n```", "text"),
        ("text\n```pyth", "text"),
        ("text\n```python\n", "text"),
        ("text\n```python\n\n  ", "text"),
        ("text\n```python\nx", "text\n```python\nx\n```"),
        ("```\nx\n``", "```\nx\n```"),
        ("```\nx\n```", "```\nx\n```"),
        ("~~~\nx\n~~", "~~~\nx\n~~~"),
        ("a `code``", "a `code`"),
    ],
)
def test_what_is_half_typed_is_held_back(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize("text", ["Read [" + "long " * 100, "Read ```" + "i" * 200, "a" + "`" * (MAX_RUN + 1) + "b"])
def test_nothing_is_held_back_for_ever(text: str) -> None:
    scan = Scan(text)
    assert scan.held == len(text)


@pytest.mark.parametrize(
    ("fence", "reopened"),
    [
        ("```python\n", "```python\n"),
        ("```python title=x {1,2}\n", "```python\n"),
        ("```c++\n", "```c++\n"),
        ("~~~~js\n", "~~~~js\n"),
        ("   ````md\n", "````md\n"),
        ("> ```py\n", "> ```py\n"),
        ("```" + "i" * 90 + "\n", "```\n"),
        (" " * 200 + "```py\n", "```py\n"),
    ],
)
def test_a_fence_opens_again_with_its_language(fence: str, reopened: str) -> None:
    """Discord knows one word after the backticks; more would be shown as a line of code."""
    assert opening(Scan(fence + "code").final) == reopened


def test_a_closing_marker_drops_what_was_never_closed_inside_it() -> None:
    assert closers("**a *b** c") == ""


@settings(max_examples=200, deadline=None)
@given(NASTY_TEXT, st.integers(0, 100_000), st.lists(st.integers(0, 100_000), max_size=10))
def test_a_text_that_is_read_on_is_read_as_if_at_once(text: str, at: int, cuts: list[int]) -> None:
    at %= len(text) + 1
    grown = Scan("")
    for start, end in pairwise(sorted([0, len(text), *(cut % (len(text) + 1) for cut in cuts)])):
        grown = grown.followed_by(text[start:end])
        whole = Scan(text[:end])
        assert (grown.text, grown.held, grown._spans) == (whole.text, whole.held, whole._spans)
    end = grown.retreat(at)
    tail = closing(grown.state(end))
    for start in (end, at):
        assert (
            grown.followed_by(tail, end=start, complete=True)._spans == Scan(text[:start] + tail, complete=True)._spans
        )
