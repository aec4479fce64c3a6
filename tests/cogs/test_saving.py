"""“Save answer as file”, in the menu of a message."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env
from simcord.results import InteractionResult, ResponseMessage

from bot.client import Bot
from cogs.history import SAVE_ANSWER
from tests.fake_ollama import FakeOllama
from tests.reference import README
from tests.world import Gate, file_of, refused, said, thread_in

NO_ANSWER = (
    "There is no answer to save in this message: none has begun here, or it was private, or it has been forgotten."
)
NOT_FINISHED = "This answer is still being written; please try again when it is finished."


async def save(
    member: MemberActor, channel: ChannelHandle, message: discord.Message | ResponseMessage
) -> InteractionResult:
    return await member.context_menu(channel, SAVE_ANSWER, message)


def saved(env: Env, result: InteractionResult) -> str:
    """What is in the file, which only the person who wanted it sees."""
    assert result.ephemeral
    assert result.response is not None
    assert [file.filename for file in result.response.attachments] == ["answer.md"]
    return file_of(env, result.response)


async def test_an_answer_is_saved_exactly_as_the_model_wrote_it(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["  # Grüße 👋\n\n", "```python\n", "print('@everyone')\n```\n", "-# small\n\n\n"]
    await alice.slash(channel, "ask", prompt="Write.")
    [answer] = channel.history()

    result = await save(bob, channel, answer)

    assert saved(env, result) == "".join(fake.answer)
    assert said(result) == "Here is the whole answer."


async def test_every_page_of_an_answer_gives_the_whole_of_it(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.answer = [f"word {number} " for number in range(500)]
    await alice.send(channel, f"{me} Talk.")
    [_, *pages] = channel.history()

    files = [saved(env, await save(alice, channel, page)) for page in pages]

    assert len(files) > 1
    assert files == ["".join(fake.answer)] * len(pages)


async def test_each_answer_is_saved_for_itself_also_in_a_thread_and_after_a_restart(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, new_bot: Callable[[], Bot]
) -> None:
    fake.reply = lambda body: [f"Answer to {body['messages'][-1]['content']}"]
    thread = thread_in(channel, alice)
    for place, question in ((channel, "one"), (channel, "two"), (thread, "three")):
        await alice.slash(place, "ask", prompt=question)
    await env.restart_bot(new_bot())

    [_thread_begun, *messages] = channel.history()
    one, two = [saved(env, await save(alice, channel, message)) for message in messages]
    three = saved(env, await save(alice, thread, thread.history()[-1]))

    assert (one, two, three) == ("Answer to one", "Answer to two", "Answer to three")


async def test_an_answer_that_broke_off_is_saved_as_far_as_it_came(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer, fake.error_line = ["Half of "], "boom"
    await alice.slash(channel, "ask", prompt="Why?")

    assert saved(env, await save(alice, channel, channel.history()[0])) == "Half of "


@pytest.mark.parametrize("before", [0, 1], ids=["before its first word", "in the middle"])
async def test_an_answer_that_is_being_written_is_to_be_saved_later(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, before: int
) -> None:
    fake.between = gate = Gate(env, before=before)
    await alice.slash(channel, "ask", prompt="Why?")
    [answer] = channel.history()

    too_early = await save(alice, channel, answer)
    await gate.open()
    in_time = await save(alice, channel, answer)

    assert refused(too_early) == NOT_FINISHED
    assert saved(env, in_time) == "Hello there."


async def test_an_answer_that_waits_for_its_turn_has_nothing_to_save_yet(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=0)
    await alice.slash(channel, "ask", prompt="First.")
    await bob.slash(channel, "ask", prompt="Second.")

    refusal = await save(bob, channel, channel.history()[-1])
    await gate.open()

    assert refused(refusal) == NO_ANSWER


async def test_an_answer_without_any_text_says_so(alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> None:
    fake.answer, fake.error_line = [], "boom"
    await alice.slash(channel, "ask", prompt="Why?")

    refusal = await save(alice, channel, channel.history()[0])

    assert refused(refusal) == (
        "No text of this answer is kept: the model gave none, or the bot was restarted while it was being written."
    )


async def test_somebody_elses_message_is_no_answer(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str
) -> None:
    """Also the question, which the memory knows by its message."""
    talk = await bob.send(channel, "Lunch?")
    question = await alice.send(channel, f"{me} Why?")

    refusals = [await save(alice, channel, message) for message in (talk, question)]

    for refusal in refusals:
        assert refused(refusal) == "This message is not mine; only my answers can be saved."


async def test_what_the_bot_said_otherwise_is_no_answer(boss: MemberActor, channel: ChannelHandle) -> None:
    await boss.slash(channel, "settings set", parameter="top_k", value="5")
    [news] = channel.history()

    assert refused(await save(boss, channel, news)) == NO_ANSWER


async def test_a_private_answer_is_not_kept(alice: MemberActor, channel: ChannelHandle) -> None:
    private = await alice.slash(channel, "ask", prompt="A secret.", private=True)
    assert private.response is not None

    assert refused(await save(alice, channel, private.response)) == NO_ANSWER


async def test_what_is_forgotten_can_not_be_saved(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="First.")
    await alice.slash(channel, "ask", prompt="Second.")
    first, second = channel.history()
    await alice.slash(channel, "history undo")
    undone, kept = await save(alice, channel, second), await save(alice, channel, first)
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None
    await alice.click(asked.response, label="Forget everything")

    cleared = await save(alice, channel, first)

    assert refused(undone) == refused(cleared) == NO_ANSWER
    assert saved(env, kept) == "Hello there."


async def test_an_answer_of_another_channel_is_not_given_away(
    env: Env, alice: MemberActor, channel: ChannelHandle, guild: GuildHandle, database_file: Path
) -> None:
    """Even if the database said that a message here shows it."""
    other = guild.create_text_channel("other")
    await alice.slash(other, "ask", prompt="Secret?")
    await alice.slash(channel, "ask", prompt="Open?")
    [here], [there] = channel.history(), other.history()
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("DELETE FROM discord_messages WHERE discord_id = ?", (here.id,))
        connection.execute("UPDATE discord_messages SET discord_id = ? WHERE discord_id = ?", (here.id, there.id))

    assert refused(await save(alice, channel, here)) == NO_ANSWER


def test_readme_calls_it_by_its_name() -> None:
    assert f"**{SAVE_ANSWER}**" in README.read_text("utf-8")
