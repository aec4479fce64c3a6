"""What becomes of an answer when Discord stumbles, closes a way to write, or has no place for it any more."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle

import pytest
import pytest_asyncio

from playground.discord import (
    USUAL,
    ChannelHandle,
    EventKind,
    GuildHandle,
    LoopbackDiscord,
    Message,
    Permission,
    Settings,
    errors,
)
from playground.discord.model import Role
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, frames, in_pieces, is_finished, numbered, paced, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    limits = {"MAX_PARALLEL_ANSWERS": "16", "MAX_ANSWER_MESSAGES": "2"}
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(**limits):
        yield stage
        assert stage.discord.unknown_routes == []


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with a fresh channel, a Discord without faults, and an Ollama that answers at once."""
    shared.discord.faults.clear()
    shared.discord.calls.clear()
    shared.ollama.answer = ["Hello ", "there."]
    shared.ollama.between = None
    return replace(shared, channel=shared.guild.add_channel("talk"))


def words(stage: Stage, channel: ChannelHandle) -> list[str]:
    """What all messages of an answer say, as tokens that can be compared with the model's."""
    texts = [message.content.removeprefix("-# Anna asked: Count\n") for message in pages(channel)]
    return [f"{word} " for text in texts for word in text.replace(FOOTER, "").split()]


def trouble(discord: LoopbackDiscord) -> list[Callable[[], object]]:
    """Everything that may happen to an edit, in an order that looks like chance and is always the same."""
    faults, edit = discord.faults, ("PATCH", "/messages/")
    fails = [partial(faults.fail, *edit, status=status) for status in (500, 502, 503, 504)]
    drops = [partial(faults.drop, *edit, after=after) for after in (False, True)] * 4
    refuses = [
        partial(faults.rate_limit, *edit, retry_after=0.3, scope=scope) for scope in ("user", "shared", "global")
    ]
    storm = [partial(faults.rate_limit, *edit, retry_after=0.1, times=6)]
    found: list[Callable[[], object]] = [*fails, *drops, *refuses * 2, *storm]
    random.Random(20).shuffle(found)  # noqa: S311  # no secret: the same order each time
    return found


async def test_whatever_happens_to_single_calls_every_answer_is_complete_and_nothing_is_doubled(stage: Stage) -> None:
    stage.ollama.answer = numbered(500)
    paced(stage.ollama, rate=120)
    faults, ahead = stage.discord.faults, cycle(trouble(stage.discord))
    faults.fail("POST", "/channels/", status=502, after=True)
    faults.drop("POST", "/channels/", times=2, after=True)
    faults.drop("POST", "/callback", after=True)
    faults.fail("POST", "/webhooks/", status=503)
    faults.drop("POST", "/webhooks/")
    places = [stage.guild.add_channel(f"place{number}") for number in range(8)]

    async with stage.discord.watch() as events:
        for number, place in enumerate(places):
            if number % 2:
                stage.anna.slash(place, "ask", prompt="Count")
            else:
                stage.anna.say(place, "Count", mention_bot=True)
        updates = 0
        async with asyncio.timeout(PATIENCE):
            while not all(pages(place) and is_finished(pages(place)[-1]) for place in places):
                if (await anext(events)).kind is EventKind.MESSAGE_UPDATE:
                    updates += 1
                    if updates % 2:
                        next(ahead)()

    assert sum(fault.hits > 0 for fault in faults.planned) > len(trouble(stage.discord))
    assert [words(stage, place) for place in places] == [stage.ollama.answer] * 8
    assert [len(pages(place)) for place in places] == [2] * 8


@dataclass(frozen=True)
class Scene:
    """An answer that is being written in a server of its own, where the bot owes its rights to one role."""

    stage: Stage
    guild: GuildHandle
    channel: ChannelHandle
    place: ChannelHandle
    """The channel, or a thread in it."""
    question: Message
    answer: Message
    seer: Role


GONE: dict[str, Callable[[Scene], object]] = {
    "the answer is deleted": lambda scene: scene.stage.discord.delete_message(scene.answer),
    "the question is deleted": lambda scene: scene.stage.discord.delete_message(scene.question),
    "the channel is deleted": lambda scene: scene.channel.delete(),
    "the thread is deleted": lambda scene: scene.place.delete(),
    "the thread is archived": lambda scene: scene.place.archive(),
    "the thread is locked": lambda scene: scene.place.lock(),
    "the channel is hidden from the bot": lambda scene: scene.channel.deny_bot(Permission.VIEW_CHANNEL),
    "the bot's role loses its rights": lambda scene: scene.guild.set_permissions(scene.seer, 0),
    "the bot loses its role": lambda scene: scene.guild.set_bot_roles([]),
    "the bot is thrown out": lambda scene: scene.guild.remove_bot(),
}


