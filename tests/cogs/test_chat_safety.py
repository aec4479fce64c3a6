"""What nobody may do to others, whether they are people or the model."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import (
    may_notify,
    said,
    written,
)

SIGNATURE = f"-# {MODEL} · assistant"
SQL = "Robert'); DROP TABLE messages;-- \" %s :x ? \\"

LOUD = "@everyone @here <@&{role}> <@{user}> hello"


async def test_nothing_that_is_said_anywhere_notifies_anybody(
    env: Env, guild: GuildHandle, boss: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    """The model, errors, names, prompts: the bot may mention everyone here, and still nobody hears a thing."""
    role = guild.create_role("team", mentionable=True)
    loud = LOUD.format(role=role.id, user=bob.id)
    fake.answer = [loud, " ", f"{loud}\n" * 60]
    fake.models[loud[:30]] = fake.models[MODEL]

    await boss.slash(channel, "ask", prompt=loud)
    await boss.slash(channel, "ask", prompt=loud, private=True)
    await boss.slash(channel, "ask", prompt="Why?", persona=loud)
    await boss.slash(channel, "ask", prompt="Why?", file=(f"{loud}.png", b"x"))
    await boss.slash(channel, "ask", prompt="Why?", file=(f"{loud}.txt", b"\xff\xff"))
    await boss.slash(channel, "persona set", prompt=loud)
    await boss.slash(channel, "persona show")
    await boss.slash(channel, "persona save", name="loud", prompt=loud)
    await boss.slash(channel, "persona list")
    await boss.slash(channel, "persona use", name=loud)
    await boss.slash(channel, "persona delete", name="@everyone")
    await boss.slash(channel, "settings set", parameter="stop", value="@everyone|@here")
    await boss.slash(channel, "settings set", parameter=loud, value=loud)
    await boss.slash(channel, "settings set", parameter="seed", value=loud)
    await boss.slash(channel, "settings show")
    await boss.slash(channel, "settings reset", parameter="stop")
    await boss.slash(channel, "model use", name=loud)
    await boss.slash(channel, "model use", name=loud[:30])
    await boss.slash(channel, "model list")
    await boss.slash(channel, "model pull", name=loud)
    await boss.slash(channel, "history show")
    await boss.slash(channel, "history undo")

    assert len(written(env)) > 22
    assert may_notify(env) == set()
    assert not any(
        message.ping_user_ids or message.ping_role_ids for message in env.backend.messages[channel.id].values()
    )


async def test_a_reply_notifies_only_the_person_who_asked(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.answer = [f"@everyone {bob.mention} "] * 200

    await alice.send(channel, f"{me} Shout.")

    creates = [body for body in written(env) if "message_reference" in body]
    assert [body["allowed_mentions"] for body in creates] == [{"parse": [], "replied_user": True}]
    assert may_notify(env) == {"the asker"}


async def test_a_question_can_not_write_markup_into_the_header(alice: MemberActor, channel: ChannelHandle) -> None:
    answer = await alice.slash(channel, "ask", prompt="**a**\n# b [c](https://example.com) <@1> ||d||")

    assert said(answer).splitlines()[0] == (
        r"-# alice asked: \*\*a\*\* \# b \[c\]\(https://example.com) \<@1\> \|\|d\|\|"
    )


@pytest.mark.parametrize("how", ["ask", "mention"])
async def test_links_never_unfurl_not_even_after_edits(
    how: str, env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.answer = ["See https://example.com ", *["and so on "] * 300]

    if how == "ask":
        await alice.slash(channel, "ask", prompt="Where?")
    else:
        await alice.send(channel, f"{me} Where?")

    mine = [message for message in channel.history() if message.author.bot]
    assert len(mine) == 2
    assert all(message.flags.suppress_embeds for message in mine)
    assert mine[0].edited_at is not None


async def test_whatever_people_write_comes_back_to_the_letter(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.reply = lambda body: [body["messages"][-1]["content"]]

    await boss.slash(channel, "persona set", prompt=SQL)
    await boss.slash(channel, "ask", prompt=SQL)
    await boss.send(channel, f"{me} {SQL}")
    await boss.slash(channel, "ask", prompt="x", file=("a.txt", SQL.encode()))

    assert fake.prompts[-1][0] == ("system", SQL)
    assert [content for _, content in fake.prompts[-1][1:]] == [
        *[SQL] * 4,
        f"x\n\na.txt:\n```\n{SQL}\n```",
    ]
