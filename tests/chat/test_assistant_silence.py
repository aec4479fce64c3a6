"""What people are told while the model is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.chat.answers import Step
from bot.chat.messages import EndReason
from tests.fake_ollama import MODEL

from .parts import Hold, View, put_together


@pytest.mark.parametrize(
    ("loaded", "step"), [(True, Step.READING), (False, Step.LOADING)], ids=["loaded", "not loaded"]
)
async def test_a_long_silence_is_explained(tmp_path: Path, loaded: bool, step: Step) -> None:
    async with put_together(tmp_path, patience=0.001) as parts:
        hold = parts.fake.between = Hold(at=0)
        parts.fake.loaded = {MODEL} if loaded else set()
        explained, view = asyncio.Event(), View()
        view.stepped = lambda found: explained.set() if found is step else None

        asked = parts.start("Hi?", view=view)
        async with asyncio.timeout(10):
            await explained.wait()
        hold.go.set()
        await asked.task

    assert {found for found, _ in view.steps} == {Step.STARTING, step}
    assert view.shown == "Hello there."


async def test_an_explanation_that_fails_does_not_hurt_the_answer(tmp_path: Path) -> None:
    async with put_together(tmp_path, patience=0.001) as parts:
        hold = parts.fake.between = Hold(at=0)
        tried = asyncio.Event()

        class Broken(set[str]):
            def __iter__(self) -> Iterator[str]:
                tried.set()
                raise ZeroDivisionError

        parts.fake.loaded = Broken()
        asked = parts.start("Hi?")
        await tried.wait()
        hold.go.set()

        assert (await asked.task).reason is EndReason.COMPLETE
