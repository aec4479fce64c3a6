"""What the memory could not take in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.chat.arrears import Arrears
from bot.errors import DatabaseDamaged, StorageError


@dataclass
class Disk:
    """Takes nothing while there is trouble."""

    trouble: Exception | None = None
    kept: list[str] = field(default_factory=list)
    tries: int = 0
    got: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, text: str) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        self.kept.append(text)
        self.got.set()


async def late(arrears: Arrears, disk: Disk, *texts: str) -> None:
    disk.trouble = StorageError("full")
    for text in texts:
        with pytest.raises(StorageError, match="full"):
            await arrears.store(lambda text=text: disk.keep(text))  # type: ignore[misc]


async def test_what_came_late_is_kept_in_its_order_before_what_builds_on_it() -> None:
    arrears, disk = Arrears(), Disk()
    await late(arrears, disk, "first", "second")
    with pytest.raises(StorageError):
        await arrears.settle()

    disk.trouble = None
    await arrears.settle()
    await arrears.settle()

    assert disk.kept == ["first", "second"]


async def test_it_is_tried_again_without_anybody_asking() -> None:
    arrears, disk = Arrears(again_after=0), Disk()
    await late(arrears, disk, "first")
    disk.trouble = None
    await asyncio.wait_for(disk.got.wait(), 5)
    disk.got.clear()

    await late(arrears, disk, "second")
    disk.trouble = None
    await asyncio.wait_for(disk.got.wait(), 5)

    assert disk.kept == ["first", "second"]


async def test_many_who_wait_for_it_make_one_attempt() -> None:
    arrears, disk = Arrears(), Disk()
    await late(arrears, disk, "first")
    disk.tries = 0

    ends = await asyncio.gather(*(arrears.settle() for _ in range(5)), return_exceptions=True)

    assert [str(end) for end in ends] == ["full"] * 5
    assert disk.tries == 1


@pytest.mark.parametrize("error", [DatabaseDamaged("torn"), ZeroDivisionError("a bug")])
async def test_what_can_never_be_kept_holds_up_nothing_else(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    arrears, disk = Arrears(), Disk()
    await late(arrears, disk, "first")
    disk.trouble = error

    await arrears.settle()

    assert "given up" in caplog.text
    with pytest.raises(type(error)):
        await arrears.store(lambda: disk.keep("second"))
    disk.trouble = None
    await arrears.settle()
    assert disk.kept == []


@pytest.mark.parametrize("is_full", [True, False])
async def test_the_end_is_the_last_chance_and_says_what_is_lost(
    is_full: bool, caplog: pytest.LogCaptureFixture
) -> None:
    arrears, disk = Arrears(), Disk()
    await late(arrears, disk, "first")
    disk.trouble = disk.trouble if is_full else None

    await arrears.close()

    assert disk.kept == ([] if is_full else ["first"])
    assert ("ends of 1 answers are lost" in caplog.text) is is_full
