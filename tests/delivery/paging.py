"""What the tests of pages, tables and frames share."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.delivery.pages import Pages

SIZES = st.sampled_from([(400, 0, 0), (400, 40, 60), (2000, 80, 100)])


def paged(*pieces: str, **sizes: int) -> Pages:
    pages = Pages(**sizes)
    for piece in pieces:
        pages.feed(piece)
    pages.flush()
    return pages
