from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .parts import Parts, put_together


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with put_together(tmp_path) as parts:
        yield parts
