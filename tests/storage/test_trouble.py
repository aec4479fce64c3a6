"""What the operator reads in the log of a database that can't be used."""

from __future__ import annotations

import pytest

from bot.errors import DatabaseDamaged, StorageError
from bot.storage.trouble import CALM, Trouble


def test_a_trouble_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    trouble = Trouble(lambda: now)
    trouble.over()
    for _ in range(100):
        trouble.met(StorageError("full"))
        trouble.over()
        now += CALM / 2
    trouble.met(StorageError("locked"))
    now += CALM
    trouble.over()
    trouble.over()
    trouble.met(StorageError("full"))

    assert caplog.messages == ["full", "locked", "The database can be written again", "full"]


def test_damage_does_not_pass_while_other_things_are_stored(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    trouble = Trouble(lambda: now)
    for _ in range(3):
        trouble.met(DatabaseDamaged("damaged"))
        now += CALM
        trouble.over()

    assert caplog.messages == ["damaged"]
