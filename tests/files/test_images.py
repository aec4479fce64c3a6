"""Images: whatever comes, what goes to the model is an upright JPEG of a bounded size."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.files.apart import Unreadable
from bot.files.images import LONGEST_SIDE, SENT_PIXELS, jpeg_of

from .made import animation, image, photograph

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg), formats=["JPEG"]).convert("RGB")


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    """Whether they look the same; a JPEG is never exact."""
    assert isinstance(pixel, tuple)
    return all(abs(one - other) < 16 for one, other in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_kind_becomes_a_jpeg_of_the_same_picture(kind: str) -> None:
    sent = opened(jpeg_of(image(kind)))

    assert sent.size == (64, 48)
    assert near(sent.getpixel((30, 20)), RED)


def test_of_an_animation_the_first_frame_is_sent() -> None:
    assert near(opened(jpeg_of(animation("red", "blue"))).getpixel((30, 20)), RED)


def test_what_is_transparent_is_white() -> None:
    assert near(opened(jpeg_of(image(mode="RGBA", colour="#00000000"))).getpixel((30, 20)), WHITE)


def test_a_photograph_stands_upright_and_says_nothing_of_its_camera() -> None:
    jpeg = jpeg_of(photograph(orientation=6))  # the camera lay on its side: the left of the file is the top

    assert near(opened(jpeg).getpixel((32, 8)), RED)
    assert near(opened(jpeg).getpixel((32, 56)), BLUE)
    assert b"Camera" not in jpeg


@settings(deadline=None, max_examples=30)
@given(st.integers(32, 4000), st.integers(32, 4000))
def test_no_image_is_sent_larger_than_models_can_see(width: int, height: int) -> None:
    try:
        sent = opened(jpeg_of(image(size=(width, height), mode="L", colour="white")))
    except Unreadable:
        assert max(width, height) / min(width, height) > 60
        return

    assert sent.width * sent.height <= SENT_PIXELS * 1.01
    assert max(sent.size) <= LONGEST_SIDE
    # Half a pixel of rounding at each side of a narrow picture is all that its form may lose.
    assert abs(sent.width / width * height - sent.height) <= max(1, 0.5 * height / width, 0.5 * width / height)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (image(size=(16, 16)), "has 16 by 16 pixels, which is too small or too narrow to see anything"),
        (image(size=(4000, 40)), "has 4000 by 40 pixels, which is too small or too narrow to see anything"),
        (image(size=(8000, 8000), mode="1"), "has 8000 by 8000 pixels, and at most 50 million in all are read"),
        (image()[:100], "is damaged, or not an image at all"),
        (b"", "is damaged, or not an image at all"),
        (b"BM" + bytes(60), "is damaged, or not an image at all"),
    ],
    ids=["tiny", "narrow", "huge", "half", "empty", "another kind"],
)
def test_why_an_image_is_not_read_is_one_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        jpeg_of(data)

    assert str(refusal.value) == reason
