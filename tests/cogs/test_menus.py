"""What people choose in a message's menu: asking about it, and going on from it in a thread."""

from __future__ import annotations

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env
from simcord.results import InteractionResult

from tests.fake_ollama import MODEL, FakeOllama
from tests.files.made import image
from tests.world import field_of, refused, said, texts

ABOUT, THREAD = "Ask about this", "Continue in a thread"
THREADS_CLOSED = discord.PermissionOverwrite(create_public_threads=False)


async def ask_about(
    member: MemberActor, channel: ChannelHandle, message: discord.Message, question: str
) -> InteractionResult:
    window = await member.context_menu(channel, ABOUT, message)
    return await member.submit_modal(window, {field_of(window): question})


def thread_of(env: Env, guild: GuildHandle, channel: ChannelHandle) -> ChannelHandle:
    """The only thread in a channel."""
    [thread] = [it for it in env.backend.channels.values() if it.parent_id == channel.id]
    return ChannelHandle(env, guild, thread)


def as_it_is_now(channel: ChannelHandle, message: discord.Message) -> discord.Message:
    [found] = [it for it in channel.history() if it.id == message.id]
    return found


def last_of(channel: ChannelHandle) -> discord.Message:
    return [message for message in channel.history() if not message.flags.ephemeral][-1]


