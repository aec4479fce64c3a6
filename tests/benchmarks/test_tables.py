"""A table may be set in columns; whatever else is done to it is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.matching import Shown, is_whole, match_page, match_pages
from benchmarks.replay import Frame, Verdict, replay
from benchmarks.tables import tables
from benchmarks.text import compose

BEFORE, AFTER = "Some text:", "More text.\n\nThe end."
TABLE = "| Name | Size of it |\n| --- | ---: |\n| foo | twelve |\n| bar baz | one |"
TRUTH = f"{BEFORE}\n\n{TABLE}\n\n{AFTER}"
HEAD, RULE, FIRST, LAST = "Name     Size of it", "-------  ----------", "foo          twelve", "bar baz         one"
COLUMNS = f"```\n{HEAD}\n{RULE}\n{FIRST}\n{LAST}\n```"


def upto(part: str) -> int:
    """Where the first occurrence of a part of the truth ends."""
    return TRUTH.index(part) + len(part)


def framed(*lines: str) -> str:
    """A message with some lines of the table in a code block."""
    return "\n".join([f"{BEFORE}\n", "```", *lines, "```"])


def in_columns(text: str) -> str:
    """A text with all its tables set in columns."""
    for table in reversed(tables(text)):
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in text[table.start : table.end].split("\n")
        ]
        cells = [rows[0], *rows[2:]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        text = text[: table.start] + "\n".join(["```", *lines, "```"]) + text[table.end :]
    return text


def test_a_table_is_known_by_its_words() -> None:
    [table] = tables(TRUTH)
    assert TRUTH[table.start : table.end] == TABLE
    assert " ".join(TRUTH[start:end] for start, end in table.words) == "Name Size of it foo twelve bar baz one"
    assert tables("a | b\n\n| no rule |\n| follows |") == ()


@pytest.mark.parametrize(
    "shown",
    [
        TABLE,
        COLUMNS,
        COLUMNS.replace("  ", " │ ").replace("-", "─"),
        COLUMNS.replace("```\n", "```text\n", 1),
        "```\n+---+\n| Name | Size of it |\n+===+\n| foo | twelve |\n| bar baz | one |\n+---+\n```",
    ],
)
@pytest.mark.parametrize("joint", ["\n", "\n\n"])
def test_pipes_and_columns_show_the_same_table(shown: str, joint: str) -> None:
    if shown == TABLE:
        joint = "\n\n"
    body = f"{BEFORE}{joint}{shown}{joint}{AFTER}"
    assert is_whole(match_page(body, TRUTH, 0), TRUTH)


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (BEFORE, upto("text:")),
        (f"{BEFORE}\n\n| Name | Si", upto("| Si")),
        (framed(HEAD, RULE), upto("of it")),
        (framed(HEAD, RULE, FIRST), upto("twelve")),
        (framed(HEAD, RULE, FIRST, "bar ba"), upto("bar ba")),
        (framed(HEAD, RULE, FIRST, LAST), upto(TABLE)),
        (f"{BEFORE}\n\n{COLUMNS}\n\nMore te", upto("More te")),
    ],
)
def test_a_frame_may_show_a_part_of_a_table(body: str, end: int) -> None:
    assert match_page(body, TRUTH, 0) == Shown(end, exact=True)


@pytest.mark.parametrize(
    "pages",
    [
        [f"{BEFORE}\n\n{TABLE[:30]}", f"{TABLE[30:]}\n\n{AFTER}"],
        [BEFORE, f"{COLUMNS}\n\n{AFTER}"],
        [framed(HEAD, RULE, FIRST), f"```\n{LAST}\n```\n\n{AFTER}"],
        [framed(HEAD, RULE, FIRST, LAST), AFTER],
        [framed(HEAD, RULE), f"```text\n{FIRST}\n{LAST}\n```\n\n{AFTER}"],
    ],
)
def test_a_table_may_be_cut_between_two_pages(pages: list[str]) -> None:
    assert is_whole(match_pages(pages, TRUTH), TRUTH)


@pytest.mark.parametrize(
    "table",
    [
        framed(HEAD, RULE, LAST),  # a row is lost
        framed(HEAD, RULE, FIRST, FIRST, LAST),  # doubled
        framed(HEAD, RULE, LAST, FIRST),  # swapped
        framed(HEAD, RULE, FIRST, "baz bar         one"),  # swapped in a cell
        framed(HEAD, RULE, FIRST, "bar baz     one two"),  # foreign
        framed(HEAD, RULE, FIRST, "barbaz         one"),  # run together
        framed(HEAD, RULE, FIRST, "bar baz         on"),  # cut short
        framed(HEAD, RULE, FIRST, "bar baz         **one**"),  # marked up where it can't be
        framed(HEAD, RULE, FIRST, LAST).replace("```", "", 1).replace("\n```", ""),  # columns without a code block
        framed(HEAD, RULE, FIRST, LAST).removesuffix("```"),  # the text after it is shown as code
        framed(HEAD, RULE, FIRST, LAST, "```", LAST, "```"),  # and again
    ],
)
def test_what_is_wrong_in_a_table_is_found(table: str) -> None:
    assert not is_whole(match_page(f"{table}\n\n{AFTER}", TRUTH, 0), TRUTH)


@pytest.mark.parametrize("next_page", [[HEAD, RULE, LAST], [HEAD, LAST]])
def test_a_page_that_goes_on_in_a_table_may_begin_with_its_header_again(next_page: list[str]) -> None:
    pages = [framed(HEAD, RULE, FIRST), "\n".join(["```", *next_page, "```"]) + f"\n\n{AFTER}"]
    assert is_whole(match_pages(pages, TRUTH), TRUTH)


@pytest.mark.parametrize(
    ("first", "next_page"),
    [
        ([HEAD, RULE, FIRST], [HEAD, RULE, HEAD, LAST]),
        ([HEAD, RULE, FIRST], ["Size of it  Name", RULE, LAST]),
        ([HEAD, RULE, FIRST], [LAST, HEAD]),
        ([HEAD, RULE, HEAD, FIRST], [LAST]),
        ([HEAD, RULE, FIRST], [HEAD, RULE, FIRST, LAST]),
        ([HEAD, RULE, FIRST, LAST], [HEAD, RULE]),
    ],
)
def test_a_header_stands_nowhere_else_again(first: list[str], next_page: list[str]) -> None:
    pages = [framed(*first), "\n".join(["```", *next_page, "```"]) + f"\n\n{AFTER}"]
    assert not match_pages(pages, TRUTH).exact


def test_text_that_is_no_table_may_not_be_set_in_code() -> None:
    assert not match_page("Some\n```\ntext:\n```", TRUTH, 0).exact


@given(st.integers(0, 200), st.integers(300, 900))
def test_every_answer_may_show_its_tables_in_columns(number: int, count: int) -> None:
    truth = compose(number, count).text
    assert is_whole(match_pages([in_columns(truth)], truth), truth)


@given(st.integers(0, 200), st.data())
def test_a_frame_with_some_rows_shows_these_rows(number: int, data: st.DataObject) -> None:
    truth = compose(number, 400).text
    [table] = tables(truth)
    lines = truth[table.start : table.end].split("\n")
    end = table.start + len("\n".join(lines[: data.draw(st.integers(3, len(lines)))]))
    shown = match_pages([in_columns(truth[:end])], truth)
    assert shown.exact
    assert end - len(" |") <= shown.end <= end


@given(st.integers(0, 200), st.data())
def test_the_words_of_a_table_count_like_all_others(number: int, data: st.DataObject) -> None:
    answer = compose(number, 400)
    shown = in_columns(answer.text)
    words = [answer.text[start:end] for start, end in tables(answer.text)[0].words]
    gone, kept = data.draw(st.permutations(words).map(lambda drawn: drawn[:2]))

    def verdict(body: str) -> Verdict:
        return replay([Frame(0.0, 1, body)], answer).verdict

    assert verdict(shown) == Verdict()
    assert verdict(shown.replace(gone, "", 1)) == Verdict(lost=1)
    twice = verdict(shown.replace(gone, kept, 1))
    assert (twice.lost, twice.doubled) == (1, 1)
    swapped = shown.replace(gone, "?", 1).replace(kept, gone, 1).replace("?", kept, 1)
    assert verdict(swapped).reordered > 0


def test_what_looks_like_a_table_inside_of_code_is_read_to_the_letter() -> None:
    truth = f"```python\nname = 1\n{TRUTH}\n```python\n{TRUTH}\n```"

    assert match_page(truth, truth, 0) == Shown(len(truth), exact=True)
