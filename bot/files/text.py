"""The text of a file, in whatever encoding it was saved."""

from __future__ import annotations

import codecs
import unicodedata

from charset_normalizer import CharsetMatch, from_bytes

from bot.files.apart import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the one of UTF-16, so it stands before it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL = [
    # What people's programs really save, the commonest first: many a text fits two of them equally well, and a short
    # one would fit a wrong one among all those that Python knows.
    "cp1252",
    "cp932",
    "gb18030",
    "euc_jp",
    "big5",
    "cp949",
    "cp1250",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
]
_HIGHEST_CHAOS = 0.6
"""How odd a text may look, 0 to 1: few accented letters in a short text look odd in every encoding."""
_JAPANESE = (b"\x1b$B", b"\x1b$@")
"""What switches to Japanese characters in ISO-2022-JP, the encoding of mail."""
_LEAST_ZEROS = 0.25
"""The part of an unmarked UTF-16 text's bytes that is zero at least."""
_CONTROLS_IN_TEXT = frozenset("\t\n\r\f\v\a\b\x1b")
_MOST_CONTROLS = 0.01
"""The part of a text's characters that may be control characters; logs have some, programs and archives many."""


def text_of(data: bytes) -> str:
    """The text, without a byte order mark. Raises Unreadable for what is no text."""
    text = _decoded(data)
    if text is None or not _looks_like_text(text):
        raise Unreadable("is not a text that I can read; it may be a program, an archive or another binary file")
    return text


def _decoded(data: bytes) -> str | None:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None) or _unmarked(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        matches = from_bytes(data, cp_isolation=_USUAL, threshold=_HIGHEST_CHAOS)
        best = min(matches, key=_unlikeliness, default=None)
        return None if best is None else str(best)


def _unmarked(data: bytes) -> str:
    """What a text without a mark may be that would also pass for UTF-8: its bytes are all ASCII."""
    if any(start in data for start in _JAPANESE):
        return "iso2022_jp"
    zeros = data[::2].count(0), data[1::2].count(0)
    # Half of what is written in Latin letters is zeros then, all of them on the same side; programs have some on both.
    if max(zeros) >= _LEAST_ZEROS * len(data) and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return "utf-8"


def _unlikeliness(match: CharsetMatch) -> tuple[float, float, int]:
    # A match stands for every encoding in which the bytes are the same text.
    return round(match.chaos, 2), -match.coherence, min(map(_USUAL.index, match.could_be_from_charset))


def _looks_like_text(text: str) -> bool:
    controls = sum(unicodedata.category(it) == "Cc" and it not in _CONTROLS_IN_TEXT for it in text)
    return "\0" not in text and controls <= _MOST_CONTROLS * len(text)
