"""/history: what is remembered, taking back, forgetting, taking away."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env
from simcord.results import InteractionResult

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, file_of, refused, said

QUESTION = "Shall I forget this whole conversation? The messages in Discord stay, my memory goes for good."
A_TOKEN = "(a token is about ¾ of an English word)"


async def remembered(member: MemberActor, channel: ChannelHandle) -> str:
    """What `/history show` says first."""
    return said(await member.slash(channel, "history show")).partition(".")[0]


def exported(env: Env, result: InteractionResult) -> str:
    assert result.response is not None
    return file_of(env, result.response)


async def test_a_new_conversation_is_empty(alice: MemberActor, channel: ChannelHandle) -> None:
    first = await remembered(alice, channel)
    undone = await alice.slash(channel, "history export")

    assert first == "Nothing is remembered of this conversation yet"
    assert refused(undone) == "There is nothing to export: this conversation is empty."


async def test_the_last_messages_are_shown_with_who_said_them(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["*Hm.*\n", "x" * 200]
    await alice.slash(channel, "ask", prompt="First?")
    await bob.slash(channel, "ask", prompt="Second?")

    shown = await alice.slash(channel, "history show")

    answer = rf"\*Hm.\* {'x' * 142}"
    first, *_, heading, one, two, three, four = said(shown).splitlines()
    assert first == "4 messages are remembered here. All of them go to the model with your next question."
    assert [heading, one, two, three, four] == [
        "The last messages:",
        "- **alice**: First?",
        f"- **Model**: {answer[:79]}…",
        "- **bob**: Second?",
        f"- **Model**: {answer[:79]}…",
    ]
    assert shown.ephemeral


async def test_a_new_conversation_shows_its_window_and_the_room_in_it(
    alice: MemberActor, channel: ChannelHandle
) -> None:
    shown = await alice.slash(channel, "history show")

    assert said(shown).splitlines() == [
        "Nothing is remembered of this conversation yet.",
        f"The context window of **{MODEL}** holds 4,096 tokens, as the operator set it {A_TOKEN}:",
        "- system prompt of assistant: about 21",
        "- remembered messages: about 0",
        "- free for your question and the answer: about 4,075, of which the answer may take 1,024",
        "Your question can have up to about 3,036 tokens, files included.",
    ]


@pytest.mark.operator(OLLAMA_NUM_CTX="512", OLLAMA_NUM_PREDICT="64")
async def test_what_is_left_out_of_a_full_window_is_told_and_so_it_is(
    alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.answer = ["word "] * 40
    for number in range(8):
        await alice.send(channel, f"{me} Question {number} is this one?")

    shown = said(await alice.slash(channel, "history show"))
    fake.answer = ["Yes."]
    await alice.slash(channel, "ask", prompt="And?")

    found = re.search(r"the newest (\d+) go to the model, from \*\*alice\*\*: “(.+)” \((\S+)\) on\.", shown)
    assert found, shown
    _, first, *_ = sent = [content for _, content in fake.prompts[-1]]
    assert (int(found[1]), found[2]) == (len(sent) - 2, first)
    [asked] = [message for message in channel.history() if first in message.content]
    assert found[3] == f"https://discord.com/channels/{guild.id}/{channel.id}/{asked.id}"
    left = 16 - int(found[1])
    assert f"The {left} before no longer go, because the context window was full; they stay remembered" in shown
    assert "ask the operator to raise `OLLAMA_NUM_CTX`, or begin anew with `/history clear`." in shown
    assert (await remembered(alice, channel)).startswith("18 messages")


async def test_a_command_shows_its_question_in_the_answer_so_the_link_leads_there(
    alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["context_length"] = 512
    fake.answer = ["word "] * 120
    for number in range(3):
        await alice.slash(channel, "ask", prompt=f"Question {number}?")

    shown = said(await alice.slash(channel, "history show"))

    [third] = [message for message in channel.history() if "Question 2?" in message.content]
    assert f"“Question 2?” (https://discord.com/channels/{guild.id}/{channel.id}/{third.id})" in shown
    assert "holds 512 tokens, the most that this model takes" in shown
    assert "choose one with `/model use`" in shown


async def test_without_ollama_the_history_is_shown_all_the_same(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="First?")
    fake.models["other:1b"] = fake.models[MODEL]
    await boss.slash(channel, "model use", name="other:1b")
    fake.offline = True

    shown = said(await alice.slash(channel, "history show"))

    assert "The context window of **other:1b** holds 4,096 tokens, as the operator set it" in shown
    assert "The model itself could not be asked: Ollama" in shown
    assert shown.startswith("2 messages are remembered here. All of them go to the model with your next question.")
    assert shown.endswith("- **alice**: First?\n- **Model**: Hello there.")


async def test_what_is_taken_back_is_never_read_again(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="My name is Alice.")
    await alice.slash(channel, "ask", prompt="My password is hunter2.")

    undone = await alice.slash(channel, "history undo")
    await alice.slash(channel, "ask", prompt="What do you know?")

    assert said(undone) == "Forgotten, with its answer: “My password is hunter2.”"
    assert [content for role, content in fake.prompts[-1] if role == "user"] == [
        "My name is Alice.",
        "What do you know?",
    ]


async def test_a_question_that_failed_is_not_counted(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer, fake.error_line = [], "boom"
    await alice.slash(channel, "ask", prompt="First?")
    first = await remembered(alice, channel)
    fake.answer, fake.error_line = ["Yes."], None
    await alice.slash(channel, "ask", prompt="Second?")

    shown = await alice.slash(channel, "history show")

    assert first == "Nothing is remembered of this conversation yet"
    assert said(shown).startswith("2 messages are remembered here. All of them go to the model")
    assert said(shown).endswith("The last messages:\n- **alice**: Second?\n- **Model**: Yes.")


async def test_looking_leaves_no_trace(alice: MemberActor, channel: ChannelHandle, database_file: Path) -> None:
    await alice.slash(channel, "history show")

    with closing(sqlite3.connect(database_file)) as connection:
        assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (0,)


async def test_an_answer_that_is_being_written_is_not_taken_back_with_the_question_before(
    env: Env, alice: MemberActor, bob: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Hers.")
    fake.between = gate = Gate(env, before=1)
    await bob.slash(channel, "ask", prompt="His.")

    refusals = [await member.slash(channel, "history undo") for member in (alice, boss)]
    await gate.open()

    for refusal in refusals:
        assert refused(refusal) == "An answer is being written here; please wait until it ends."
    assert await remembered(alice, channel) == "4 messages are remembered here"
    assert said(await bob.slash(channel, "history undo")) == "Forgotten, with its answer: “His.”"


async def test_what_others_asked_since_is_not_forgotten_by_an_old_button(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle
) -> None:
    await alice.slash(channel, "ask", prompt="Hers.")
    asked = await alice.slash(channel, "history clear")
    await bob.slash(channel, "ask", prompt="His.")
    assert asked.response is not None

    click = await alice.click(asked.response, label="Forget everything")

    [told] = click.followups
    assert told.ephemeral
    assert told.content.startswith("Other people asked here too; forgetting it all needs the permission")
    assert await remembered(alice, channel) == "4 messages are remembered here"


async def test_nothing_is_left_to_take_back_in_the_end(boss: MemberActor, channel: ChannelHandle) -> None:
    await boss.slash(channel, "ask", prompt="Only one.")
    await boss.slash(channel, "history undo")

    refusal = await boss.slash(channel, "history undo")

    assert refused(refusal) == "There is nothing to take back: this conversation is empty."


@pytest.mark.parametrize("who", ["alice", "boss"])
async def test_where_nothing_is_remembered_nobody_is_asked_whether_to_forget_it(
    who: str, alice: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    refusal = await {"alice": alice, "boss": boss}[who].slash(channel, "history clear")

    assert refused(refusal) == "There is nothing to forget: this conversation is empty."
    assert refusal.response
    assert refusal.response.components == []


async def test_forgetting_everything_asks_first_and_then_does_it(
    env: Env, boss: MemberActor, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await boss.slash(channel, "history clear")
    before = await remembered(alice, channel)
    assert asked.response is not None

    await boss.click(asked.response, label="Forget everything")

    assert before == "2 messages are remembered here"
    assert asked.response.content == "All 2 messages of this conversation are forgotten."
    assert asked.response.ephemeral
    assert asked.response.components == []
    assert await remembered(alice, channel) == "Nothing is remembered of this conversation yet"
    await alice.slash(channel, "ask", prompt="Who am I?")
    assert [content for _, content in fake.prompts[-1][1:]] == ["Who am I?"]
    await env.advance_time(121)
    assert asked.response.content == "All 2 messages of this conversation are forgotten."


async def test_thinking_better_of_it_keeps_everything(alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None
    assert asked.response.content == QUESTION

    await alice.click(asked.response, label="Cancel")

    assert asked.response.content == "Nothing was changed."
    assert asked.response.components == []
    assert await remembered(alice, channel) == "2 messages are remembered here"


async def test_a_question_that_nobody_answers_lapses(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None

    await env.advance_time(119)
    still = asked.response.content
    await env.advance_time(2)

    assert still == QUESTION
    assert asked.response.content == "Nothing was changed: nobody answered."
    assert asked.response.components == []
    assert await remembered(alice, channel) == "2 messages are remembered here"


async def test_a_dismissed_question_lapses_quietly(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None
    env.backend.delete_message(channel.id, asked.response.id)

    await env.advance_time(121)

    assert env.errors == []


async def test_forgetting_that_fails_is_said(
    alice: MemberActor, channel: ChannelHandle, database_file: Path, env: Env, caplog: pytest.LogCaptureFixture
) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None
    env.check_errors = False
    with closing(sqlite3.connect(database_file)) as connection:
        connection.executescript("PRAGMA foreign_keys = off; DROP TABLE conversations;")

    click = await alice.click(asked.response, label="Forget everything")

    [told] = click.followups
    assert told.ephemeral
    assert told.content.startswith("Something unexpected went wrong. The operator finds it in the log as error ")
    assert told.content.split()[-1].rstrip(".") in caplog.text


async def test_an_answer_on_its_way_does_not_come_back_after_forgetting(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None

    await alice.click(asked.response, label="Forget everything")
    await gate.open()

    assert "Hello there." in said(answer)
    assert await remembered(alice, channel) == "Nothing is remembered of this conversation yet"


async def test_a_conversation_can_be_taken_away_to_read(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["Grüße,\n", "## so"]
    await alice.slash(channel, "ask", prompt="Hallo 👋 @everyone\n'; DROP TABLE x;--")

    result = await alice.slash(channel, "history export")

    assert result.ephemeral
    assert result.response is not None
    assert [file.filename for file in result.response.attachments] == ["conversation.md"]
    head, question, answer = exported(env, result).split("## ", 2)
    assert head == ""
    assert question.startswith("alice, 20")
    assert question.endswith(" UTC\n\nHallo 👋 @everyone\n'; DROP TABLE x;--\n\n")
    assert answer.startswith("Model, 20")
    assert answer.endswith(" UTC\n\nGrüße,\n## so\n")


async def test_a_conversation_can_be_taken_away_for_programs(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Hallo 👋")
    fake.error_line = "boom"
    await alice.slash(channel, "ask", prompt="Again.")

    result = await alice.slash(channel, "history export", format="json")

    assert result.response is not None
    assert [file.filename for file in result.response.attachments] == ["conversation.json"]
    entries = json.loads(exported(env, result))
    assert [{key: entry[key] for key in entry if key != "created_at"} for entry in entries] == [
        {"role": role, "author": author, "author_id": author_id, "content": content, "end_reason": end}
        for role, author, author_id, content, end in (
            ("user", "alice", str(alice.id), "Hallo 👋", "complete"),
            ("assistant", None, None, "Hello there.", "complete"),
            ("user", "alice", str(alice.id), "Again.", "complete"),
            ("assistant", None, None, "Hello there.", "failed"),
        )
    ]
