"""Opting out, being told once, and for how long things are kept."""

from __future__ import annotations

import pytest

from bot.chat.answers import Control, Question
from bot.chat.messages import EndReason
from bot.chat.privacy import MAX_DAYS, NOT_KEPT, Notice, Privacy
from bot.chat.scopes import Source
from bot.config import Settings
from bot.errors import BadInput
from bot.storage.privacy import SqlPrivacy

from .parts import ANNA, BERND, GUILD, PLACE, Parts, View


def fresh(parts: Parts, *, retention_days: int = 0) -> Privacy:
    """As after a restart."""
    store = SqlPrivacy(parts.database, parts.settings)
    return Privacy(store=store, settings=parts.settings, retention_days=retention_days)


async def test_a_person_is_told_once(parts: Parts) -> None:
    privacy = fresh(parts)

    assert await privacy.notice(ANNA, directly=False) is Notice.KEPT
    assert await privacy.notice(ANNA, directly=False) is None, "somebody is just telling them"
    await privacy.was_told(ANNA)

    assert await fresh(parts).notice(ANNA, directly=True) is None
    assert await fresh(parts).notice(BERND, directly=True) is Notice.KEPT


async def test_who_takes_no_direct_messages_is_told_in_a_command(parts: Parts) -> None:
    privacy = fresh(parts)
    assert await privacy.notice(ANNA, directly=True)
    privacy.was_not_told(ANNA, directly=True)

    assert await privacy.notice(ANNA, directly=True) is None
    assert await privacy.notice(ANNA, directly=False) is Notice.KEPT


async def test_opting_out_holds_at_once_and_after_a_restart(parts: Parts) -> None:
    privacy = fresh(parts)
    await privacy.was_told(ANNA)

    assert await privacy.opt_out(ANNA)
    assert not await privacy.opt_out(ANNA)

    for one in (privacy, fresh(parts)):
        assert await one.is_opted_out(ANNA)
        assert not await one.is_opted_out(BERND)
        assert await one.notice(ANNA, directly=True) is Notice.NOT_KEPT

    assert await privacy.opt_in(ANNA)
    assert not await privacy.opt_in(ANNA)
    assert not await fresh(parts).is_opted_out(ANNA)
    assert await fresh(parts).notice(ANNA, directly=True) is None


async def test_of_a_question_of_who_opted_out_nothing_is_stored_but_it_is_answered(parts: Parts) -> None:
    await parts.ask("One", author=BERND)
    await parts.privacy.opt_out(ANNA)

    finished = await parts.ask("Two", author=ANNA)
    await parts.ask("Three", author=BERND)

    assert finished.reason is EndReason.COMPLETE
    assert await parts.contents() == ["One", "Hello there.", "Three", "Hello there."]
    assert [content for _, content in parts.fake.prompts[1][1:3]] == ["One", "Hello there."]


async def test_an_answer_of_who_opted_out_is_not_written_anew(parts: Parts) -> None:
    asked = parts.start("One")
    await asked.task
    [(_, answer_id)] = asked.stored
    answer = await parts.memory.answer(PLACE.channel_id, answer_id)
    await parts.privacy.opt_out(ANNA)

    question = Question(PLACE, ANNA, "One", again=answer)
    finished = await parts.assistant.answer(question, View(), Control(), remembered=lambda *_: None)

    assert (finished.reason, str(finished.error)) == (EndReason.FAILED, NOT_KEPT)
    assert await parts.contents() == ["One", "Hello there."]


async def test_how_long_things_are_kept_comes_from_the_server_or_the_operator(parts: Parts) -> None:
    privacy = fresh(parts, retention_days=90)

    assert [(await privacy.retention(place)).value for place in (GUILD, None)] == [90, 90]
    changes = await privacy.set_retention(GUILD, 30, by=ANNA)

    found = await privacy.retention(GUILD)
    assert (found.value, found.source) == (30, Source.SERVER)
    assert [(change.old, change.new, change.changed_by) for change in changes] == [(None, "30", ANNA)]
    assert await privacy.set_retention(GUILD, 30, by=BERND) == []
    assert (await privacy.retention(None)).source is Source.OPERATOR


@pytest.mark.parametrize("days", [-1, MAX_DAYS + 1])
async def test_nobody_chooses_more_days_than_there_are(parts: Parts, days: int) -> None:
    with pytest.raises(BadInput, match="Conversations are kept for up to 3650 days"):
        await fresh(parts).set_retention(GUILD, days, by=ANNA)


def test_a_server_and_the_operator_can_choose_the_same() -> None:
    limits = [rule.le for rule in Settings.model_fields["retention_days"].metadata if hasattr(rule, "le")]
    assert limits == [MAX_DAYS]
