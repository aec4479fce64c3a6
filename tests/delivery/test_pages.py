import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.delivery.draft import Page
from bot.delivery.markdown import Scan
from bot.delivery.pages import LIMIT, Pages
from bot.delivery.text import units, without_lone_surrogates
from tests.delivery.paging import SIZES, paged

NASTY = [
    *(
        "```",
        "```py\n",
        "\n```\n",
        "   ```js\n",
        "  ```\n",
        "````md\n",
        "````",
        "~~~\n",
        "\n~~~\n",
        "> ```\n> x\n> ```\n",
    ),
    *("`", "``", "*", "**", "***", "_", "__", "~~", "||", "\\", "\\*", "<", "<htt", "[half](htt", "<https://a.b/c>"),
    *(
        "**bold** ",
        "*it* ",
        "||secret|| ",
        "`code` ",
        "snake_case ",
        "[text](https://x.y/z_a)",
        "# head\n",
        "> quote\n",
    ),
    *("\n", "\n\n", " ", "\t", "\r\n", "\u00a0", "- item\n", "1. item\n", "Sentence here. "),
    *("| a | b |\n|---|---|\n", "|a", "|", "a | b\n", "-|-\n", "|--", "| 1 | **2** |\n", "| " + "long " * 40),
    *("😀", "👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "\u0301", "\u200d", "\ud83d", "\ude00", "中文。", "    code line\n"),
    *("x" * 300, "lorem ipsum dolor sit amet " * 5, "```" + "i" * 150 + "\n", "`" * 50, "*" * 70, " " * 150),
]
NASTY_TEXT = st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=80).map("".join)
# What a well-behaved model writes: every construct is closed, and every fence has its line to itself.
TIDY_TEXT = st.lists(
    st.sampled_from(
        [
            *("Some words and no more. ", "**bold words** ", "~~gone words~~ ", "||secret words|| ", "`code words` "),
            *("*some* ", "word ", "\n", "\n\n", "- item\n", "😀 ", "**" + "long bold " * 30 + "end** "),
            *("\n\n```py\n" + "    value = 1\n" * lines + "```\n\n" for lines in (1, 5, 40)),
            "\n\n- item\n\n  ~~~~js\n" + "  call()\n" * 20 + "  ~~~~\n\n",
            *("\n\n| Name | **Value** |\n|:--|--:|\n" + "| `row` | 1 |\n" * rows + "\n" for rows in (0, 3, 40)),
        ]
    ),
    max_size=60,
).map("".join)
light = settings(max_examples=120, deadline=None)


def texts(*pieces: str) -> list[str]:
    return [page.text for page in paged(*pieces).closed]


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def is_balanced(page: str) -> bool:
    """Count markers without knowing how the scanner works: fences by line, the rest by number."""
    fence = ""
    prose: list[str] = []
    for line in page.split("\n"):
        found = re.match(r"\s*(```+|~~~+)(\w*)\s*$", line)
        if not fence and found:
            fence = found[1]
        elif fence and found and found[1] == fence and not found[2]:
            fence = ""
        elif not fence:
            prose.append(line)
    text = "\n".join(prose)
    return not fence and all(text.count(marker) % 2 == 0 for marker in ("**", "~~", "||", "`"))


@light
@given(NASTY_TEXT, SIZES, st.lists(st.integers(0, 100_000), max_size=20))
def test_every_frame_and_page_is_short_closed_and_final(text: str, size: tuple[int, int, int], cuts: list[int]) -> None:
    limit, first, last = size
    pages = Pages(limit=limit, first_reserve=first, last_reserve=last)
    seen: list[Page] = []
    for piece in pieces_of(text, cuts):
        pages.feed(piece)
        assert list(pages.closed[: len(seen)]) == seen
        seen = list(pages.closed)
        frame = pages.frame()
        assert units(frame) <= limit - last - (0 if seen else first)
        assert frame == frame.strip()
        assert not Scan(frame, complete=True).final
        frame.encode()  # as the client will
    pages.flush()
    assert list(pages.closed[: len(seen)]) == seen
    assert pages.frame() == ""
    for number, page in enumerate(pages.closed):
        assert units(page.text) <= limit - last - (0 if number else first)
        assert page.body.strip()
        assert page.text == page.text.strip()


@light
@given(TIDY_TEXT, SIZES, st.lists(st.integers(0, 100_000), max_size=20))
def test_frames_and_pages_of_tidy_text_are_balanced_by_simple_counting(
    text: str, size: tuple[int, int, int], cuts: list[int]
) -> None:
    limit, first, last = size
    pages = Pages(limit=limit, first_reserve=first, last_reserve=last)
    for piece in pieces_of(text, cuts):
        pages.feed(piece)
        assert is_balanced(pages.frame())
    pages.flush()
    assert all(is_balanced(page.text) for page in pages.closed)


