import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import width

from bot.delivery.markdown import Scan
from bot.delivery.pages import Pages
from bot.delivery.text import units
from tests.delivery.paging import SIZES, paged

WORDS = ["a", "of", "words", "中文字", "👩‍💻", "é", "x" * 50, "-", "42", "`b`", "**c d**", "[e](https://f.g)", "h\\|i"]
CELL = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
PROSE = st.lists(st.sampled_from(["Some words. ", "**bold** ", "\n", "- item\n", "x" * 90 + " "]), max_size=20).map(
    "".join
)
light = settings(max_examples=150, deadline=None)


def shown(text: str) -> str:
    return "\n".join(page.text for page in paged(text).closed)


def frames(text: str) -> list[str]:
    """What a reader sees of a text that comes by the character, each state once."""
    pages = Pages()
    seen = [""]
    for char in text:
        pages.feed(char)
        if (frame := pages.frame()) != seen[-1]:
            seen.append(frame)
    return seen[1:]


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    columns = draw(st.integers(1, 5))
    title = st.lists(st.sampled_from([word for word in WORDS if len(word) < 20]), max_size=3).map(" ".join)
    header = draw(
        st.lists(title, min_size=columns, max_size=columns).filter(lambda cells: len(" | ".join(cells)) < 240)
    )
    return [header, *draw(st.lists(st.lists(CELL, min_size=columns, max_size=columns), max_size=30))]


def source(table: list[list[str]]) -> str:
    header, *rows = ["| " + " | ".join(row) + " |\n" for row in table]
    return header + "|" + "---|" * len(table[0]) + "\n" + "".join(rows)


def read(cell: str) -> str:
    """What a cell of `WORDS` reads as, found out in a simple way."""
    for written, meant in {"`b`": "b", "**": "", "[e](https://f.g)": "e (https://f.g)", "\\|": "|"}.items():
        cell = cell.replace(written, meant)
    return cell


def test_a_table_becomes_a_code_block_with_aligned_columns() -> None:
    rows = "| **llama** | 4.7 GB | [a](https://b.c) |\n| 中文 | 10 |\n"
    text = "Look:\n\n| Model | Size | `x` |\n|:--|--:|:-:|\n" + rows + "\nEnd."
    assert shown(text) == (
        "Look:\n\n"
        "```\n"
        "Model |   Size |        x\n"
        "------+--------+----------------\n"
        "llama | 4.7 GB | a (https://b.c)\n"
        "中文  |     10 |\n"
        "```\n\n"
        "End."
    )


@pytest.mark.parametrize(
    "text",
    [
        "a | b in prose\nand no more",
        "| a lone line |\n\n|---|",
        "| a | b |\n|---|\n| c | d |",
        "| a | b |\n|---|---|---|",
        "| a | b |\n|-x-|---|",
        "a\n---\nb",
        "| a | b |\n\n|---|---|",
        "- item\n  | a | b |\n  |---|---|\n  | 1 | 2 |",
        "- a | b\n--|--",
        "> | a | b |\n> |---|---|",
        "> a | b\n--|--",
        "x\n\n    | a | b |\n    |---|---|",
        "# a | b\n--|--",
        "```\n| a | b |\n|---|---|\n```",
        "Text ```md\n| a | b |\n|---|---|\n| 1 | 2 |\n```",
        "~~~\n| a | b |\n|---|---|\n~~~",
        "a `stray\n| a | b |\n|---|---|\n| 1 | 2 |",
        "| " + "a" * 500 + " | b |\n|---|---|",
        "a" * 90 + " | b |\n|---|---|",
        "||a|| said\n|---|---|",
    ],
)
def test_what_is_no_table_of_its_own_is_left_alone(text: str) -> None:
    assert shown(text) == text
    assert paged(*text).closed == paged(text).closed


@pytest.mark.parametrize(
    "text",
    [
        "a|b\n-|-\n1|2",
        "| a | b\n--- | ---\n 1 | 2 |",
        "|a|b|\r\n|---|---|\r\n|1|2|\r\n",
        "  \n| a | b |\n |:-|-|  \n   | 1 | 2 |",
        "| a | **b** |\n|---|---|\n| 1 | 2 | |",
    ],
)
def test_a_table_may_be_written_in_many_ways(text: str) -> None:
    assert shown(text) == "```\na | b\n--+--\n1 | 2\n```"