DELETED = {
    "the answer is deleted",
    "the question is deleted",
    "the channel is deleted",
    "the thread is deleted",
    "the bot is thrown out",
}
"""What leaves the memory as well."""


async def scene_of(stage: Stage, beginning: Held, *, in_thread: bool) -> Scene:
    guild = stage.discord.add_guild("Other")
    guild.add_member(stage.anna, permissions=Permission.ADMINISTRATOR)
    guild.deny_bot(Permission.VIEW_CHANNEL)
    seer = guild.add_role("Seer", permissions=int(USUAL))
    guild.set_bot_roles([seer])
    channel = guild.add_channel("doomed")
    place = channel.thread("aside") if in_thread else channel
    question = stage.anna.say(place, "Hi", mention_bot=True)
    await stage.reply_to(question, shows("One moment"))
    beginning.go_on()
    # An edit is the proof that the bot knows its message.
    answer = await stage.reply_to(question, lambda message: message.edits and "Hello" in message.content)
    return Scene(stage, guild, channel, place, question, answer, seer)


def kept(stage: Stage, place: ChannelHandle) -> list[tuple[str, str]]:
    """The answers in the database, with the reason of their end."""
    with closing(sqlite3.connect(stage.folder / "llampost.db")) as connection:
        return connection.execute(
            "SELECT content, end_reason FROM messages JOIN conversations ON conversations.id = conversation_id "
            "WHERE role = 'assistant' AND channel_id = ? ORDER BY messages.id",
            (place.id,),
        ).fetchall()


@pytest.mark.parametrize("what", GONE)
async def test_an_answer_that_nobody_can_see_stops_the_model_at_once(stage: Stage, what: str) -> None:
    first, held = Held(stage.ollama, before=0), Held(stage.ollama, before=1)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    scene = await scene_of(stage, first, in_thread="thread" in what)

    GONE[what](scene)

    await held.left(within=2.0)  # a few milliseconds where the machine has nothing else to do
    # Another answer is the proof that all is well, and that the database has heard of the first one's end.
    stage.ollama.between = None
    assert (await stage.reply_to(stage.mention("Still there?"))).content == f"Hello there.\n{FOOTER}"
    assert kept(stage, scene.place) == ([] if what in DELETED else [("Hello ", "stopped")])


@pytest.mark.parametrize("by_mention", [False, True])
async def test_an_answer_deleted_before_the_bot_knows_its_id_stops_the_model(stage: Stage, by_mention: bool) -> None:
    held = Held(stage.ollama, before=1)
    unheard = stage.discord.faults.slow("POST", "/callback$|/messages$", seconds=1.0, after=True)

    if by_mention:
        stage.mention("Hi")
    else:
        stage.ask("Hi")
    answer = await stage.said(stage.channel, shows("Hello"))
    stage.discord.delete_message(answer)

    await held.left()
    assert unheard.hits == 1
    assert pages(stage.channel) == []


async def test_an_answer_whose_token_dies_goes_on_through_the_channel_to_its_last_page(stage: Stage) -> None:
    stage.ollama.answer = numbered(500)
    held = Held(stage.ollama, before=50)
    asked = stage.ask("Count")
    await asked.message(shows("w049"))

    asked.expire()
    held.go_on()

    await stage.said(stage.channel, is_finished)
    assert words(stage, stage.channel) == stage.ollama.answer
    assert [call.status for call in stage.discord.calls if asked.interaction.token in call.path].count(401) <= 1


async def test_a_private_answer_whose_token_dies_stops_the_model_after_one_refusal(stage: Stage) -> None:
    stage.ollama.answer = ["Hello ", "there, ", "Anna."]
    first, held = Held(stage.ollama, before=1), Held(stage.ollama, before=2)
    stage.ollama.between = lambda index: first.hold(index) or held.hold(index)
    asked = stage.ask("Between us", private=True)
    await asked.message(shows("Hello"))

    asked.expire()
    first.go_on()

    await held.left()
    stage.ollama.between = None
    await stage.reply_to(stage.mention("Still there?"))
    assert [call.status for call in stage.discord.calls if call.status >= 400] == [401]


@pytest.mark.parametrize("by_mention", [False, True])
async def test_an_answer_of_too_many_messages_comes_as_a_file_on_the_last_one(stage: Stage, by_mention: bool) -> None:
    stage.ollama.answer = numbered(1000)

    if by_mention:
        stage.mention("Count")
    else:
        stage.ask("Count")
    last = await stage.said(stage.channel, is_finished)

    first, second = pages(stage.channel)
    assert second == last
    assert first.attachments == ()
    [file] = last.attachments
    assert (file.filename, file.data.decode()) == ("answer.md", "".join(stage.ollama.answer))
    assert last.content.endswith(f"\n-# The whole answer is in the file `answer.md`.\n{FOOTER}")


