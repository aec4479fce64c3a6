"""Details and Replay, and a thread that goes on from an answer, through the real bot."""

from __future__ import annotations

import json

import pytest

from playground.bot_process import BotProcess
from playground.discord import ChannelHandle, Message
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, answer, is_finished, shows

pytestmark = pytest.mark.wire


async def details_of(stage: Stage, shown: Message) -> Message:
    """What the button below an answer shows."""
    return await stage.anna.click(shown, "Details").message(shows("Details of this answer"), timeout=PATIENCE)


async def test_details_and_replay_work_after_a_restart(stage: Stage) -> None:
    async with stage.bot() as bot:
        await answer(stage.ask("First?"))
        shown = await answer(stage.ask("Second?"))
        await bot.stop()
    async with stage.bot():
        details = await details_of(stage, shown)
        replayed = await stage.anna.click(details, "Replay").message(shows("seed and prompt"), timeout=PATIENCE)

    lines = details.content.splitlines()
    assert details.ephemeral
    assert replayed.ephemeral
    assert lines[1].startswith(f"- **Model:** {MODEL} (the operator's default), digest `")
    assert "- **Memory:** all 2 earlier messages fitted into the context window" in lines
    assert replayed.content.startswith("**Identical.**")
    assert stage.ollama.asked[-1] == stage.ollama.asked[-2]


async def test_a_replay_that_differs_comes_with_the_difference(stage: Stage, bot: BotProcess) -> None:
    shown = await answer(stage.ask("Hello?"))
    details = await details_of(stage, shown)
    stage.ollama.answer = ["Hello ", "here."]

    replayed = await stage.anna.click(details, "Replay").message(shows("**Different**"), timeout=PATIENCE)

    assert replayed.content.startswith("**Different** from character 7 on.")
    assert [file.filename for file in replayed.attachments] == ["difference.diff"]


async def test_a_replay_does_not_outlive_the_bot(stage: Stage, bot: BotProcess) -> None:
    shown = await answer(stage.ask("Hello?"))
    details = await details_of(stage, shown)
    held = Held(stage.ollama, before=1)

    replay = stage.anna.click(details, "Replay")
    await replay.message(shows("Asking the model"), timeout=PATIENCE)
    await held.reached()
    await bot.stop()

    assert replay.original.content == "Interrupted: the bot is being restarted. Please press Replay again in a minute."


async def test_a_question_about_a_message_takes_its_text_and_files_along(stage: Stage, bot: BotProcess) -> None:
    bernd = stage.guild.add_member("Bernd")
    message = bernd.say(stage.channel, "The moon is cheese.", attachments=[("proof.txt", b"It smells.")])

    opened = stage.anna.message_command(stage.channel, "Ask about this", message)
    await opened.response(timeout=PATIENCE)
    asked = stage.anna.submit(opened, {"Your question about this message": "Is it?"})
    done = await asked.message(is_finished, timeout=PATIENCE)

    assert done.content.startswith(f"-# Anna asked: Is it? (about https://discord.com/channels/{stage.guild.id}/")
    assert stage.ollama.prompts[-1][-1][1] == (
        "Is it?\n\nThe message that I ask about:\n```\nThe moon is cheese.\n```\n\nproof.txt:\n```\nIt smells.\n```"
    )


async def test_a_thread_goes_on_from_an_answer(stage: Stage, bot: BotProcess) -> None:
    shown = await answer(stage.ask("First?", persona="google-it"))
    await answer(stage.ask("Later?"))

    told = await stage.anna.message_command(stage.channel, "Continue in a thread", shown).message(
        shows("goes on in"), timeout=PATIENCE
    )
    [opened] = [it for it in stage.discord.world.channels.values() if it.is_thread]
    thread = ChannelHandle(stage.discord, opened)
    question = stage.anna.say(thread, "And now?", mention_bot=True)
    await stage.reply_to(question)

    assert told.ephemeral
    assert opened.name == "First?"
    assert told.content == f"The conversation goes on in <#{thread.id}>."
    system, *rest = stage.ollama.prompts[-1]
    assert "Just google it!" in system[1]
    assert rest == [("user", "First?"), ("assistant", "Hello there."), ("user", "And now?")]
    assert json.dumps(stage.ollama.asked[-1]["messages"][:3]) == json.dumps(
        [*stage.ollama.asked[0]["messages"], {"role": "assistant", "content": "Hello there."}]
    )
