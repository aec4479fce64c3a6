"""/privacy as people use it, and what they are told after their first answer."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env
from simcord.results import InteractionResult

from bot.chat.privacy import Notice
from bot.ui.notice import WORDS
from tests.fake_ollama import FakeOllama
from tests.world import Gate, refused, said, texts

HINT = WORDS[Notice.KEPT]


def data_of(env: Env, result: InteractionResult) -> dict[str, list[dict[str, object]]]:
    """The rows of an export."""
    assert result.response is not None
    [attachment] = result.response.attachments
    packed = env.backend.cdn.get(attachment.url)
    assert packed is not None
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        rows: dict[str, list[dict[str, object]]] = json.loads(archive.read("data.json"))
        return rows


def hints(result: InteractionResult) -> list[str]:
    """The follow-ups that only the person sees."""
    return [message.content for message in result.followups if message.ephemeral]


async def test_nothing_is_kept_of_somebody_who_never_asked(alice: MemberActor, channel: ChannelHandle) -> None:
    shown = await alice.slash(channel, "privacy show")

    assert shown.ephemeral
    assert said(shown) == (
        "I keep nothing about you.\nQuestions and answers here are kept until somebody deletes them."
    )


async def test_what_is_kept_is_shown_with_where_it_was_said(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle, guild: GuildHandle
) -> None:
    other = guild.create_text_channel("other")
    for place in (channel, channel, other):
        await alice.slash(place, "ask", prompt="Why?")
    await alice.user.slash("ask", prompt="And alone?")
    await alice.slash(channel, "settings set", parameter="quiet", value="on", scope="me")
    await boss.slash(channel, "privacy retention", days=1)

    shown = await alice.slash(channel, "privacy show")

    kept, export, *places, retention = re.sub(r"<t:\d+:R>", "WHEN", said(shown)).splitlines()
    assert kept == (
        "I keep about you: 4 questions, 4 answers to them, 1 setting that you chose, "
        "1 note of what you changed in settings. The oldest of it is from WHEN. "
        "And that I told you what I keep."
    )
    assert export == "`/privacy export` gives all of it to you as a file."
    assert places == ["- in direct messages: 1 question", f"- in Team: <#{channel.id}> 2, <#{other.id}> 1"]
    assert retention == "Questions and answers here are deleted after 1 day, from this server."


async def test_an_export_is_a_file_for_its_person_alone(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Why? 👋")

    exported = await alice.slash(channel, "privacy export")

    assert exported.ephemeral
    rows = data_of(env, exported)
    assert [row["content"] for row in rows["messages"]] == ["Why? 👋", "Hello there."]
    assert [row["person_id"] for row in rows["people"]] == [str(alice.id)]


async def test_deleting_asks_first(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    asked = await alice.slash(channel, "privacy delete")
    assert asked.response is not None
    assert asked.ephemeral

    await alice.click(asked.response, label="Cancel")

    assert len(data_of(env, await alice.slash(channel, "privacy export"))["messages"]) == 2


async def test_deleting_stops_what_is_being_written(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await bob.slash(channel, "ask", prompt="Before.")
    fake.between = gate = Gate(env, before=1)
    answer = await alice.slash(channel, "ask", prompt="Why?")
    asked = await alice.slash(channel, "privacy delete")
    assert asked.response is not None

    click = await alice.click(asked.response, label="Delete everything")
    await gate.open()

    assert "Hello there." not in said(answer), "it stopped where it was"
    assert hints(answer) == []
    assert click.response is not None
    shown = await alice.slash(channel, "privacy show")
    assert said(shown).startswith("I keep nothing about you.")
    assert "2 messages are remembered here" in said(await bob.slash(channel, "history show"))


@pytest.mark.operator(LIMIT_TOKENS_PER_DAY="1000")
async def test_what_is_noted_of_somebody_who_asked_only_privately_is_said(
    alice: MemberActor, channel: ChannelHandle
) -> None:
    await alice.slash(channel, "ask", prompt="Why?", private=True)

    shown = await alice.slash(channel, "privacy show")

    assert said(shown).startswith(
        "I keep nothing about you but how many tokens you used on a day, because there is a limit.\n"
        "`/privacy export` gives all of it to you as a file.\n"
    )


async def test_that_somebody_was_told_is_noted_also_when_nothing_else_is(
    alice: MemberActor, channel: ChannelHandle
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    asked = await alice.slash(channel, "privacy show")
    await alice.slash(channel, "history undo")

    shown = await alice.slash(channel, "privacy show")

    assert "And that I told you what I keep." in said(asked)
    assert said(shown).startswith("I keep nothing about you but that I told you what I keep.\n")


@pytest.mark.operator(LIMIT_TOKENS_PER_DAY="1000")
async def test_deleting_is_no_way_round_the_limit_and_leaves_nothing_stored(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, database_file: Path
) -> None:
    fake.ending = {"done_reason": "stop", "prompt_eval_count": 990, "eval_count": 10}
    await alice.slash(channel, "ask", prompt="Why?")
    asked = await alice.slash(channel, "privacy delete")
    assert asked.response is not None

    await alice.click(asked.response, label="Delete everything")
    refusal = await alice.slash(channel, "ask", prompt="Again?")

    assert asked.response.content.endswith("that you used 1,000 tokens today. It is stored nowhere.")
    assert "You have used your 1,000 tokens for today." in refused(refusal)
    with closing(sqlite3.connect(database_file)) as connection:
        assert connection.execute("SELECT count(*) FROM usage").fetchone() == (0,)
    assert said(await alice.slash(channel, "privacy show")).startswith("I keep nothing about you.")


async def test_after_opting_out_a_question_is_answered_and_not_remembered(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    out = await alice.slash(channel, "privacy opt-out")
    again = await alice.slash(channel, "privacy opt-out")
    first = await alice.slash(channel, "ask", prompt="One")
    second = await alice.slash(channel, "ask", prompt="Two")

    assert refused(out).startswith("From now on I keep nothing of what you ask me")
    assert refused(again).startswith("You have opted out already")
    assert hints(first) == [WORDS[Notice.NOT_KEPT]]
    assert hints(second) == []
    assert [content for _, content in fake.prompts[-1][1:]] == ["Two"]
    assert said(await alice.slash(channel, "history show")).startswith(
        "Nothing is remembered of this conversation yet."
    )


async def test_deleting_says_that_the_choice_to_opt_out_stays(alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "privacy opt-out")
    asked = await alice.slash(channel, "privacy delete")
    assert asked.response is not None

    await alice.click(asked.response, label="Delete everything")
    back = await alice.slash(channel, "privacy opt-in")

    assert refused(back) == "From now on I remember what you ask me."


async def test_everybody_is_told_once_and_nobody_else_sees_it(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str
) -> None:
    first = await alice.slash(channel, "ask", prompt="One")
    second = await alice.slash(channel, "ask", prompt="Two")
    await alice.send(channel, f"{me} Three")
    await bob.send(channel, f"{me} One")
    await bob.send(channel, f"{me} Two")
    third = await bob.slash(channel, "ask", prompt="Three")

    assert hints(first) == [HINT]
    assert hints(second) == hints(third) == []
    assert [message.content for message in bob.user.dm_channel.history()] == [HINT]
    assert HINT not in texts(channel)


async def test_what_nobody_keeps_needs_no_notice(alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> None:
    private = await alice.slash(channel, "ask", prompt="One", private=True)
    fake.offline = True
    failed = await alice.slash(channel, "ask", prompt="Two")

    assert [message.content for message in (*private.followups, *failed.followups)] == []


@pytest.mark.parametrize(("days", "sentence"), [(0, "kept until somebody deletes them"), (1, "deleted after 1 day")])
async def test_a_server_chooses_how_long_its_conversations_are_kept(
    boss: MemberActor, channel: ChannelHandle, days: int, sentence: str
) -> None:
    chosen = await boss.slash(channel, "privacy retention", days=days)
    again = await boss.slash(channel, "privacy retention", days=days)

    assert not chosen.ephemeral
    assert said(chosen) == f"Questions and answers in this server are {sentence}."
    assert refused(again) == f"Questions and answers in this server are {sentence}. That was so already."


async def test_direct_messages_have_no_server_to_choose(alice: MemberActor) -> None:
    refusal = await alice.user.slash("privacy retention", days=3)

    assert refused(refusal).startswith("How long conversations are kept is chosen per server,")
