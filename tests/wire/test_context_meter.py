"""What /history show says of the context window is what the model then gets."""

from __future__ import annotations

import re

import pytest

from .stage import Stage, answer, is_finished, pages

pytestmark = pytest.mark.wire


async def shown(stage: Stage) -> str:
    return (await stage.anna.slash(stage.channel, "history show").message(lambda it: it.content)).content


async def test_what_the_meter_says_goes_to_the_model_with_the_next_question_and_nothing_else(stage: Stage) -> None:
    stage.ollama.answer = ["word "] * 60
    async with stage.bot(OLLAMA_NUM_CTX="512", OLLAMA_NUM_PREDICT="100") as bot:
        for number in range(6):
            await stage.reply_to(stage.mention(f"This is question {number}."), is_finished)
        full = await shown(stage)
        await answer(stage.ask("And?"))
        assert "Traceback" not in bot.log()

    [(_, _), *remembered, question] = stage.ollama.prompts[-1]
    said = re.search(r"the newest (\d+) go to the model, from \*\*Anna\*\*: “(.+)” \(\S+/(\d+)\) on", full)
    assert said, full
    assert 0 < len(remembered) < 12
    assert (int(said[1]), said[2]) == (len(remembered), remembered[0][1])
    assert f"The {12 - len(remembered)} before no longer go, because the context window was full;" in full
    assert stage.ollama.asked[-1]["options"]["num_ctx"] == 512
    assert "holds 512 tokens" in full
    assert question == ("user", "And?")
    [linked] = [message for message in stage.channel.messages() if message.id == int(said[3])]
    assert remembered[0][1] in linked.content


async def test_a_question_as_long_as_the_meter_says_takes_everything_along(stage: Stage) -> None:
    async with stage.bot(OLLAMA_NUM_CTX="512", OLLAMA_NUM_PREDICT="100"):
        await answer(stage.ask("First?"))
        room = re.search(r"A question of up to about (\d+) tokens, files included, takes all", await shown(stage))
        assert room
        await answer(stage.ask("a " * int(room[1])))

    assert [content for _, content in stage.ollama.prompts[-1]][1:3] == ["First?", "Hello there."]
    assert len(pages(stage.channel)) == 2
