"""What counts as a question to the bot: its own role's mention does, a blank does not."""

from __future__ import annotations

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import refused, texts

SIGNATURE = f"-# {MODEL} · assistant"
HOW_TO_ASK = "Ask me something: write it in the same message as the mention, or use `/ask`."


def managed_role(env: Env, guild: GuildHandle, name: str, bot_id: int) -> discord.Role:
    """A role as Discord makes it for a bot that is invited, which SimCord does not."""
    cached = env.bot.get_guild(guild.id)
    assert cached is not None
    role = cached.get_role(guild.create_role(name).id)
    assert role is not None
    role.tags = discord.RoleTags({"bot_id": str(bot_id)})
    return role


@pytest.mark.operator(MESSAGE_CONTENT_INTENT="true")
@pytest.mark.parametrize("wording", ["{role} How are you?", "How are you? {role}", "{role} How are you? {me}"])
async def test_a_mention_of_the_bots_own_role_calls_the_bot(
    wording: str, env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    role = managed_role(env, guild, "Llampost", env.backend.bot_user.id)

    await alice.send(channel, wording.format(role=role.mention, me=me))

    assert [prompt[-1] for prompt in fake.prompts] == [("user", "How are you?")]
    assert texts(channel)[1:] == [f"Hello there.\n{SIGNATURE}"]


async def test_a_role_mention_that_discord_hides_is_explained(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    role = managed_role(env, guild, "Llampost", env.backend.bot_user.id)

    await alice.send(channel, f"{role.mention} How are you?")

    assert texts(channel)[1:] == [
        (
            "Discord hides the text of this message from me, because it mentions my role and not me. "
            "Please choose me from the list, not the role of the same name."
        )
    ]
    assert fake.asked == []


@pytest.mark.operator(MESSAGE_CONTENT_INTENT="true")
async def test_another_bots_role_calls_nobody_here(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    other = managed_role(env, guild, "Other", env.create_user("other", bot=True).id)

    await alice.send(channel, f"{other.mention} How are you?")

    assert len(texts(channel)) == 1
    assert fake.asked == []


async def test_a_word_that_only_begins_like_the_bots_name_stays_in_the_question(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    name = env.backend.bot_user.name

    await alice.send(channel, f"@{name}s are many, {me}, or @{name}")

    assert fake.prompts[0][-1] == ("user", f"@{name}s are many, @{name}, or @{name}")


BLANK = ["\u200b", "\u2800 \u3164", "\u00a0\n\u202e", "\u115f\u1160\uffa0"]


@pytest.mark.parametrize("blank", BLANK)
async def test_a_question_that_shows_nothing_is_refused(
    blank: str, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    refusal = await alice.slash(channel, "ask", prompt=blank)
    await alice.send(channel, f"{me} {blank}")

    assert refused(refusal) == "Ask me something: your question is blank."
    assert refusal.followups == []
    assert texts(channel)[1:] == [HOW_TO_ASK]
    assert fake.asked == []


async def test_a_file_needs_no_words_beside_it(alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> None:
    await alice.slash(channel, "ask", prompt="\u200b", file=("a.txt", b"Sum this up."))

    assert len(fake.asked) == 1
    assert "Sum this up." in fake.prompts[0][-1][1]
