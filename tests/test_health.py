from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot import health


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_without_a_sign_nobody_is_alive() -> None:
    assert not health.is_alive()


def test_a_sign_counts_until_it_is_old() -> None:
    sign = health.sign_of_life()
    sign.touch()
    assert health.is_alive()

    old = time.time() - health.STALE - 1
    os.utime(sign, (old, old))
    assert not health.is_alive()

    recent = time.time() - health.STALE / 2
    os.utime(sign, (recent, recent))
    assert health.is_alive()

    # From before the clock was set back.
    later = time.time() + health.STALE + 1
    os.utime(sign, (later, later))
    assert not health.is_alive()


async def beat(*answers: bool) -> None:
    """Beat once for each answer to whether all is well, without the pause between."""
    left, asked = list(answers), asyncio.Event()

    def is_well() -> bool:
        if left:
            return left.pop(0)
        asked.set()
        return False

    beating = asyncio.create_task(health.beat(is_well, interval=0))
    await asked.wait()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    assert beating.cancelled()


async def test_the_sign_is_given_while_all_is_well() -> None:
    await beat(False, True)

    assert health.is_alive()


async def test_no_sign_is_given_while_something_is_wrong() -> None:
    await beat(False, False)

    assert not health.sign_of_life().exists()


async def test_the_sign_is_renewed() -> None:
    sign = health.sign_of_life()
    sign.touch()
    old = time.time() - health.STALE - 1
    os.utime(sign, (old, old))

    await beat(True)

    assert health.is_alive()


def test_the_sign_is_renewed_long_before_it_is_old() -> None:
    assert health.INTERVAL * 3 < health.STALE
