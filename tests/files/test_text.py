"""Texts in the encodings that people's programs save them in."""

from __future__ import annotations

import codecs
import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.apart import Unreadable
from bot.files.text import text_of

from .made import image, pdf

GERMAN = "Die Größe des Gerätes übersteigt die zulässige Höhe.\n"
FRENCH = "L'été dernier, le garçon mangeait des crêpes à la plage.\n"
JAPANESE = "これは日本語のテキストです。ファイルを開いてください。\n"
RUSSIAN = "Это русский текст, чтобы проверить кодировку файла.\n"
CHINESE = "这是一个中文文本,用于测试字符编码检测。\n"
KOREAN = "이것은 한국어 텍스트입니다. 문자 인코딩을 확인합니다.\n"
POLISH = "Zażółć gęślą jaźń. Proszę sprawdzić, czy urządzenie działa.\n"

WRITTEN = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=200)


@given(WRITTEN, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_what_unicode_programs_save_is_read_to_the_letter(text: str, encoding: str) -> None:
    text = text.removeprefix("\ufeff")  # at the beginning it is a mark, not a character

    assert text_of(text.encode(encoding)) == text


@given(WRITTEN)
def test_utf_16_is_read_in_both_byte_orders(text: str) -> None:
    assert text_of(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "latin-1"),
        (GERMAN, "cp1252"),
        ("Größe", "cp1252"),
        ("name;größe;preis €\nTür;3;5 €\n", "cp1252"),
        ("# Größe in mm\nfor i in range(10):\n    print('Höhe', i)\n", "latin-1"),
        (FRENCH, "cp1252"),
        (JAPANESE, "shift_jis"),
        ("// 初期化\nint main() { return 0; } // 終了\n", "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("日本語", "shift_jis"),
        ("El niño comió una piña en la montaña. ¿Qué pasó?\n", "cp1252"),
        ("Blåbærsyltetøy er godt på brød.\n", "latin-1"),
        ("/* Copyright © 2010 Foo Inc. */\nint main(void) { return 0; }\n", "latin-1"),
        ("temperature;23 °C\n", "latin-1"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (CHINESE, "gb18030"),
        (JAPANESE, "iso2022_jp"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        ("Name;Price\r\nDoor;3 €\r\n", "utf-16-le"),
        (KOREAN, "cp949"),
        (POLISH, "cp1250"),
    ],
)
def test_older_encodings_are_recognised(text: str, encoding: str) -> None:
    assert text_of(text.encode(encoding)) == text


def test_a_log_with_colours_and_a_bell_is_a_text() -> None:
    log = "\x1b[31mERROR\x1b[0m disk full\a\n" * 3

    assert text_of(log.encode()) == log


@pytest.mark.parametrize(
    "data",
    [
        image(),
        image("JPEG"),
        gzip.compress(GERMAN.encode() * 50, mtime=0),
        b"PK\x03\x04",
        b"\x7fELF\x02\x01\x01" + bytes(40),
        b"half a text\0half a program",
        codecs.BOM_UTF16_LE + b"\x00\xd8x",
    ],
    ids=["png", "jpeg", "gzip", "zip", "program", "nul", "broken utf-16"],
)
def test_binary_files_are_no_text(data: bytes) -> None:
    with pytest.raises(Unreadable, match="is not a text that I can read"):
        text_of(data)


def test_a_pdf_that_is_called_a_text_is_at_least_read_as_what_it_says() -> None:
    assert text_of(pdf("Hello")).startswith("%PDF-1.4\n")


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_text_without_nul_or_refused(data: bytes) -> None:
    with suppress(Unreadable):
        assert "\0" not in text_of(data)