async def test_where_files_are_forbidden_everything_comes_in_messages(stage: Stage) -> None:
    stage.ollama.answer = numbered(999)
    stage.channel.deny_bot(Permission.ATTACH_FILES)

    stage.mention("Count")
    await stage.said(stage.channel, is_finished)

    assert words(stage, stage.channel) == stage.ollama.answer
    assert len(pages(stage.channel)) == 3
    assert not any(page.attachments for page in pages(stage.channel))


async def shown_without_file(stage: Stage, *, by_mention: bool) -> None:
    """An answer of too many messages whose file Discord refuses, tried once."""
    stage.ollama.answer = numbered(999)
    if by_mention:
        stage.mention("Count")
    else:
        stage.ask("Count")
    last = await stage.said(stage.channel, is_finished)
    assert [call.status for call in stage.discord.calls].count(413) == 1
    assert words(stage, stage.channel) == stage.ollama.answer
    assert len(pages(stage.channel)) == 3
    assert pages(stage.channel)[-1] == last
    assert not any(page.attachments or "file" in page.content for page in pages(stage.channel))


@pytest.mark.parametrize("by_mention", [False, True])
async def test_where_a_file_is_refused_once_as_too_large_everything_comes_in_messages(
    stage: Stage, by_mention: bool
) -> None:
    held = Held(stage.ollama, before=998)
    showing = asyncio.create_task(shown_without_file(stage, by_mention=by_mention))
    await stage.said(stage.channel, shows("What does not fit here comes as a file."))
    await held.reached()
    stage.discord.faults.refuse("PATCH", "/messages/", errors.entity_too_large())

    held.go_on()

    await showing


@pytest.mark.parametrize("by_mention", [False, True])
async def test_where_every_file_is_too_large_everything_comes_in_messages(
    tmp_path_factory: pytest.TempPathFactory, by_mention: bool
) -> None:
    folder = tmp_path_factory.mktemp("strict")
    async with staged(folder, Settings(max_file_bytes=1000)) as stage, stage.bot(MAX_ANSWER_MESSAGES="2"):
        await shown_without_file(stage, by_mention=by_mention)


TABLE = "| Fruit | Pieces |\n|---|--:|\n| Äpfel | 7 |\n| Bananas 🍌 | 12 |\n"


ALIGNED = (
    "Fruit      | Pieces\n"
    "-----------+-------\n"
    "Äpfel      |      7\n"
    "Bananas 🍌 |     12\n"
)  # fmt: skip


async def test_a_table_is_shown_aligned_while_it_grows_and_saved_as_the_model_wrote_it(stage: Stage) -> None:
    text = f"Here:\n\n{TABLE}\nThat is all."
    stage.ollama.answer = in_pieces(text, 5)
    paced(stage.ollama, rate=15)

    done = await stage.reply_to(stage.mention("List the fruit"))
    saved = await stage.anna.message_command(stage.channel, "Save answer as file", done).message()

    *growing, _ = frames(stage.discord, done.id)
    assert any("```\nFruit | Pieces\n------+-------\n" in state for state in growing)
    assert done.content == f"Here:\n\n```\n{ALIGNED}```\n\nThat is all.\n{FOOTER}"
    [file] = saved.attachments
    assert file.data.decode() == text


def unit_count(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("by_mention", [False, True])
async def test_every_state_of_a_message_is_sound_and_notifies_only_who_asked(stage: Stage, by_mention: bool) -> None:
    guild = stage.discord.add_guild("Loud", bot_permissions=int(USUAL | Permission.MENTION_EVERYONE))
    guild.add_member(stage.anna)
    channel, role = guild.add_channel("talk"), guild.add_role("Team", mentionable=True)
    code = "".join(f"print({number}, '👩‍💻')  # of a long program\n" for number in range(60))
    text = (
        f"@everyone <@&{role.id}> {stage.anna.mention} https://example.com/\n\n```python\n{code}```\n\n{TABLE}\nDone."
    )
    stage.ollama.answer = in_pieces(text, 9)
    paced(stage.ollama, rate=120)

    if by_mention:
        stage.anna.say(channel, "Write", mention_bot=True)
    else:
        stage.anna.slash(channel, "ask", prompt="Write")
    await stage.said(channel, is_finished)

    first, *further = pages(channel)
    states = [
        event.message
        for event in stage.discord.events
        if event.kind in {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE}
        and event.message
        and event.message.id in {first.id, *(page.id for page in further)}
    ]
    assert len(further) == 1
    assert len(states) > 4
    assert max(unit_count(state.content) for state in states) <= 2000
    assert all(state.content.count("```") % 2 == 0 for state in states)
    assert all(state.suppresses_embeds for state in states)
    pinged = [state.pings for state in states if state.pings]
    assert {user for pings in pinged for user in pings.users} == ({stage.anna.id} if by_mention else set())
    assert not any(pings.everyone or pings.roles for pings in pinged)
    assert len(pinged) == int(by_mention)
