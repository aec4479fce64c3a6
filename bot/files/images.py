"""An image as every model can take it. Run as a process, see `bot.files.apart`: an image in, a JPEG out.

Ollama hands models what it gets, and its versions differ: not all take GIF or WebP, none turns a photograph as its
camera held it, and a picture too small or too narrow ends the process of some models (Qwen2.5-VL in 0.9.3). So what
goes out is always the same: a JPEG of the first frame, upright, on white, of at most a megapixel, without the camera's
notes of time and place.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageOps

from bot.files.apart import Unreadable, serve

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_PIXELS = 50_000_000
"""What today's telephones take; each needs four bytes of memory here."""
SENT_PIXELS = 1024 * 1024
"""Models see little more, and what one costs of the context window grows with it."""
LONGEST_SIDE = 2048
SHORTEST_SIDE = 32
"""Models look at squares of 14 to 32 pixels; below that there is not one. It also keeps the form below 200 to 1."""
_QUALITY = 90


def jpeg_of(data: bytes) -> bytes:
    """The image, or an animation's first frame, as a JPEG. Raises Unreadable."""
    try:
        return _jpeg_of(data)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable("is damaged, or not an image at all") from error


def _jpeg_of(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width} by {height} pixels, and at most {MAX_PIXELS // 10**6} million in all are read")
    scale = min(1, math.sqrt(SENT_PIXELS / (width * height)), LONGEST_SIDE / max(width, height))
    size = (round(width * scale), round(height * scale))
    if min(size) < SHORTEST_SIDE:
        raise Unreadable(f"has {width} by {height} pixels, which is too small or too narrow to see anything")
    image.draft("RGB", size)  # where a JPEG is much larger, only a part of it needs decoding
    picture = image.convert("RGBA").resize(size, Image.Resampling.LANCZOS, reducing_gap=2)
    upright = ImageOps.exif_transpose(picture)
    white = Image.new("RGBA", upright.size, "white")
    out = io.BytesIO()
    Image.alpha_composite(white, upright).convert("RGB").save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    serve(jpeg_of)