@pytest.mark.parametrize("after", ["", "\n", "Prose.", "- a | b", "> a | b", "# a | b", "```\nx | y\n```", "    a | b"])
def test_a_table_ends_before_what_is_no_row(after: str) -> None:
    text = "a|b\n-|-\n1|2\n" + after
    assert shown(text) == ("```\na | b\n--+--\n1 | 2\n```\n" + after).strip()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("**bold** and *it* and ***both***", "bold and it and both"),
        ("__under__ _it_ ~~gone~~", "under it gone"),
        ("`code` and ``a`b``", "code and a`b"),
        ("`**not bold**`", "**not bold**"),
        ("[**text**](https://a.b/c_(d)_e)", "text (https://a.b/c_(d)_e)"),
        ('[text](<https://a.b> "title")', "text (https://a.b)"),
        ("<https://a.b/_c_> https://a.b/_c_", "https://a.b/_c_ https://a.b/_c_"),
        ("snake_case_name 2 * 3 * 4 2**10", "snake_case_name 2 * 3 * 4 2**10"),
        (r"a \| b `c\|d` \*e\*", "a | b c|d *e*"),
        ("one<br>two<br/>three", "one / two / three"),
        ("**half [open](http", "**half [open](http"),
        ("```", "`\u200b`\u200b`"),
    ],
)
def test_a_cell_shows_what_its_markdown_reads_as(cell: str, expected: str) -> None:
    assert shown(f"| H | I |\n|---|---|\n| {cell} | end |\n").split("\n")[3] == f"{expected} | end"


def test_a_cell_too_many_belongs_to_the_last_one() -> None:
    assert "\na | x | y\n" in shown("| H | I |\n|---|---|\n| a | `x | y` |")


def test_only_the_row_with_a_very_long_cell_sticks_out() -> None:
    lines = shown("| H | I |\n|---|---|\n| a | 1 |\n| " + "long " * 20 + "| 2 |\n| bc | 3 |").split("\n")
    assert lines[1:4] == ["H  | I", "---+--", "a  | 1"]
    assert lines[4:6] == ["long " * 20 + "| 2", "bc | 3"]


def test_many_columns_do_not_make_a_row_longer_than_its_words_by_much() -> None:
    row = "|" + "a|" * 100 + "\n"
    wide = "|" + ("b" * 30 + "|") * 100 + "\n"
    assert max(map(len, shown(row + "|" + "-|" * 100 + "\n" + row + wide).split("\n")[:4])) < 600


def test_a_table_appears_while_it_is_written() -> None:
    assert frames("Hi\n| a | b |\n|-|--:|\n| one | 2 |\n\nx") == [
        "H",
        "Hi",
        "Hi\n|",
        "Hi\n| a",
        "Hi\n| a |",
        "Hi\n| a | b",
        "Hi\n| a | b |",
        "Hi\n```\na | b\n--+--\n```",
        "Hi\n```\na | b\n--+--\no\n```",
        "Hi\n```\na | b\n--+--\non\n```",
        "Hi\n```\na | b\n--+--\none\n```",
        "Hi\n```\na   | b\n----+--\none | 2\n```",
        "Hi\n```\na   | b\n----+--\none | 2\n```\n\nx",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| **bo", "bo"),
        ("| a `co", "a co"),
        ("| a \\", "a"),
        ("| a [link](https://b", "a"),
        ("| a | 中", "a | 中"),
        ("| " + "wide " * 7, ("wide " * 7).strip()),
    ],
)
def test_a_half_cell_is_shown_as_it_will_read(row: str, expected: str) -> None:
    assert frames(f"| H | I |\n|---|---|\n{row}")[-1] == f"```\nH | I\n--+--\n{expected}\n```"


def test_a_sentence_right_after_a_table_is_shown_below_it_at_once() -> None:
    table = "```\na | b\n--+--\n1 | 2\n```"
    assert frames("a|b\n-|-\n1|2\nEnd.")[-4:] == [f"{table}\n{end}" for end in ("E", "En", "End", "End.")]


def test_a_line_of_code_that_begins_with_a_pipe_is_shown_at_once() -> None:
    assert frames("```hs\nf x\n | x")[-1] == "```hs\nf x\n | x\n```"
    assert frames("```\n| x > 0 = 1")[-1] == "```\n| x > 0 = 1\n```"


def test_a_page_ends_as_soon_as_the_row_cannot_fit() -> None:
    """Its text would otherwise be hidden until the row is complete."""
    pages = Pages()
    pages.feed("| a | b |\n|---|---|\n" + "| name | value |\n" * 138 + "| more | ")
    for word in ["word"] * 60:
        pages.feed(word + " ")
        assert pages.frame().count("word") + sum(page.text.count("word") for page in pages.closed)
    assert [page.text.count("word") for page in pages.closed] == [0]
    assert pages.frame().count("word") == 60


def test_a_header_without_an_outer_pipe_changes_its_form_once() -> None:
    forms = ["```" in frame for frame in frames("a | b\n--|--\n1 | 2\n")]
    assert sum(before != after for before, after in pairwise(forms)) == 1
    assert next(frame for frame in frames("a | b\n--- no table") if "---" in frame) == "a | b\n--- n"


def test_the_header_stands_above_each_part_of_a_long_table() -> None:
    pages = paged("| Name | Value |\n|---|---|\n" + "".join(f"| row {n} | {n} |\n" for n in range(600)))
    assert len(pages.closed) > 4
    assert all(re.match(r"```\nName +\| Value\n-+\+-+\nrow", page.text) for page in pages.closed)
    assert all(units(page.text) > 1900 for page in pages.closed[:-1])


