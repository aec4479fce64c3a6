"""Details: how an answer came to be; Replay: whether the same comes out again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env
from simcord.results import InteractionResult, ResponseMessage

from bot.ui.details import DetailsButton
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, file_of, refused, said

GONE = "I no longer remember this answer, so I can't do anything with it. Please ask me again."
CHANGED = "This answer can't be repeated: messages that the model read before it have been deleted or changed since"


async def button(env: Env, channel: ChannelHandle, answer_id: int) -> discord.Message:
    """A message with nothing but the button."""
    found = env.bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    view = discord.ui.View(timeout=None)
    view.add_item(DetailsButton(answer_id))
    message = await found.send("Look", view=view)
    await env.settle()
    return message


async def details(env: Env, who: MemberActor, channel: ChannelHandle, answer_id: int = 2) -> InteractionResult:
    return await who.click(await button(env, channel, answer_id), label="Details")


def shown(result: InteractionResult) -> dict[str, str]:
    """The lines of the details, by their names."""
    assert result.ephemeral
    head, *lines = said(result).splitlines()
    assert head.startswith("**Details of this answer**")
    return dict(line.removeprefix("- **").split(":** ", 1) for line in lines)


def message_of(result: InteractionResult) -> ResponseMessage:
    assert result.response is not None
    return result.response


async def replay(env: Env, who: MemberActor, channel: ChannelHandle, answer_id: int = 2) -> InteractionResult:
    opened = await details(env, who, channel, answer_id)
    return await who.click(message_of(opened), label="Replay")


async def test_details_name_everything_that_shaped_the_answer(
    env: Env, boss: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.slash(channel, "settings set", parameter="temperature", value="0.8")
    await boss.slash(channel, "ask", prompt="Hello?", persona="go-away")
    [asked] = fake.asked

    lines = shown(await details(env, bob, channel))

    seed = asked["options"]["seed"]
    assert lines["Model"] == rf"{MODEL} (the operator's default), digest `{MODEL}`".replace("_", r"\_")
    assert lines["Persona"] == "go-away (this question)"
    assert "temperature `0.8` (this channel)" in lines["Options"]
    assert f"seed `{seed}` (drawn for this answer)" in lines["Options"]
    assert "num_predict `1024` (the bot's own default)" in lines["Options"]
    assert "num_ctx `4096` (the operator's default)" in lines["Options"]
    assert "think" not in lines["Options"]
    assert lines["Left to the model"].startswith("top_k, top_p, min_p, ")
    assert lines["Tokens"].endswith(" in, 2 out, 20 a second")
    assert "the model was loaded already" in lines["Time"]
    assert lines["Memory"] == "nothing had been said before"
    assert lines["End"] == "the model ended it"


@pytest.mark.operator(OLLAMA_NUM_CTX="512", OLLAMA_NUM_PREDICT="64")
async def test_details_say_how_much_of_the_memory_fitted(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    for number in range(2):
        await alice.slash(channel, "ask", prompt=f"Question {number}")
    for _ in range(3):
        await alice.slash(channel, "ask", prompt="word " * 150)

    second, last = [shown(await details(env, alice, channel, answer)) for answer in (4, 10)]

    assert second["Memory"] == "all 2 earlier messages fitted into the context window"
    assert last["Memory"].startswith("the newest ")
    assert last["Memory"].endswith(" of 8 earlier messages fitted into the context window")


async def test_an_answer_that_is_being_written_has_no_details_yet(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    gate = Gate(env, before=1)
    fake.between = gate
    await alice.send(channel, f"{me} Hello?")

    early = await details(env, alice, channel)
    await gate.open()

    assert refused(early) == "An answer is being written here; please wait until it ends."


async def test_an_answer_of_another_channel_is_not_explained(
    env: Env, alice: MemberActor, channel: ChannelHandle
) -> None:
    other = alice.guild.create_text_channel("other")
    await alice.slash(channel, "ask", prompt="Secret?")

    result = await details(env, alice, other)

    assert refused(result) == GONE


async def test_a_forgotten_answer_is_not_explained(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    opened = await details(env, alice, channel)
    await alice.slash(channel, "history undo")

    again = await details(env, alice, channel)
    repeated = await alice.click(message_of(opened), label="Replay")

    assert refused(again) == GONE
    assert said(repeated) == GONE


async def test_a_replay_asks_for_exactly_the_same_and_stores_nothing(
    env: Env, boss: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, database_file: Path
) -> None:
    await boss.slash(channel, "settings set", parameter="keep_alive", value="5m")
    await boss.slash(channel, "persona set", prompt="Be brief.")
    await boss.slash(channel, "ask", prompt="First?")
    await bob.slash(channel, "ask", prompt="Second?")
    await boss.slash(channel, "persona set", prompt="Be long.")
    await boss.slash(channel, "ask", prompt="Third?")
    before = rows(database_file)

    result = await replay(env, bob, channel, answer_id=4)

    assert said(result) == (
        "**Identical.** The same model, options, seed and prompt gave the same text again: all 12 characters."
    )
    assert result.ephemeral
    assert fake.asked[-1] == fake.asked[1]
    assert rows(database_file) == before


def rows(database_file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database_file)) as connection:
        return [*connection.execute("SELECT * FROM messages"), *connection.execute("SELECT * FROM receipts")]


async def test_an_older_version_of_a_persona_is_replayed_as_it_was(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.slash(channel, "persona save", name="cook", prompt="Cook.")
    await boss.slash(channel, "ask", prompt="Hello?", persona="cook")
    await boss.slash(channel, "persona save", name="cook", prompt="Burn.")

    result = await replay(env, boss, channel)

    assert said(result).startswith("**Identical.**")
    assert fake.prompts[-1][0] == ("system", "Cook.")


async def test_a_difference_is_shown(env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> None:
    fake.answer = ["The sky is ", "blue.\n", "Look!"]
    await alice.slash(channel, "ask", prompt="Hello?")
    fake.answer = ["The sky is ", "*green*.\n", "Look!"]

    result = await replay(env, alice, channel)

    head, then, now, note = said(result).splitlines()
    assert head == "**Different** from character 12 on. The same model, options, seed and prompt were used."
    assert then == "- Then: “The sky is blue. Look!”"
    assert now == r"- Now: “The sky is \*green\*. Look!”"
    assert note.startswith("-# The same request can come out differently: Ollama's figures change a little with")
    assert note.endswith("All differences are in `difference.diff`.")
    assert file_of(env, message_of(result)).splitlines() == [
        "--- then",
        "+++ now",
        "@@ -1,2 +1,2 @@",
        "-The sky is blue.",
        "+The sky is *green*.",
        " Look!",
    ]


async def test_a_replay_says_that_messages_before_are_gone(
    env: Env, alice: MemberActor, channel: ChannelHandle, database_file: Path
) -> None:
    await alice.slash(channel, "ask", prompt="First?")
    await alice.slash(channel, "ask", prompt="Second?")
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("UPDATE messages SET parent_id = NULL WHERE id = 3")

    result = await replay(env, alice, channel, answer_id=4)

    assert said(result).startswith(CHANGED)


async def test_a_replay_says_that_the_model_is_another_by_now(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    fake.digests[MODEL] = "sha256:0123456789abcdef"
    other = await replay(env, alice, channel)
    del fake.models[MODEL]

    missing = await replay(env, alice, channel)

    assert said(other) == (
        f"This answer can't be repeated: “{MODEL}” has been replaced since. It was `{MODEL}` and is `0123456789ab` "
        "now, and another model writes another answer."
    )
    assert said(missing) == f"This answer can't be repeated: the Ollama server no longer has the model “{MODEL}”."


async def test_a_failing_model_is_said_in_place_of_the_result(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    fake.error_line = "out of memory"

    result = await replay(env, alice, channel)

    assert "most likely it lacks memory" in said(result)


async def test_an_answer_that_broke_off_is_repeated_as_far_as_it_came(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["One ", "two "]
    fake.error_line = "the disk broke"
    await alice.slash(channel, "ask", prompt="Count")
    fake.answer, fake.error_line = ["One ", "two ", "three ", "four"], None

    result = await replay(env, alice, channel)

    assert said(result) == (
        "**Identical.** The same model, options, seed and prompt gave the same text again, as far as it was written "
        "then: all 8 characters."
    )


async def test_an_answer_that_was_continued_is_not_repeated_as_if_it_were_one(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.ending = {"done_reason": "length"}
    await alice.slash(channel, "ask", prompt="Hello?")
    cut = await details(env, alice, channel)
    fake.ending = {"done_reason": "stop"}
    await alice.click(answered(channel), label="Continue")

    result = await replay(env, alice, channel)

    assert shown(cut)["End"] == "cut off at the limit of 1024 tokens"
    assert shown(await details(env, alice, channel))["Tokens"].endswith(" in, 4 out, 20 a second")
    assert said(result).startswith("This answer can't be repeated: the prompt can't be put together as it was.")


def answered(channel: ChannelHandle) -> discord.Message:
    """The message that shows the only answer."""
    [found] = [it for it in channel.history() if MODEL in it.content]
    return found


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="2")
async def test_a_replay_counts_as_a_question(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")

    first, second = [await replay(env, alice, channel) for _ in range(2)]

    assert said(first).startswith("**Identical.**")
    assert said(second).startswith("You asked 2 questions within a minute, which is as many as you may.")


async def test_thoughts_are_no_part_of_what_is_compared(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "thinking"]
    fake.answer = ["<thi", "nk>Hm.</think>", "Hello ", "there."]
    await alice.slash(channel, "ask", prompt="Hello?")
    fake.answer = ["<think>Oh!</think>Hello there."]

    result = await replay(env, alice, channel)

    assert "think `off`" in shown(await details(env, alice, channel))["Options"]
    assert said(result).endswith("all 12 characters.")


async def test_thoughts_that_leaked_into_the_text_are_no_part_of_what_is_compared(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "thinking"]
    fake.answer = ["Let me ", "see.\n", "</think>\n", "Hello ", "there."]
    await alice.slash(channel, "ask", prompt="Hello?")

    result = await replay(env, alice, channel)

    assert said(result).startswith("**Identical.**")
    assert said(result).endswith("all 12 characters.")


async def test_an_answer_that_broke_off_after_leaked_thoughts_is_repeated_beyond_them(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "thinking"]
    fake.answer = [*["Let me see. "] * 9, "\n</think>\n", "Hello "]
    fake.error_line = "the disk broke"
    await alice.slash(channel, "ask", prompt="Hello?")
    fake.answer, fake.error_line = [*fake.answer, "there."], None

    result = await replay(env, alice, channel)

    assert said(result).startswith("**Identical.**")
    assert said(result).endswith("as far as it was written then: all 6 characters.")


async def test_one_person_has_one_replay_at_a_time(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    opened = message_of(await details(env, alice, channel))
    gate = Gate(env, before=1)
    fake.between = gate
    first = await alice.click(opened, label="Replay")

    second = await alice.click(opened, label="Replay")
    await gate.open()

    assert refused(second) == "Your last replay is still running; please wait for its result."
    assert said(first).startswith("**Identical.**")


async def test_buttons_of_an_earlier_process_work(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    old = await button(env, channel, 2)
    env.bot._connection._view_store = type(env.bot._connection._view_store)(env.bot._connection)
    env.bot.add_dynamic_items(DetailsButton)

    result = await alice.click(old, label="Details")

    assert shown(result)["End"] == "the model ended it"
