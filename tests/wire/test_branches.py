"""What the memory goes on from where an answer was written anew, and others spoke meanwhile."""

from __future__ import annotations

import pytest

from playground.bot_process import BotProcess
from playground.discord import Actor, Message

from .crashes import labels
from .stage import PATIENCE, Stage, is_finished, shows

pytestmark = pytest.mark.wire


@pytest.fixture(autouse=True)
def different(stage: Stage) -> None:
    """Each answer says to what it is one, and the how manieth."""
    stage.ollama.reply = lambda body: ["To ", body["messages"][-1]["content"], f" {len(stage.ollama.asked)}."]


def said(stage: Stage) -> list[str]:
    """What the model's newest prompt has of people's and its own words."""
    return [content for role, content in stage.ollama.prompts[-1] if role != "system"]


async def ask(stage: Stage, text: str, *, by: Actor | None = None, reply_to: Message | None = None) -> Message:
    """The finished answer to a mention."""
    question = (by or stage.anna).say(stage.channel, text, mention_bot=True, reply_to=reply_to)
    return await stage.reply_to(question)


async def regenerated(stage: Stage, shown: Message) -> Message:
    """The next version of an answer."""
    count = len(stage.ollama.asked) + 1
    stage.anna.click(shown, "Regenerate")
    is_next = shows(f" {count}.")
    return await stage.said(stage.channel, lambda it: it.id == shown.id and is_next(it) and is_finished(it))


async def test_taking_back_a_question_leaves_what_others_said_after_another_version_of_its_answer(
    stage: Stage, bot: BotProcess
) -> None:
    bernd = stage.guild.add_member("Bernd")
    first = await ask(stage, "Anna's.")
    his = await ask(stage, "Bernd's.", by=bernd)
    again = await regenerated(stage, first)
    assert labels(again)[-2] == "2/2"

    undone = await stage.anna.slash(stage.channel, "history undo").message(timeout=PATIENCE)
    saved = bernd.message_command(stage.channel, "Save answer as file", his)

    assert undone.content == "Forgotten, with its answer: “Anna's.”"
    await saved.message(shows("Here is the whole answer."), timeout=PATIENCE)
    await ask(stage, "And now?", by=bernd, reply_to=his)
    assert said(stage)[0] == "Bernd's."