def test_a_row_longer_than_a_page_is_cut_like_any_text() -> None:
    text = "| a | b |\n|---|---|\n| 1 | " + "word " * 600 + "|\n| 2 | after |\n"
    pages = paged(text)
    assert pages.joined() == text
    assert sum(page.text.count("word") for page in pages.closed) == 600
    assert "\n2 | after\n" in pages.closed[-1].text


@light
@given(PROSE, tables(), PROSE, SIZES)
def test_every_cell_is_shown_in_order_and_no_row_is_torn(
    before: str, table: list[list[str]], after: str, size: tuple[int, int, int]
) -> None:
    limit, first, last = size
    text = before + "\n\n" + source(table) + "\n" + after
    pages = paged(text, limit=limit, first_reserve=first, last_reserve=last)
    assert pages.joined() == text
    lines = [" ".join(line.split()) for page in pages.closed for line in page.text.split("\n")]
    seen = 0
    for row in table:
        line = " | ".join(map(read, row)).rstrip("| ")
        if units(shown(source([table[0], row]))) + len("||") > limit - first - last:
            continue  # longer than a page below the header
        found = [n for n, shown in enumerate(lines[seen:], seen) if shown.rstrip("| ") == " ".join(line.split())]
        assert found
        seen = found[0] + bool(line)


@light
@given(PROSE, tables(), st.integers(1, 9))
def test_every_frame_shows_the_rows_so_far_and_what_is_begun_of_the_next_in_a_closed_block(
    before: str, table: list[list[str]], step: int
) -> None:
    text = before + "\n\n" + source(table)
    pages = Pages()
    for start in range(0, len(text), step):
        pages.feed(text[start : start + step])
        frame = pages.frame()
        assert not Scan(frame, complete=True).final
        rows = text[: start + step].count("\n", len(before) + 2) - 1
        if pages.closed or rows < 1:
            continue
        lines = frame.rpartition("\n```")[0].rpartition("```\n")[2].split("\n")
        begun = bool(text[: start + step].rpartition("\n")[2].strip("| "))
        assert rows + 1 <= len(lines) <= rows + 1 + begun or not "".join(table[0]).strip()
        del lines[rows + 1 :]
        rule = lines[1] if len(lines) == rows + 1 else lines[0]
        short = [line for line in lines if width(line) <= len(rule) and "x" * 41 not in line]
        for joint in (place for place, char in enumerate(rule) if char == "+"):
            assert all(wide_index(line, joint) in {"|", "+", ""} for line in short)


def wide_index(line: str, column: int) -> str:
    """Return the character in a column of a screen."""
    return next((char for place, char in enumerate(line) if width(line[:place]) == column and char in "|+"), "")


@light
@given(st.lists(st.lists(st.text("`*_~|[]()<>\\ ab", max_size=30), min_size=2, max_size=2), max_size=8))
def test_no_cell_breaks_out_of_the_block(rows: list[list[str]]) -> None:
    pages = paged("| a | b |\n|---|---|\n" + "".join(f"| {left} | {right} |\n" for left, right in rows) + "\nEnd.")
    (page,) = pages.closed
    assert page.text.count("```") == 2
    assert page.text.endswith("\n```\n\nEnd.")


def test_the_page_has_begun_while_a_table_is_collected() -> None:
    pages = Pages()
    seen = []
    for piece in (" \n\n", "| a | b |\n|--", "|--|\n"):
        pages.feed(piece)
        seen.append((pages.begun, pages.frame()))
    assert seen == [(False, ""), (True, "| a | b |"), (True, "```\na | b\n--+--\n```")]
    pages.flush()
    assert not pages.begun


def test_a_table_that_is_sealed_goes_on_below_its_header_with_the_row_that_was_begun() -> None:
    pages = Pages()
    pages.feed("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |")
    pages.seal()
    assert [page.text for page in pages.closed] == ["```\na | b\n--+--\n1 | 2\n```"]
    assert pages.frame() == "```\na | b\n--+--\n3\n```"
    pages.feed(" 4 |\n")
    pages.flush()
    assert [page.text for page in pages.closed][1:] == ["```\na | b\n--+--\n3 | 4\n```"]


def test_a_row_alone_on_a_page_that_is_sealed_goes_on_as_text() -> None:
    pages = Pages()
    for piece in ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |", " 4"):
        pages.feed(piece)
        pages.seal()
    pages.feed(" |\n| 5 | 6 |")
    pages.flush()
    assert [page.text for page in pages.closed][1:] == [
        "```\na | b\n--+--\n3 | 4\n```",
        "|\n```\na | b\n--+--\n5 | 6\n```",
    ]
    assert pages.joined() == "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |"


@pytest.mark.parametrize(
    "text",
    ["a|b\n-|-\n", "a|b\n-|-\n\n", "a|b\n-|-\n" + "1|2\n" * 2000, "```\n" + "a|b\n-|-\n" * 2000, "a|", "|\n", "|-"],
)
def test_hostile_tables_cost_no_more_with_their_length(text: str) -> None:
    """The work a page takes is bounded; 200,000 characters would otherwise run into the test's time limit."""
    text *= 200_000 // len(text)
    assert paged(text).joined() == text
    pages = paged(*text[:20_000])
    assert pages.joined() == text[:20_000]