@light
@given(NASTY_TEXT | TIDY_TEXT, SIZES, st.lists(st.integers(0, 100_000), max_size=20))
@example("```\n" + "x" * 1994 + "\ud83d", (2000, 0, 0), [2])
def test_the_pieces_make_no_difference_and_nothing_is_lost(
    text: str, size: tuple[int, int, int], cuts: list[int]
) -> None:
    sizes = dict(zip(("limit", "first_reserve", "last_reserve"), size, strict=True))
    whole = paged(text, **sizes)
    assert whole.joined() == without_lone_surrogates(text)
    assert paged(*pieces_of(text, cuts), **sizes).closed == whole.closed
    assert paged(*text, **sizes).closed == whole.closed


@light
@given(NASTY_TEXT | TIDY_TEXT, SIZES, st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=20))
def test_a_sealed_page_is_what_was_shown_and_the_answer_goes_on(
    text: str, size: tuple[int, int, int], steps: list[tuple[int, bool]]
) -> None:
    limit, first, last = size
    pages = Pages(limit=limit, first_reserve=first, last_reserve=last)
    place = 0
    for length, seals in steps:
        pages.feed(text[place : place + length])
        place += length
        frame, closed = pages.frame(), list(pages.closed)
        assert pages.begun or not frame
        if not seals:
            continue
        pages.seal()
        assert list(pages.closed[: len(closed)]) == closed
        sealed = [page.text for page in pages.closed[len(closed) : len(closed) + 1]]
        assert len(sealed) == bool(frame)
        if "|" in text:  # what is begun below a table goes on with it
            words = [re.findall(r"\w+", shown) for shown in (*sealed, frame)]
            assert words[0] == words[-1][: len(words[0])]
        else:
            assert sealed == [frame] * bool(frame)
        assert not Scan(pages.frame(), complete=True).final
    pages.feed(text[place:])
    pages.flush()
    assert pages.joined() == without_lone_surrogates(text)
    for number, page in enumerate(pages.closed):
        assert units(page.text) <= limit - last - (0 if number else first)
        assert page.text == page.text.strip()
        assert page.body.strip()


@light
@given(NASTY_TEXT)
def test_a_short_answer_is_shown_exactly(text: str) -> None:
    """But for the whitespace around it, which Discord drops, a code block left open, which is closed, and tables."""
    text = re.sub(r"(?m)^[|: -]*-[|: -]*$", "no delimiter row", without_lone_surrogates(text))
    for page in paged(text[:1500]).closed:
        assert page.prefix == ""
        assert page.body.rstrip() == text[:1500].strip()
        assert re.fullmatch(r"(\n[ >]*(`{3,}|~{3,})(\|\|)?)?", page.suffix)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t ", " " * 5000, "\n" * 5000])
def test_an_answer_of_whitespace_has_no_page(text: str) -> None:
    pages = paged(text)
    assert pages.closed == []
    assert pages.joined() == text


def test_a_closing_fence_exactly_at_the_limit() -> None:
    block = "```py\n" + "x" * (LIMIT - 10) + "\n```"
    assert texts(block) == [block]
    assert texts(*block, "\n\nAfter.", "x" * 100) == [block, "After." + "x" * 100]


@pytest.mark.parametrize("length", range(LIMIT - 20, LIMIT + 4))
def test_a_closing_fence_is_never_a_page_of_its_own(length: int) -> None:
    """Replayed on the next page, it would make an empty block there."""
    block = "```py\n" + "x\n" * 900 + "y" * (length - 1810) + "\n```\n\nAfter." + "x" * 300
    for page in texts(block):
        assert not re.search(r"```(py)?\n*```", page)
        assert is_balanced(page)


def test_a_code_block_goes_on_with_its_language_after_a_line_end() -> None:
    pages = paged("```python\n" + "    line = 1\n" * 400 + "```\nAfter.")
    assert len(pages.closed) == 3
    assert [page.prefix for page in pages.closed] == ["", "```python\n", "```python\n"]
    assert [page.suffix for page in pages.closed] == ["\n```", "\n```", ""]
    assert all(page.body.startswith("    line = 1\n") for page in pages.closed[1:])  # with its indentation


def test_a_very_long_info_string_does_not_eat_the_pages() -> None:
    pages = paged("```" + "i" * 1900 + "\n" + "code\n" * 1000 + "```")
    assert len(pages.closed) == 4
    assert all(len(page.prefix) < 50 for page in pages.closed)


def test_emoji_count_as_discord_counts_them() -> None:
    assert texts("😀" * 1000) == ["😀" * 1000]
    assert texts("😀" * 1001) == ["😀" * 1000, "😀"]


