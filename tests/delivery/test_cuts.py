import pytest

from bot.delivery.pages import LIMIT, Pages
from bot.delivery.text import units


def texts(text: str) -> list[str]:
    pages = Pages()
    pages.feed(text)
    pages.flush()
    return [page.text for page in pages.closed]


@pytest.mark.parametrize(
    ("separator", "end"),
    [("\n\n", "paragraph\nwith. words"), ("\n", "line. with words"), (". ", "sentence with words."), (" ", "word")],
)
def test_a_page_ends_at_the_best_place_of_its_second_half(separator: str, end: str) -> None:
    first = "x" * 1200 + " " + end.removesuffix(".")
    assert texts(first + separator + "y" * 1500)[0] == "x" * 1200 + " " + end


@pytest.mark.parametrize("start", ["- ", "# ", "> ", "1. ", "* "])
def test_a_page_does_not_begin_with_what_would_become_a_list_or_a_heading(start: str) -> None:
    text = "word " * 397 + "last " + start + "more " * 100
    assert not texts(text)[1].startswith(start)


def test_a_page_is_not_left_short_for_a_better_place() -> None:
    assert units(texts("Short.\n\n" + "word " * 600)[0]) > LIMIT - 10


def test_a_code_block_moves_to_the_next_page_rather_than_being_torn() -> None:
    block = "```py\n" + "x = 1\n" * 200 + "```"
    assert texts("word " * 250 + "\n\n" + block) == [("word " * 250).strip(), block]


def test_a_joint_is_rather_made_where_nothing_is_open() -> None:
    text = "word " * 300 + "**" + "bold " * 120 + "end** after"
    assert texts(text) == [("word " * 300).strip(), "**" + "bold " * 120 + "end** after"]
