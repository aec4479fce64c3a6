"""What goes to the model with the next question is told beforehand, and is then so."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.context_meter import NEWEST, Reading
from bot.chat.messages import Author, Image
from bot.chat.scopes import ScopeKind
from bot.chat.tokens import IMAGE_TOKENS
from bot.errors import ModelNotFound, ModelUnreachable
from tests.fake_ollama import MODEL

from .parts import ANNA, BERND, IN_DM, OTHER_PLACE, PLACE, SYSTEM, Parts, put_together

LENGTHS = st.integers(1, 120)
TURNS = st.lists(st.tuples(st.sampled_from([ANNA, BERND]), LENGTHS, LENGTHS), min_size=1, max_size=8)


def words(count: int) -> str:
    return "so " * count


async def same_as_told(parts: Parts, asker: Author) -> Reading:
    """What the meter says, after a short question has shown that it is true."""
    told = await parts.meter.read(PLACE, asker)
    await parts.ask("?", author=asker)
    [system, *remembered, _question] = parts.fake.asked[-1]["messages"]

    assert told.prompt
    if told.prompt.room > len("?"):
        assert len(remembered) == told.sent
        assert [system, *remembered] == [
            {"role": message.role, "content": message.content} for message in told.prompt.messages[:-1]
        ]
    assert parts.fake.asked[-1]["options"]["num_ctx"] == told.num_ctx
    return told


async def talked(folder: Path, turns: list[tuple[Author, int, int]], num_ctx: int) -> None:
    async with put_together(folder, num_ctx=num_ctx, defaults={"num_predict": "64"}) as parts:
        for author, asked, said in turns:
            parts.fake.answer = ["so "] * said
            await parts.ask(words(asked), author=author)
            await same_as_told(parts, author)


@settings(max_examples=15, deadline=None)
@given(TURNS, st.integers(256, 700))
def test_what_the_meter_tells_goes_to_the_model_with_the_next_short_question(
    turns: list[tuple[Author, int, int]], num_ctx: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talked(Path(folder), turns, num_ctx))


async def test_a_full_window_says_from_which_message_on_it_goes(tmp_path: Path) -> None:
    async with put_together(tmp_path, num_ctx=512, defaults={"num_predict": "64"}) as parts:
        for number in range(8):
            parts.fake.answer = ["so "] * 40
            await parts.ask(f"{number} {words(40)}")

        reading = await same_as_told(parts, ANNA)

    assert reading.remembered.total == 16
    assert 0 < reading.sent < 16
    assert reading.sent + reading.left_out == 16
    assert reading.first
    assert reading.first.content == f"{8 - reading.sent // 2} {words(40)}"
    assert [message.content for message in reading.remembered.newest][-1] == words(40)
    assert len(reading.remembered.newest) == NEWEST


async def test_all_goes_while_it_fits_and_the_figures_add_up(parts: Parts) -> None:
    await parts.ask("One?")

    reading = await same_as_told(parts, ANNA)

    assert (reading.remembered.total, reading.sent, reading.left_out) == (2, 2, 0)
    assert (reading.num_ctx, reading.is_models_own, reading.trouble) == (4096, False, None)
    assert reading.prompt
    assert 0 < reading.prompt.system < reading.prompt.beside_question < reading.prompt.estimate
    assert reading.prompt.num_predict == 1024


async def test_of_an_empty_conversation_the_room_is_told(parts: Parts) -> None:
    reading = await parts.meter.read(PLACE, ANNA)

    assert (reading.remembered.total, reading.sent, reading.first) == (0, 0, None)
    assert reading.prompt
    assert reading.prompt.room > 2900
    await parts.ask(words(reading.prompt.room))
    assert [message["content"] for message in parts.fake.asked[-1]["messages"]][1] == words(reading.prompt.room)
    assert (await parts.ask("so " * (reading.prompt.room + 1), place=OTHER_PLACE)).error is not None


async def test_the_places_own_system_prompt_counts(parts: Parts) -> None:
    before = await parts.meter.read(PLACE, ANNA)
    await parts.preferences.set_prompt(PLACE, words(500), by=ANNA)

    after = await parts.meter.read(PLACE, ANNA)

    assert before.prompt
    assert after.prompt
    assert before.prompt.messages[0].content == SYSTEM[1]
    assert after.profile.persona.value.name == "custom"
    assert after.prompt.system > before.prompt.system + 400


async def test_a_model_that_takes_less_makes_the_window_smaller(parts: Parts) -> None:
    parts.fake.models[MODEL]["context_length"] = 1024

    reading = await same_as_told(parts, ANNA)

    assert (reading.num_ctx, reading.is_models_own) == (1024, True)


async def test_a_system_prompt_that_fills_the_window_leaves_nothing(tmp_path: Path) -> None:
    async with put_together(tmp_path, num_ctx=512) as parts:
        await parts.ask("One?")
        await parts.preferences.set_prompt(PLACE, words(600), by=ANNA)

        reading = await parts.meter.read(PLACE, ANNA)
        refused = await parts.ask("Two?")

    assert (reading.prompt, reading.sent, reading.left_out) == (None, 0, 2)
    assert refused.error


async def test_without_ollama_the_meter_says_what_is_known(parts: Parts) -> None:
    await parts.ask("One?", place=IN_DM)
    parts.fake.models["other:1b"] = parts.fake.models[MODEL]
    await parts.preferences.use_model(IN_DM, "other:1b", by=ANNA)
    parts.fake.offline = True

    reading = await parts.meter.read(IN_DM, ANNA)

    assert isinstance(reading.trouble, ModelUnreachable)
    assert (reading.sent, reading.num_ctx) == (2, 4096)


async def test_a_model_that_is_gone_is_no_failure(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "num_predict", "8", by=ANNA)
    del parts.fake.models[MODEL]

    reading = await parts.meter.read(PLACE, ANNA)

    assert isinstance(reading.trouble, ModelNotFound)
    assert reading.prompt
    assert reading.prompt.num_predict == 8


@pytest.mark.parametrize(("can", "tokens"), [("vision", IMAGE_TOKENS), ("tools", 0)])
async def test_pictures_count_where_the_model_sees_them(parts: Parts, can: str, tokens: int) -> None:
    parts.fake.models[MODEL]["capabilities"] = ["completion", can]
    for place, pictures in ((PLACE, [Image("cat.jpg", b"cat")]), (OTHER_PLACE, [])):
        _, answer_id, _ = await parts.memory.begin(place, ANNA, "What is this?", pictures)
        finished = await parts.ask("?", place=IN_DM)
        assert finished.receipt
        await parts.memory.finish(answer_id, "A cat.", finished.reason, finished.receipt)

    with_it, without = [await parts.meter.read(place, ANNA) for place in (PLACE, OTHER_PLACE)]

    assert with_it.prompt
    assert without.prompt
    assert with_it.prompt.beside_question - without.prompt.beside_question == tokens


async def test_each_persons_own_conversation_is_measured_by_itself(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "memory", "person", by=ANNA)
    await parts.ask("One?")

    hers, his = [await parts.meter.read(replace(PLACE, owner_id=it.id), it) for it in (ANNA, BERND)]

    assert (hers.sent, his.sent) == (2, 0)


async def test_looking_is_no_question(parts: Parts) -> None:
    await parts.ask("One?")

    await parts.meter.read(PLACE, ANNA)

    assert len(parts.fake.asked) == 1
    assert await parts.contents() == ["One?", "Hello there."]
