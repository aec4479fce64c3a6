"""Files as people's programs make them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from pypdf import PdfReader, PdfWriter


def pdf(*pages: str) -> bytes:
    """A PDF by hand, a page for each text; one of Latin letters only, in one line. An empty page shows nothing."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, text in enumerate(pages):
        shown = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /Contents {5 + 2 * index} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        ]
    return _file(objects)


def _file(objects: Sequence[str]) -> bytes:
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size, start = len(objects) + 1, len(data)
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return data + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def locked(data: bytes, *, password: str) -> bytes:
    """The PDF encrypted; where the password is empty, everybody can read it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def image(kind: str = "PNG", *, size: tuple[int, int] = (64, 48), mode: str = "RGB", colour: str = "red") -> bytes:
    """An image of one colour, as PNG, JPEG, WEBP or GIF."""
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind)
    return out.getvalue()


def animation(*colours: str) -> bytes:
    """A GIF with a frame for each colour."""
    first, *others = (Image.new("RGB", (64, 48), colour) for colour in colours)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=100)
    return out.getvalue()


def photograph(orientation: int) -> bytes:
    """A JPEG with red on its left half and blue on its right, and a note of how the camera was held."""
    picture = Image.new("RGB", (64, 64), "red")
    picture.paste("blue", (32, 0, 64, 64))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Alice"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()
