"""What a file is taken for, by what Discord says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.kinds import Kind, kind_of, largest


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("notes.md", "text/markdown; charset=utf-8", Kind.TEXT),
        ("main.ts", "video/mp2t", Kind.TEXT),
        ("drawing.svg", "image/svg+xml", Kind.TEXT),
        ("Makefile", None, Kind.TEXT),
        ("x.unheard-of", "application/octet-stream", Kind.TEXT),
        ("REPORT.PDF", None, Kind.PDF),
        ("report", "application/pdf", Kind.PDF),
        ("Photo.JPG", None, Kind.IMAGE),
        ("image", "image/webp", Kind.IMAGE),
        ("photo.heic", "image/heic", None),
        ("song.mp3", "audio/mpeg", None),
        ("clip.mp4", "video/mp4", None),
        ("all.zip", "application/zip", None),
        ("letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", None),
    ],
)
def test_a_file_is_taken_for_what_it_is(name: str, content_type: str | None, kind: Kind | None) -> None:
    assert kind_of(name, content_type) is kind


@given(st.text(max_size=20), st.none() | st.text(max_size=20))
def test_no_name_and_no_type_is_too_odd(name: str, content_type: str | None) -> None:
    assert kind_of(name, content_type) in {*Kind, None}


def test_only_the_limit_of_texts_is_the_operators() -> None:
    assert [largest(kind, text=7) for kind in Kind] == [7, 10_485_760, 10_485_760]
