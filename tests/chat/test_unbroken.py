import asyncio
import gc

import pytest

from bot.chat.unbroken import unbroken
from bot.errors import StorageError


async def test_the_outcome_is_that_of_the_work() -> None:
    async def fail() -> None:
        raise StorageError("no")

    assert await unbroken(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(StorageError):
        await unbroken(fail())


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_work_ends_however_often_the_caller_is_cancelled(times: int) -> None:
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()

    caller = asyncio.create_task(unbroken(work()))
    await asyncio.sleep(0)
    for _ in range(times):
        caller.cancel()
        await asyncio.wait({caller}, timeout=0)
        assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


@pytest.mark.parametrize(("error", "is_logged"), [(StorageError("no"), False), (ZeroDivisionError(), True)])
async def test_what_fails_after_its_caller_was_cancelled_is_logged_if_nobody_expected_it(
    error: Exception, is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = asyncio.Event()

    async def fail() -> None:
        await go_on.wait()
        raise error

    caller = asyncio.create_task(unbroken(fail()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller}, timeout=0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gc.collect()
    assert ([record.name for record in caplog.records] == ["bot.chat.unbroken"]) is is_logged
    assert len(caplog.records) == is_logged
