from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.model import PullProgress
from bot.ui.download import BAR, Speed, progress_text
from bot.ui.responses import plain


@pytest.mark.parametrize(
    ("progress", "speed", "text"),
    [
        (PullProgress("starting"), 0, "Downloading **m**: starting"),
        (
            PullProgress("pulling", 0, 1000),
            0,
            "Downloading **m**: pulling\n`░░░░░░░░░░░░░░░░░░░░` 0%, 0 Bytes of 1.0 kB",
        ),
        (
            PullProgress("pulling", 500, 1000),
            2_000_000,
            "Downloading **m**: pulling\n`██████████░░░░░░░░░░` 50%, 500 Bytes of 1.0 kB, 2.0 MB/s",
        ),
        (
            PullProgress("pulling", 1200, 1000),
            0,
            "Downloading **m**: pulling\n`████████████████████` 100%, 1.2 kB of 1.0 kB",
        ),
    ],
)
def test_a_bar_shows_how_far_it_is(progress: PullProgress, speed: float, text: str) -> None:
    assert progress_text("m", progress, speed) == text


@given(st.integers(0, 2**50), st.integers(1, 2**50))
def test_the_bar_never_changes_its_length(completed: int, total: int) -> None:
    bar = progress_text("m", PullProgress("pulling", completed, total), 0).split("`")[1]

    assert len(bar) == BAR


def test_the_speed_is_that_of_the_last_ten_seconds() -> None:
    times = iter([0.0, 0.1, 1.0, 5.0, 11.0, 30.0, 31.0])
    speed = Speed(clock=lambda: next(times))

    seen = [speed.update(completed) for completed in (0, 100, 100, 500, 500, 700, 600)]

    assert seen == [0.0, 0.0, 100.0, 100.0, 40.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("qwen3:4b", "qwen3:4b"),
        ("**Al_*\n", r"\*\*Al\_\*"),
        ("[x](http://evil.com)", r"\[x](http://evil.com)"),
        ("https://[x](http://evil.com)", r"https://\[x](http://evil.com)"),
        ("<@123456789012345678>", "\\<@\u200b123456789012345678>"),
        ("@everyone <#1>", "@\u200beveryone \\<#1>"),
    ],
)
def test_a_name_is_shown_as_it_is(name: str, shown: str) -> None:
    assert plain(name) == shown
    assert progress_text(name, PullProgress("starting"), 0) == f"Downloading **{shown}**: starting"
