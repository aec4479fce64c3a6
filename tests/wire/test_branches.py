"""What the memory goes on from where an answer was written anew, and others spoke meanwhile."""

from __future__ import annotations

import pytest

from playground.bot_process import BotProcess
from playground.discord import Actor, Message
from tests.fake_ollama import Fault

from .crashes import labels
from .stage import PATIENCE, Held, Stage, is_finished, shows, stored

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


@pytest.mark.parametrize("way", ["Regenerate", "an edit"])
async def test_a_question_that_failed_takes_its_place_before_what_was_asked_since(
    stage: Stage, bot: BotProcess, way: str
) -> None:
    await ask(stage, "First.")
    stage.ollama.fault = Fault(500, "boom")
    question = stage.mention("Second.")
    failed = await stage.reply_to(question)
    stage.ollama.fault = None
    await ask(stage, "Third.")

    if way == "Regenerate":
        await regenerated(stage, failed)
    else:
        stage.anna.edit(question, f"{stage.discord.mention} Second, edited.")
        await stage.reply_to(question, shows("To Second, edited. 4."))
    await stored(stage, 0, "open_answers")

    assert said(stage)[:-1] == ["First.", "To First. 1."], "it reads what it would have read at first"
    await ask(stage, "Fourth.")
    second = "Second." if way == "Regenerate" else "Second, edited."
    assert said(stage) == [
        *("First.", "To First. 1.", second, f"To {second} 4."),
        *("Third.", "To Third. 3.", "Fourth."),
    ]


async def test_an_edit_of_what_is_on_no_shown_branch_leads_nobody_there(stage: Stage, bot: BotProcess) -> None:
    first = await ask(stage, "First.")
    question = stage.mention("A typpo.")
    await stage.reply_to(question)
    await ask(stage, "Another branch.", reply_to=first)

    stage.anna.edit(question, f"{stage.discord.mention} A typo.")
    await stage.reply_to(question, shows("To A typo. 4."))
    await stored(stage, 0, "open_answers")
    await ask(stage, "So?")

    assert said(stage) == ["First.", "To First. 1.", "Another branch.", "To Another branch. 3.", "So?"]


@pytest.mark.parametrize("button", ["Regenerate", "Continue", "◀"])
async def test_who_goes_on_from_another_branch_is_told_what_is_left(stage: Stage, bot: BotProcess, button: str) -> None:
    stage.ollama.ending = {"done_reason": "length"}
    first = await ask(stage, "First.")
    second = await ask(stage, "Second.")
    if button == "◀":
        second = await regenerated(stage, second)
    await ask(stage, "Another branch.", reply_to=first)
    last = await ask(stage, "And more.")

    told = await stage.anna.click(second, button).message(lambda it: it.ephemeral, timeout=PATIENCE)

    assert told.content == (
        "The conversation goes on from this answer now. What was said elsewhere (4 messages) is kept: "
        "reply to the last answer there to go on with that."
    )
    await ask(stage, "So?")
    assert said(stage)[2] == "Second."
    await ask(stage, "Back.", reply_to=last)
    assert said(stage)[2] == "Another branch."


async def test_a_question_that_is_deleted_while_its_answer_goes_on_leaves_nothing_to_tell(
    stage: Stage, bot: BotProcess
) -> None:
    stage.ollama.ending = {"done_reason": "length"}
    first = await ask(stage, "First.")
    question = stage.mention("Second.")
    second = await stage.reply_to(question)
    await ask(stage, "Another branch.", reply_to=first)
    held = Held(stage.ollama, before=1)
    stage.anna.click(second, "Continue")
    await held.reached()

    stage.anna.delete(question)

    await stage.deleted(second)
    await stored(stage, 0, "open_answers")
    assert await bot.stop() == 0
    assert "Traceback" not in bot.log()


async def test_what_was_deleted_of_another_branch_while_the_bot_was_away_does_not_come_back(
    stage: Stage, bot: BotProcess
) -> None:
    first = await ask(stage, "First.")
    secret = stage.mention("A secret.")
    await stage.reply_to(secret)
    third = await ask(stage, "Third.")
    await ask(stage, "Another branch.", reply_to=first)
    await stored(stage, 0, "open_answers")
    await bot.stop()
    stage.anna.delete(secret)

    await bot.start()
    await stored(stage, 0, "messages WHERE content = 'A secret.'")
    await ask(stage, "So?", reply_to=third)

    assert said(stage) == ["First.", "To First. 1.", "Third.", "To Third. 3.", "So?"]
