"""A short form of what `make soak` does at length."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.app import STOPPING

from .soak import Wish, soak

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]


async def test_of_many_answers_with_faults_none_is_lost_and_none_is_doubled(tmp_path: Path) -> None:
    outcome = await soak(Wish(answers=40, seed=2, share=0.08), tmp_path)

    assert outcome.problems == []
    assert sum(outcome.ends.values()) == 40
    assert sum(outcome.strikes.values()) > 20


async def test_after_many_answers_with_faults_no_task_is_left(tmp_path: Path) -> None:
    wish = Wish(answers=30, seed=3, share=0.08, in_process=True, kept_alive=5, plateaus=(10, 30))

    handlers = [signal.getsignal(number) for number in STOPPING]

    outcome = await soak(wish, tmp_path)

    assert outcome.problems == []
    assert [signal.getsignal(number) for number in STOPPING] == handlers
    assert outcome.tasks[0] == outcome.tasks[1]
    assert outcome.tasks[0]
