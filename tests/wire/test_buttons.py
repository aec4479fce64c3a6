"""The buttons below answers, with a real process that is stopped, killed and started again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from playground.bot_process import BotProcess
from playground.discord import EventKind, Message
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, answer, in_pieces, is_finished, paced, pages, shows, stored

pytestmark = pytest.mark.wire

SIGNATURE = f"-# {MODEL} · assistant"
MANAGE_MESSAGES = 1 << 13
STOP_LIMIT = 0.5
"""Seconds from the press until the model is left alone."""


def labels(message: Message) -> list[str]:
    return [part["label"] for row in message.components for part in row["components"]]


def finished_with(text: str) -> Callable[[Message], bool]:
    return lambda message: text in message.content and is_finished(message)


def different(stage: Stage) -> None:
    """Each answer is another one: "Answer 1.", "Answer 2."."""
    stage.ollama.reply = lambda _: ["Answer ", f"{len(stage.ollama.asked)}."]


async def test_stop_reaches_the_model_at_once(stage: Stage, bot: BotProcess) -> None:
    held = Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    message = await asked.message(shows("Hello"))

    pressed = time.monotonic()
    stage.anna.click(message, "Stop")
    await held.left(within=STOP_LIMIT)

    assert time.monotonic() - pressed < STOP_LIMIT
    ended = await asked.message(shows("stopped by Anna"))
    assert ended.content == f"-# Anna asked: Hi\nHello\n{SIGNATURE} · stopped by Anna"
    assert labels(ended) == ["Regenerate", "Continue", "Details", "Delete"]


async def test_every_button_works_after_a_restart(stage: Stage, bot: BotProcess) -> None:
    different(stage)
    message = await answer(stage.ask("Hi"))
    assert await bot.stop() == 0
    await bot.start()

    stage.anna.click(message, "Regenerate")
    second = await stage.said(stage.channel, finished_with("Answer 2."))
    assert await bot.stop() == 0
    await bot.start()
    stage.anna.click(second, "◀")
    first = await stage.said(stage.channel, lambda it: "Answer 1." in it.content and "1/2" in labels(it))
    await answer(stage.ask("And then?"))

    assert message.id == second.id == first.id
    assert labels(second) == ["Regenerate", "Details", "Delete", "◀", "2/2", "▶"]
    assert stage.ollama.prompts[-1][1:] == [("user", "Hi"), ("assistant", "Answer 1."), ("user", "And then?")]
    assert await bot.stop() == 0
    await bot.start()
    stage.anna.click(first, "Delete")
    await stored(stage, 2, "messages")
    # Forgotten first, and taken out of Discord after that.
    await stage.discord.wait_for(
        lambda event: event.kind is EventKind.MESSAGE_DELETE and event.message and event.message.id == first.id,
        timeout=PATIENCE,
    )


async def test_an_answer_that_a_crash_interrupted_is_regenerated_in_its_place(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))
    await stored(stage, 1, "messages WHERE content = 'Hello '")
    await bot.kill()
    stage.ollama.between = None
    await bot.start()
    interrupted = await asked.message(shows("⚠️ Interrupted"))
    await stored(stage, 0, "open_answers")

    stage.anna.click(interrupted, "Regenerate")

    assert labels(interrupted) == ["Regenerate", "Continue", "Delete"]
    whole = await stage.said(stage.channel, finished_with("Hello there."))
    assert (whole.id, whole.content) == (interrupted.id, f"-# Anna asked: Hi\nHello there.\n{SIGNATURE}")


async def test_what_a_shutdown_interrupted_goes_on_after_it(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    await asked.message(shows("Hello"))
    assert await bot.stop() == 0
    stage.ollama.between = None
    stage.ollama.answer = ["again."]
    await bot.start()
    interrupted = await asked.message(shows("⚠️ Interrupted"))

    stage.anna.click(interrupted, "Continue")

    whole = await stage.said(stage.channel, finished_with("Hello again."))
    assert whole.content == f"-# Anna asked: Hi\nHello again.\n{SIGNATURE}"
    assert stage.ollama.prompts[-1][-1] == ("assistant", "Hello ")


async def test_of_two_presses_at_once_one_counts_and_the_other_is_told_why_not(stage: Stage, bot: BotProcess) -> None:
    different(stage)
    message = await answer(stage.ask("Hi"))
    held = Held(stage.ollama, before=0)
    moderator = stage.guild.add_member("Maud", permissions=MANAGE_MESSAGES)

    presses = [who.click(message, "Regenerate") for who in (stage.anna, moderator)]
    private = [asyncio.create_task(one.message(lambda it: it.ephemeral, timeout=PATIENCE)) for one in presses]
    [refused], [other] = await asyncio.wait(private, return_when=asyncio.FIRST_COMPLETED)
    other.cancel()
    told = refused.result()
    held.go_on()

    assert told.content == "An answer is being written here; please wait until it ends."
    await stage.said(stage.channel, finished_with("Answer 2."))
    assert len(stage.ollama.asked) == 2


@pytest.mark.parametrize(
    ("seconds", "hears"),
    [
        (1.0, "Another version of this answer is shown by now; please use the buttons below that one."),
        (4.0, "An answer is being written here; please wait until it ends."),
    ],
)
async def test_of_two_quick_presses_of_an_arrow_the_second_hears_what_is_so_by_then(
    stage: Stage, bot: BotProcess, seconds: float, hears: str
) -> None:
    different(stage)
    message = await answer(stage.ask("Hi"))
    stage.anna.click(message, "Regenerate")
    second = await stage.said(stage.channel, finished_with("Answer 2."))
    await stored(stage, 0, "open_answers")
    stage.discord.faults.slow("PATCH", "/messages/", seconds=seconds, times=9)

    stage.anna.click(second, "◀")
    await stored(stage, 1, "discord_messages WHERE message_id = 2")
    told = await stage.anna.click(second, "◀").message(lambda it: it.ephemeral, timeout=PATIENCE)

    shown = pages(stage.channel)[0].content
    assert told.content == hears
    assert ("Answer 1." in shown) == ("by now" in hears)
    await stage.said(stage.channel, lambda it: "Answer 1." in it.content and "1/2" in labels(it))


async def test_a_question_waits_for_no_older_answer_that_is_only_shown_again(stage: Stage, bot: BotProcess) -> None:
    different(stage)
    message = await stage.reply_to(stage.mention("Hi"))
    stage.anna.click(message, "Regenerate")
    second = await stage.said(stage.channel, finished_with("Answer 2."))
    await stored(stage, 0, "open_answers")
    stage.discord.faults.slow("PATCH", "/messages/", seconds=4.0, times=9)
    stage.anna.click(second, "◀")
    await stored(stage, 1, "discord_messages WHERE message_id = 2")
    held = Held(stage.ollama, before=0)

    asked = time.monotonic()
    stage.mention("And now?")
    await held.reached()

    assert time.monotonic() - asked < 2.0
    held.go_on()


async def test_a_stop_button_that_outlived_its_bot_says_so(stage: Stage, bot: BotProcess) -> None:
    Held(stage.ollama, before=1)
    asked = stage.ask("Hi")
    message = await asked.message(shows("Hello"))
    stage.discord.faults.rate_limit("PATCH", r"/messages/", retry_after=60)
    await bot.kill()
    await bot.start()

    told = await stage.anna.click(message, "Stop").message(lambda it: it.ephemeral, timeout=PATIENCE)

    assert told.content == "This answer is not being written any more."


@pytest.mark.parametrize("after", [False, True])
async def test_a_press_is_taken_although_the_connection_broke(stage: Stage, bot: BotProcess, after: bool) -> None:
    different(stage)
    message = await answer(stage.ask("Hi"))
    fault = stage.discord.faults.drop("POST", "/callback$", after=after)

    stage.anna.click(message, "Regenerate")

    second = await stage.said(stage.channel, finished_with("Answer 2."))
    assert second.id == message.id
    assert fault.hits == 1
    assert "Unexpected error" not in bot.log()


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_is_deleted_although_the_connection_broke(stage: Stage, bot: BotProcess, after: bool) -> None:
    stage.ollama.answer = in_pieces("word " * 450, 10)
    stage.ask("Hi")
    message = await stage.said(stage.channel, is_finished)
    fault = stage.discord.faults.drop("DELETE", "/messages/", times=4, after=after)

    await stored(stage, 2, "discord_messages WHERE message_id = 2")
    stage.anna.click(message, "Delete")

    for page in pages(stage.channel):
        await stage.discord.wait_for(
            lambda event, page=page: (  # type: ignore[misc]  # it is bound here
                event.kind is EventKind.MESSAGE_DELETE and event.message and event.message.id == page.id
            )
        )
    assert pages(stage.channel) == []
    assert fault.hits
    assert "Unexpected error" not in bot.log()


async def test_a_press_that_discord_never_takes_is_no_unexpected_error(stage: Stage, bot: BotProcess) -> None:
    message = await answer(stage.ask("Hi"))
    fault = stage.discord.faults.drop("POST", "/callback$", times=4)

    pressed = stage.anna.click(message, "Regenerate")
    await pressed.response()

    assert fault.hits == 4
    assert (
        pressed.interaction.response_data["content"]
        == "Discord did not take what I sent. Please try it again in a moment."
    )
    assert "Unexpected error" not in bot.log()


async def test_buttons_cost_no_edit_of_their_own(stage: Stage, bot: BotProcess) -> None:
    text = "".join(f"word{number} " for number in range(500))
    stage.ollama.answer = in_pieces(text, 40)
    paced(stage.ollama, rate=60)

    await stage.reply_to(stage.mention("Go"), lambda message: message.content)
    await stage.said(stage.channel, lambda message: message.content.endswith(SIGNATURE))

    kinds = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE}
    first, *_, last = pages(stage.channel)
    states = [event.message for event in stage.discord.events if event.kind in kinds and event.message]
    for page in (first, last):
        its = [one for one in states if one.id == page.id]
        assert [one.content for one in its] == list(dict.fromkeys(one.content for one in its))
    assert labels(first) == []
    assert labels(last) == ["Regenerate", "Details", "Delete"]


async def test_a_button_that_is_pressed_before_the_last_edit_is_confirmed_is_not_refused(
    stage: Stage, bot: BotProcess
) -> None:
    different(stage)
    stage.discord.faults.slow("PATCH", "/messages/", seconds=1.0, times=3, after=True)
    message = await stage.reply_to(stage.mention("Hi"))

    stage.anna.click(message, "Regenerate")

    second = await stage.said(stage.channel, finished_with("Answer 2."))
    assert second.id == message.id
    assert [page.content for page in stage.channel.messages(hidden=True) if "being written" in page.content] == []
