"""A start looks after each answer that was left, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.chat.messages import OpenAnswer, Place
from bot.client import Bot, Services
from bot.errors import StorageError
from bot.storage.database import Database, utc_now
from bot.storage.open_answers import SqlOpenAnswers
from bot.ui.aftermath import Aftermath
from bot.ui.answer_buttons import AnswerButtons


class LockedForAMoment(SqlOpenAnswers):
    """The first row that is to be closed can't be."""

    was_locked = False

    async def close(self, row_ids: Sequence[int]) -> None:
        if not self.was_locked:
            self.was_locked = True
            raise StorageError("The database is locked.")
        await super().close(row_ids)


@pytest.mark.usefixtures("env")
async def test_an_answer_whose_row_cant_be_closed_holds_up_no_other(
    simcord_bot: Bot, services: Services, database: Database
) -> None:
    store = LockedForAMoment(database)
    for key in ("a", "b"):
        await store.open(OpenAnswer(place=Place(404, 7), opened_at=utc_now(), key=key))
    aftermath = Aftermath(
        simcord_bot,
        open_answers=store,
        memory=services.memory,
        deliveries=services.deliveries,
        reader=services.reader,
        caller=services.caller,
        buttons=AnswerButtons(),
        refresh=simcord_bot._refresh,
    )

    await aftermath.deal_with(await store.all())

    assert [left.key for left in await store.all()] == ["a"]
