"""PDFs: their text, and what is said where there is none to be had."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.apart import Unreadable
from bot.files.pdf import MAX_PAGES, text_of

from .made import locked, pdf

PLENTY = 100_000


def test_each_page_stands_below_its_number() -> None:
    assert text_of(pdf("Hello", "", "Größe"), PLENTY) == "[page 1]\nHello\n\n[page 2: no text]\n\n[page 3]\nGröße"


def test_a_pdf_that_is_only_locked_against_changes_is_read() -> None:
    assert text_of(locked(pdf("Hello"), password=""), PLENTY) == "[page 1]\nHello"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (locked(pdf("Hello"), password="secret"), "is locked with a password; please send it without one"),
        (pdf("", ""), "has no text in it: its pages are pictures. Please send them as images, or a PDF with text"),
        (pdf(*[""] * (MAX_PAGES + 1)), "has 301 pages, and at most 300 are read"),
        (b"", "is damaged, or not a PDF at all"),
        (b"Hello", "is damaged, or not a PDF at all"),
    ],
    ids=["password", "scan", "too many pages", "empty", "no pdf"],
)
def test_why_a_pdf_is_not_read_is_one_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        text_of(data, PLENTY)

    assert str(refusal.value) == reason


def test_more_text_than_a_text_file_may_have_is_refused() -> None:
    with pytest.raises(Unreadable, match="has too much text: more than the 100 Bytes that are allowed"):
        text_of(pdf(*["Hello, world"] * 5), 100)


@pytest.mark.filterwarnings("ignore")
@given(st.integers(0, 900), st.binary(min_size=1, max_size=20))
def test_a_damaged_pdf_is_read_or_refused_and_nothing_else(place: int, damage: bytes) -> None:
    data = pdf("Hello", "world")
    with suppress(Unreadable):
        assert text_of(data[:place] + damage + data[place + len(damage) :], PLENTY).startswith("[page 1")
