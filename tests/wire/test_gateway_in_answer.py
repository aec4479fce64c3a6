"""What a gateway that goes away and comes back does to answers that are being written: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from playground.discord import EventKind, LoopbackDiscord, Message
from playground.discord.model import Interaction
from playground.discord.sessions import Op
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, answer, forgotten, is_finished, numbered, paced, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

TEXT = "Hello there."
FOOTER = f"-# {MODEL} · assistant"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(MAX_PARALLEL_ANSWERS="8") as bot:
        yield stage
        assert "Unexpected error" not in bot.log()
        assert stage.discord.unknown_routes == []
        assert stage.discord.invalid_requests == 0


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with a fresh channel, and an Ollama that answers at once and remembers no questions."""
    shared.ollama.answer, shared.ollama.between = ["Hello ", "there."], None
    shared.ollama.asked.clear()
    return replace(shared, channel=shared.guild.add_channel("talk"))


RESUMABLE: dict[str, Callable[[LoopbackDiscord], object]] = {
    "the line is cut": lambda discord: discord.gateway.drop(),
    "Discord closes with 4000": lambda discord: discord.gateway.drop(4000),
    "Discord asks to reconnect": lambda discord: discord.gateway.reconnect(),
    "the session is void but may be resumed": lambda discord: discord.gateway.invalidate(resumable=True),
}


async def back_after(discord: LoopbackDiscord, outage: Callable[[LoopbackDiscord], object], kind: EventKind) -> None:
    """Let something happen to the gateway, and wait until the bot is back."""
    begun = monotonic()
    outage(discord)
    await discord.wait_for(lambda event: event.kind is kind, timeout=PATIENCE, since=begun)


@pytest.mark.parametrize(
    ("outage", "kind"),
    [
        *[pytest.param(outage, EventKind.RESUMED, id=name) for name, outage in RESUMABLE.items()],
        pytest.param(forgotten, EventKind.READY, id="Discord has forgotten the session"),
    ],
)
async def test_an_answer_outlives_the_gateway_and_stands_there_once(
    stage: Stage, outage: Callable[[LoopbackDiscord], object], kind: EventKind
) -> None:
    held = Held(stage.ollama, before=1)
    other, third = stage.guild.add_channel("other"), stage.guild.add_channel("third")
    asked, mention = stage.ask("Hi"), stage.anna.say(other, "Hi", mention_bot=True)
    await asked.message(shows("Hello"))
    await stage.reply_to(mention, shows("Hello"))

    await back_after(stage.discord, outage, kind)
    held.go_on()

    assert (await answer(asked)).content == f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}"
    assert (await stage.reply_to(mention)).content == f"{TEXT}\n{FOOTER}"
    # One more answer is the proof that the bot hears again, and that there was time for what should not come.
    assert (await answer(stage.anna.slash(third, "ask", prompt="Well?"))).content.endswith(f"{TEXT}\n{FOOTER}")
    assert (len(pages(stage.channel)), len(pages(other)), len(stage.ollama.asked)) == (1, 1, 3)


async def test_everything_asked_while_the_line_was_cut_is_answered_once(stage: Stage) -> None:
    thread, other = stage.channel.thread("aside"), stage.guild.add_channel("other")
    begun = monotonic()

    stage.discord.gateway.drop()
    await stage.discord.wait_for(lambda event: event.kind is EventKind.CONNECTION_LOST, since=begun)
    mentions = [stage.anna.say(place, "Hi", mention_bot=True) for place in (stage.channel, thread)]
    direct, asked = stage.anna.say(stage.anna.dm, "Hi"), stage.anna.slash(other, "ask", prompt="Hi")

    done = [await stage.reply_to(question) for question in (*mentions, direct)]
    assert [message.content for message in (*done, await answer(asked))] == [
        *[f"{TEXT}\n{FOOTER}"] * 3,
        f"-# Anna asked: Hi\n{TEXT}\n{FOOTER}",
    ]
    assert len(stage.ollama.asked) == 4


async def test_a_question_that_is_deleted_while_the_line_is_cut_takes_its_answer_away(stage: Stage) -> None:
    held = Held(stage.ollama, before=1)
    question = stage.mention("Hi")
    reply = await stage.reply_to(question, shows("Hello"))
    begun = monotonic()

    stage.discord.gateway.drop()
    await stage.discord.wait_for(lambda event: event.kind is EventKind.CONNECTION_LOST, since=begun)
    stage.anna.delete(question)

    await held.left(within=PATIENCE)
    await stage.deleted(reply)


async def test_an_answer_whose_deletion_nobody_told_the_bot_of_stops_the_model_with_its_next_edit(
    stage: Stage,
) -> None:
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first, held = Held(stage.ollama, before=1), Held(stage.ollama, before=2)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    written = await stage.reply_to(stage.mention("Hi"), shows("Hello"))

    stage.discord.gateway.forget_sessions()
    stage.discord.delete_message(written)
    await back_after(stage.discord, lambda discord: discord.gateway.invalidate(), EventKind.READY)
    first.go_on()

    await held.left()
    assert pages(stage.channel) == []


async def test_a_gateway_that_is_cut_again_and_again_costs_an_answer_nothing(stage: Stage) -> None:
    stage.ollama.answer = numbered(500)
    paced(stage.ollama, rate=100)
    outages = [*RESUMABLE.values()] * 2
    question = stage.mention("Count")

    for number, outage in enumerate(outages, start=1):
        await stage.said(stage.channel, shows(f"w{number * 50:03}"))
        outage(stage.discord)
    await stage.said(stage.channel, shows(FOOTER))

    shown = "".join(page.content + " " for page in pages(stage.channel)).replace(FOOTER, "")
    assert [f"{word} " for word in shown.split()] == stage.ollama.answer
    assert [page.reply_to for page in pages(stage.channel)] == [question.id, None]


def tell_again(discord: LoopbackDiscord, told: Message | Interaction) -> None:
    """Send an event that the bot has heard already once more, as a resume does that replays too much."""
    for session in discord.gateway.sessions.values():
        heard = [sent for sent in session._sent if sent[1].endswith("_CREATE") and sent[2].get("id") == str(told.id)]
        for seq, event, data in heard:
            assert session.connection
            session.connection.send(Op.DISPATCH, data, seq=seq, event=event)


@pytest.mark.parametrize("when", ["while it is being answered", "afterwards"])
@pytest.mark.parametrize("by_mention", [False, True])
async def test_a_question_that_is_told_twice_is_answered_once(stage: Stage, when: str, by_mention: bool) -> None:
    held = Held(stage.ollama, before=1)
    told = stage.mention("Hi") if by_mention else stage.ask("Hi").interaction
    await stage.said(stage.channel, shows("Hello"))

    if when == "while it is being answered":
        tell_again(stage.discord, told)
    held.go_on()
    await stage.said(stage.channel, is_finished)
    if when == "afterwards":
        tell_again(stage.discord, told)

    await answer(stage.ask("Well?"))
    assert [content for role, content in stage.ollama.prompts[-1] if role == "user"] == ["Hi", "Well?"]
    assert len(pages(stage.channel)) == 2
