"""A stage for each test, and a bot that runs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.bot_process import BotProcess

from .stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage
        assert stage.discord.unknown_routes == []


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[BotProcess]:
    async with stage.bot() as bot:
        yield bot