@pytest.mark.parametrize("cluster", ["👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "👍🏽"])
def test_a_character_of_several_code_points_is_not_torn(cluster: str) -> None:
    text = "x" + cluster * 1200
    assert all(page.removeprefix("x").replace(cluster, "") == "" for page in texts(text))


def test_a_cluster_longer_than_a_page_is_cut_between_code_points() -> None:
    assert texts("e" + "\u0301" * 2500) == ["e" + "\u0301" * 1999, "\u0301" * 501]


def test_a_surrogate_pair_may_come_in_two_pieces() -> None:
    assert texts("a\ud83d", "\ude00b\ud83d", "c\ude00", "\ud83d") == ["a😀b\ufffdc\ufffd\ufffd"]


@pytest.mark.parametrize("marker", ["**", "||", "~~", "__", "*", "``"])
def test_markup_over_a_joint_is_closed_and_opened_again(marker: str) -> None:
    pages = paged("Before " + marker + "word " * 600 + "end" + marker + " after.")
    assert [(page.prefix, page.suffix) for page in pages.closed] == [("", marker), (marker, "")]
    assert pages.closed[1].text.endswith("end" + marker + " after.")


def test_a_marker_that_closes_right_after_a_joint_is_not_shown_again() -> None:
    pages = paged("**" + "x" * (LIMIT - 4), "**" + " after" * 30)
    assert [page.text for page in pages.closed] == ["**" + "x" * (LIMIT - 4) + "**", ("after " * 30).strip()]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("```\nAfter.", ["After."]),
        ("``x", ["```py\n``x\n```"]),
        ("```", []),
    ],
)
def test_what_follows_a_full_code_block_and_many_blank_lines(rest: str, expected: list[str]) -> None:
    text = "```py\n" + "x\n" * 995 + "\n" * 300 + rest
    pages = paged(*text)
    assert [page.text for page in pages.closed][1:] == expected
    assert pages.closed == paged(text).closed
    assert pages.joined() == text


def test_a_code_block_has_no_page_of_blanks_only() -> None:
    first, second = texts("```py\n" + "x\n" * 995 + " " * 3000 + "y\n```")
    assert first.endswith("x\n```")
    assert second.endswith(" y\n```")


def test_a_stray_marker_does_not_outlive_its_paragraph_at_a_joint() -> None:
    assert texts("x " * 900 + "a *footnote " + "y" * 180 + "\n\n" + "After. " * 30)[1].startswith("After.")


def test_a_code_block_left_open_at_the_end_is_closed_but_a_stray_marker_is_left_alone() -> None:
    assert texts("```py\nx = 1") == ["```py\nx = 1\n```"]
    assert texts("a **b") == ["a **b"]
    assert texts("a\n```py\n") == ["a\n```py"]


def test_an_answer_streams() -> None:
    pages = Pages()
    frames: list[str] = []
    for piece in ("Look", ": **im", "portant*", "*\n``", "`py", "\nx =", " 1\n`", "``\nDone [he", "re](https://a.b)"):
        pages.feed(piece)
        frames.append(pages.frame())
    pages.flush()
    assert frames == [
        "Look",
        "Look: **im**",
        "Look: **important**",
        "Look: **important**",
        "Look: **important**",
        "Look: **important**\n```py\nx =\n```",
        "Look: **important**\n```py\nx = 1\n```",
        "Look: **important**\n```py\nx = 1\n```\nDone",
        "Look: **important**\n```py\nx = 1\n```\nDone [here](https://a.b)",
    ]
    assert [page.text for page in pages.closed] == [frames[-1]]


@pytest.mark.parametrize("char", [*"`*_~|[<\\\n x", "**a ", "[a](", "```\n", "~~~ \n", "https://*", "e\u0301"])
def test_hostile_text_costs_no_more_with_its_length(char: str) -> None:
    """The work a page takes is bounded; 200,000 characters would otherwise run into the test's time limit."""
    text = char * (200_000 // len(char))
    assert paged(text).joined() == text


def test_a_page_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        Pages(limit=400, first_reserve=200)


def test_a_page_is_sealed_in_the_middle_of_what_is_open() -> None:
    pages = Pages()
    pages.seal()
    pages.feed("A **bold ")
    pages.seal()
    pages.seal()
    pages.feed("word** and\n```py\nx = 1\n")
    pages.seal()
    pages.feed("y = 2\n```\nEnd")
    pages.flush()
    assert [page.text for page in pages.closed] == [
        "A **bold**",
        "**word** and\n```py\nx = 1\n```",
        "```py\ny = 2\n```\nEnd",
    ]


def test_a_page_has_begun_once_there_is_something_to_see() -> None:
    pages = Pages()
    seen = []
    for piece in (" \n", "A", "B", "x" * 1998, "\n" * 70, " \n", "C", " "):
        pages.feed(piece)
        seen.append(pages.begun)
    assert seen == [False, True, True, True, False, False, True, True]
    pages.flush()
    assert not pages.begun


def test_nothing_can_follow_the_end() -> None:
    pages = paged("a")
    pages.flush()
    with pytest.raises(RuntimeError):
        pages.feed("b")
    assert texts("a") == ["a"]
