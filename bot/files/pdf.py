"""The text of a PDF, page by page. Run as a process, see `bot.files.apart`: a PDF in, UTF-8 text out."""

from __future__ import annotations

import io
import sys

import humanize
from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from bot.files.apart import Unreadable, serve

MAX_PAGES = 300

_LOCKED = "is locked with a password; please send it without one"
_NO_TEXT = "has no text in it: its pages are pictures. Please send them as images, or a PDF with text"
_DAMAGED = "is damaged, or not a PDF at all"


def text_of(data: bytes, max_bytes: int) -> str:
    """Every page's text below its number. Raises Unreadable, also for more than `max_bytes` of text in UTF-8."""
    try:
        return _text_of(data, max_bytes)
    except (FileNotDecryptedError, DependencyError) as error:
        raise Unreadable(_LOCKED) from error
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(_DAMAGED) from error


def _text_of(data: bytes, max_bytes: int) -> str:
    reader = PdfReader(io.BytesIO(data))
    # Many are encrypted with an empty password, only so that they can't be changed.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(_LOCKED)
    count = len(reader.pages)
    if count > MAX_PAGES:
        raise Unreadable(f"has {count:,} pages, and at most {MAX_PAGES} are read")
    pages: list[str] = []
    has_text, size = False, 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text().strip()
        pages.append(f"[page {number}]\n{text}" if text else f"[page {number}: no text]")
        has_text = has_text or bool(text)
        size += len(pages[-1].encode("utf-8", "replace"))
        if size > max_bytes:
            raise Unreadable(f"has too much text: more than the {humanize.naturalsize(max_bytes)} that are allowed")
    if not has_text:
        raise Unreadable(_NO_TEXT)
    return "\n\n".join(pages)


if __name__ == "__main__":
    serve(lambda data: text_of(data, int(sys.argv[1])).encode("utf-8", "replace"))
