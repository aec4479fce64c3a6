"""What is deleted while an answer is under way: the model stops, and nothing is posted after that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from playground.discord import ChannelHandle

from .stage import Held, Stage, answer, numbered, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot() as bot:
        yield stage
        # A bot ends only after all that is still to be written: what came late is seen now.
        assert await bot.stop() == 0
        emptied = [one for one in stage.discord.world.channels.values() if one.name == "emptied"]
        assert [pages(ChannelHandle(stage.discord, channel)) for channel in emptied] == [[]] * len(emptied)
        assert "Unexpected error" not in bot.log()
        assert stage.discord.unknown_routes == []


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with a fresh channel, and an Ollama that answers at once."""
    shared.ollama.answer, shared.ollama.between = ["Hello ", "there."], None
    shared.ollama.asked.clear()
    return replace(shared, channel=shared.guild.add_channel("talk"))


async def is_well(stage: Stage) -> None:
    """Another question is answered, so the bot has heard what came before it."""
    stage.ollama.answer, stage.ollama.between = ["Hello ", "there."], None
    place = stage.guild.add_channel("later")
    await stage.reply_to(stage.anna.say(place, "Are you well?", mention_bot=True))


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("by_mention", [False, True])
async def test_a_deleted_page_of_an_answer_ends_all_of_it(stage: Stage, by_mention: bool, page: int) -> None:
    stage.ollama.answer = numbered(900)
    first, held = Held(stage.ollama, before=400), Held(stage.ollama, before=450)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    if by_mention:
        stage.mention("Count")
    else:
        stage.ask("Count")
    await stage.said(stage.channel, shows("w399"))
    first.go_on()
    # An edit is the proof that the bot knows its message.
    await stage.said(stage.channel, shows("w449"))
    both = pages(stage.channel)

    stage.discord.delete_message(both[page])

    await held.left()
    await is_well(stage)
    await stage.deleted(*both)


@pytest.mark.parametrize("what", ["answer", "question"])
async def test_a_question_that_is_deleted_in_line_is_never_asked_and_holds_up_nobody(stage: Stage, what: str) -> None:
    held = Held(stage.ollama, before=1)
    first = stage.mention("First")
    await held.reached()
    second, third = stage.mention("Second"), stage.ask("Third")
    waiting = await stage.reply_to(second, shows("Waiting"))
    await third.message(shows("Waiting"))

    stage.discord.delete_message(waiting if what == "answer" else second)
    await is_well(stage)
    held.go_on()

    await stage.reply_to(first)
    await answer(third)
    said = [content for role, content in stage.ollama.prompts[-1] if role == "user"]
    assert (said, len(stage.ollama.asked)) == (["First", "Third"], 3)
    assert [page.content for page in pages(stage.channel) if page.reply_to == second.id] == []


@pytest.mark.parametrize("by_mention", [False, True])
async def test_nothing_is_posted_after_an_answer_was_deleted_however_much_the_model_has_to_say(
    stage: Stage, by_mention: bool
) -> None:
    stage.ollama.answer = numbered(2000)
    stage.ollama.between = None
    emptied = stage.guild.add_channel("emptied")
    if by_mention:
        stage.anna.say(emptied, "Count", mention_bot=True)
    else:
        stage.anna.slash(emptied, "ask", prompt="Count")
    written = await stage.said(emptied, lambda message: True)

    # The model may have said everything by now; further pages are still to come.
    stage.discord.delete_message(written)

    await is_well(stage)
    on_its_way = pages(emptied)
    assert len(on_its_way) <= 1
    for page in on_its_way:
        stage.discord.delete_message(page)