async def test_a_message_goes_along_with_a_question_about_it(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    message = await bob.send(channel, "The ```moon``` is made of cheese.", attachments=[("proof.txt", b"It smells.")])

    await ask_about(alice, channel, message, "Is that true?")

    [_, (role, content)] = fake.prompts[0]
    assert role == "user"
    assert content == (
        "Is that true?\n\n"
        "The message that I ask about:\n````\nThe ```moon``` is made of cheese.\n````\n\n"
        "proof.txt:\n```\nIt smells.\n```"
    )
    header, text, footer = last_of(channel).content.splitlines()
    assert header == f"-# alice asked: Is that true? (about {message.jump_url})"
    assert text == "Hello there."
    assert footer.startswith(f"-# {MODEL} · assistant")


async def test_of_an_answer_all_pages_go_along_without_what_stands_around_them(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = [f"w{number:03} " for number in range(600)]
    await alice.slash(channel, "ask", prompt="Count")
    whole, fake.answer = "".join(fake.answer), ["Yes."]

    await ask_about(alice, channel, last_of(channel), "All of them?")

    asked = fake.prompts[1][-1][1]
    assert asked == f"All of them?\n\nYour answer that I ask about:\n```\n{whole}\n```"


async def test_there_must_be_something_to_ask_about(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle
) -> None:
    blank = await bob.send(channel, "\u3164")
    packed = await bob.send(channel, "Look", attachments=[("a.zip", b"PK\3\4")])

    nothing, foreign = [await alice.context_menu(channel, ABOUT, message) for message in (blank, packed)]

    assert refused(nothing) == "There is nothing in this message that I can read: no text and no file."
    assert refused(foreign).startswith("“a.zip” is nothing that I can read.")


async def test_a_blank_question_is_refused(alice: MemberActor, bob: MemberActor, channel: ChannelHandle) -> None:
    message = await bob.send(channel, "Cheese.")

    result = await ask_about(alice, channel, message, " \u3164 ")

    assert refused(result).startswith("Ask me something: your question is blank.")


async def test_messages_of_those_who_opted_out_are_not_taken_along(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle
) -> None:
    await bob.slash(channel, "privacy opt-out")
    message = await bob.send(channel, "My secret.")

    result = await alice.context_menu(channel, ABOUT, message)

    assert refused(result) == (
        "Whoever wrote this message wants me to keep nothing of theirs, so I can't take it along."
    )


async def test_a_thread_goes_on_from_an_answer_and_the_channel_without_it(
    env: Env, guild: GuildHandle, boss: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await boss.slash(channel, "settings set", parameter="temperature", value="0.3")
    await boss.slash(channel, "ask", prompt="First?")
    fake.answer = ["Second answer."]
    await bob.slash(channel, "ask", prompt="Second?", persona="google-it")
    answer = last_of(channel)
    await boss.slash(channel, "ask", prompt="Later?")

    result = await bob.context_menu(channel, THREAD, answer)

    thread = thread_of(env, guild, channel)
    assert said(result) == f"The conversation goes on in <#{thread.id}>."
    assert result.ephemeral
    assert thread.name == "Second?"
    assert texts(thread)[-1] == (
        f"{bob.mention} The conversation goes on here, apart from the channel. "
        "I remember the 4 messages up to the answer above; mention me to ask."
    )
    await bob.send(thread, f"{me} And now?")
    await boss.slash(channel, "ask", prompt="And here?")
    in_thread, in_channel = fake.prompts[-2:]
    said_before = [content for role, content in in_thread[1:]]
    assert "Just google it!" in in_thread[0][1]
    assert said_before[0] == "First?"
    assert said_before[2].endswith("bob: Second?")
    assert said_before[3] == "Second answer."
    assert said_before[4:] == ["bob: And now?"]
    assert fake.asked[-2]["options"]["temperature"] == 0.3
    assert [content for _, content in in_channel if "now?" in content] == []
    assert in_channel[0] == ("system", "You are a helpful assistant.")


async def test_pictures_go_along_into_the_thread(
    env: Env, guild: GuildHandle, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "vision"]
    await alice.send(channel, f"{me} What is it?", attachments=[("dot.png", image())])

    await alice.context_menu(channel, THREAD, last_of(channel))
    await alice.send(thread_of(env, guild, channel), f"{me} Really?")

    asked = fake.asked[-1]["messages"]
    assert len(asked[1]["images"]) == 1
    assert asked[1]["images"] == fake.asked[0]["messages"][1]["images"]


async def test_a_thread_is_made_only_where_one_can_be(
    env: Env, guild: GuildHandle, alice: MemberActor, bob: MemberActor, channel: ChannelHandle
) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    answer = last_of(channel)
    foreign = await bob.send(channel, "Hi")

    not_mine = await alice.context_menu(channel, THREAD, foreign)
    await alice.context_menu(channel, THREAD, answer)
    again = await alice.context_menu(channel, THREAD, as_it_is_now(channel, answer))
    inside = thread_of(env, guild, channel)
    nested = await alice.context_menu(inside, THREAD, last_of(inside))

    assert refused(not_mine) == "This message is not mine; a thread can go on from one of my answers only."
    assert refused(again) == f"There is a thread at this answer already: <#{inside.id}>."
    assert refused(nested) == "Discord has no threads here: they belong to a server's text channels."


async def test_a_forgotten_answer_has_no_thread(alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Hello?")
    answer = last_of(channel)
    await alice.slash(channel, "history undo")

    result = await alice.context_menu(channel, THREAD, answer)

    assert refused(result) == (
        "There is no answer in this message to go on from: it was private, or it has been forgotten."
    )


async def test_who_may_open_no_threads_gets_none_opened(guild: GuildHandle, alice: MemberActor) -> None:
    channel = guild.create_text_channel("strict", overwrites={alice: THREADS_CLOSED})
    await alice.slash(channel, "ask", prompt="Hello?")
    result = await alice.context_menu(channel, THREAD, last_of(channel))

    assert refused(result) == "For this you need the permission “Create Public Threads” in this server."


async def test_a_permission_that_the_bot_lacks_is_named(guild: GuildHandle, alice: MemberActor) -> None:
    assert guild.me
    closed = guild.create_text_channel("closed", overwrites={guild.me: THREADS_CLOSED})
    await alice.slash(closed, "ask", prompt="Hello?")

    result = await alice.context_menu(closed, THREAD, last_of(closed))

    assert refused(result) == (
        "I lack the permission “Create Public Threads” here. Please ask a server manager to grant it."
    )


async def test_where_each_person_has_a_memory_the_thread_is_theirs_who_opened_it(
    env: Env,
    guild: GuildHandle,
    boss: MemberActor,
    alice: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
) -> None:
    await boss.slash(channel, "settings set", parameter="memory", value="person")
    await alice.slash(channel, "ask", prompt="First?")
    await alice.context_menu(channel, THREAD, last_of(channel))
    thread = thread_of(env, guild, channel)
    assert texts(thread)[-1] == (
        f"{alice.mention} Your conversation goes on here, apart from the channel. For you I remember the 2 messages up "
        "to the answer above; with everybody else I begin anew, because here each person has a conversation of their "
        "own. Mention me to ask."
    )

    await alice.send(thread, f"{me} Mine?")
    await boss.send(thread, f"{me} Whose?")

    mine, other = [[content for _, content in prompt[1:]] for prompt in fake.prompts[-2:]]
    assert mine == ["First?", "Hello there.", "Mine?"]
    assert other == ["Whose?"]


async def test_what_is_deleted_in_the_channel_is_not_remembered_in_the_thread(
    env: Env, guild: GuildHandle, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.slash(channel, "ask", prompt="My password is hunter2.")
    answer = last_of(channel)
    await alice.context_menu(channel, THREAD, answer)

    await alice.click(answer, label="Delete")
    await alice.send(thread_of(env, guild, channel), f"{me} What is it?")

    assert [content for _, content in fake.prompts[-1][1:]] == ["What is it?"]
