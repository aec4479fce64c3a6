"""Asking, as people do it: what they see and what the model reads."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.privacy import Notice
from bot.ui.notice import WORDS
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, may_notify, refused, reply_without_ping, said, texts, thread_in

SIGNATURE = f"-# {MODEL} · assistant"
HELPFUL = ("system", "You are a helpful assistant.")

# Asking with /ask


async def test_an_answer_says_who_asked_what_and_who_answered(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["Four", ", I think."]

    answer = await alice.slash(channel, "ask", prompt="What is 2 + 2?")

    assert said(answer) == f"-# alice asked: What is 2 + 2?\nFour, I think.\n{SIGNATURE}"
    assert not answer.ephemeral
    assert fake.prompts == [[HELPFUL, ("user", "What is 2 + 2?")]]


async def test_something_is_seen_before_the_first_word_comes(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=0)

    answer = await alice.slash(channel, "ask", prompt="Why?")

    assert said(answer) == "-# alice asked: Why?\n-# One moment…"
    await gate.open()
    assert said(answer).endswith(SIGNATURE)


async def test_words_are_shown_as_they_come(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["One ", "**two", "** three."]
    fake.between = gate = Gate(env, before=2)

    answer = await alice.slash(channel, "ask", prompt="Count.")

    assert said(answer) == "-# alice asked: Count.\nOne **two**\n-# Writing…"
    await gate.open()
    assert said(answer) == f"-# alice asked: Count.\nOne **two** three.\n{SIGNATURE}"


async def test_a_follow_up_carries_the_conversation(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["Nice to meet you, Alice."]
    await alice.slash(channel, "ask", prompt="My name is Alice.")

    await alice.slash(channel, "ask", prompt="What is my name?")

    assert fake.prompts[1] == [
        HELPFUL,
        ("user", "My name is Alice."),
        ("assistant", "Nice to meet you, Alice."),
        ("user", "What is my name?"),
    ]


async def test_the_model_can_tell_people_apart(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="I like red.")
    await bob.slash(channel, "ask", prompt="I like blue.")

    question = fake.prompts[1][-1][1]
    assert "alice" in question
    assert question.endswith("bob: I like blue.")


async def test_a_persona_can_answer_once_without_being_chosen_for_the_channel(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    once = await alice.slash(channel, "ask", prompt="Why?", persona="Google-It")
    after = await alice.slash(channel, "ask", prompt="Why?")

    assert "Just google it!" in fake.prompts[0][0][1]
    assert said(once).endswith(f"-# {MODEL} · google-it")
    assert fake.prompts[1][0] == HELPFUL
    assert said(after).endswith(SIGNATURE)


async def test_personas_are_offered_while_one_types(alice: MemberActor, channel: ChannelHandle) -> None:
    offered = await alice.autocomplete(channel, "ask", "persona", "IT")

    assert [choice["value"] for choice in offered] == ["google-it", "drunk-italian"]


async def test_an_unknown_persona_is_named_with_those_that_there_are(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    answer = await alice.slash(channel, "ask", prompt="Why?", persona="nobody")

    assert "⚠️ There is no persona “nobody” here. Available: `assistant`, `google-it`" in said(answer)
    assert fake.asked == []


async def test_with_a_huge_library_the_unknown_persona_is_still_said_in_one_message(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    for number in range(70):
        await boss.slash(channel, "persona save", name=f"a persona with a long name {number}", prompt="Be kind.")

    answer = await alice.slash(channel, "ask", prompt="Why?", persona="nobody")

    assert said(answer) == "-# alice asked: Why?"
    [sentence] = answer.followups
    assert sentence.content.startswith("⚠️ There is no persona “nobody” here.")
    refusal = await boss.slash(channel, "persona use", name="nobody")
    assert refused(refusal).startswith("There is no persona “nobody” here.")


async def test_a_private_answer_is_seen_by_its_asker_alone_and_remembered_by_nobody(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="The word is tree.")

    private = await alice.slash(channel, "ask", prompt="Between us: what is the word?", private=True)
    await alice.slash(channel, "ask", prompt="And in public?")

    assert private.ephemeral
    assert said(private) == f"Hello there.\n{SIGNATURE}"
    assert ("user", "The word is tree.") in fake.prompts[1]
    assert not any("Between us" in content for _, content in fake.prompts[2])


async def test_a_private_answer_of_several_pages_stays_private(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = ["word "] * 900

    private = await alice.slash(channel, "ask", prompt="Talk.", private=True)

    assert len(private.followups) == 2
    assert all(page.ephemeral for page in private.followups)
    assert texts(channel) == []


# Asking in a message


@pytest.mark.parametrize("wording", ["{me} How are you?", "How are you? {me}", "{me}How are you? {me}"])
async def test_a_mention_is_answered_with_a_reply(
    wording: str, env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    question = await alice.send(channel, wording.format(me=me))

    [_, answer] = channel.history()
    assert answer.content == f"Hello there.\n{SIGNATURE}"
    assert answer.reference is not None
    assert answer.reference.message_id == question.id
    assert fake.prompts == [[HELPFUL, ("user", "How are you?")]]
    assert may_notify(env) == {"the asker"}


async def test_people_in_a_question_have_names(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, f"{me} Is {bob.mention} right?")

    assert fake.prompts[0][-1] == ("user", "Is @bob right?")


async def test_a_mention_without_a_question_gets_a_hint(
    alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.send(channel, me)

    assert texts(channel)[1:] == ["Ask me something: write it in the same message as the mention, or use `/ask`."]
    assert fake.asked == []


@pytest.mark.parametrize("call", ["@everyone hello", "@here hello", "hello", "Llampost, hello"])
@pytest.mark.parametrize(
    "reads_everything",
    [
        pytest.param(True, marks=pytest.mark.operator(MESSAGE_CONTENT_INTENT="true")),
        pytest.param(False, marks=pytest.mark.operator(MESSAGE_CONTENT_INTENT="false")),
    ],
)
async def test_what_is_not_meant_for_the_bot_is_left_alone(
    call: str, reads_everything: bool, env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.send(channel, call)

    assert env.bot.intents.message_content is reads_everything
    assert texts(channel) == [call]
    assert fake.asked == []


async def test_a_role_that_is_called_does_not_call_the_bot(
    guild: GuildHandle, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    everybody = guild.create_role("all", mentionable=True)

    await boss.send(channel, f"{everybody.mention} hello")

    assert len(texts(channel)) == 1
    assert fake.asked == []


async def test_bots_and_webhooks_are_never_answered(
    env: Env, guild: GuildHandle, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    other = guild.add_member(env.create_user("other", bot=True))

    await other.send(channel, f"{me} hello")
    await guild.create_webhook(channel).send(f"{me} hello")

    assert len(texts(channel)) == 2
    assert fake.asked == []


async def test_a_reply_to_the_bot_is_a_question(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.send(channel, f"{me} Name a colour.")

    await alice.send(channel, "Another one.", reply_to=channel.history()[-1])

    assert fake.prompts[1][-1] == ("user", "Another one.")
    assert texts(channel)[-1] == f"Hello there.\n{SIGNATURE}"


async def test_a_reply_to_somebody_else_is_none(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    first = await bob.send(channel, "Name a colour.")

    await alice.send(channel, "Red.", reply_to=first)

    assert fake.asked == []


async def test_a_reply_without_ping_gets_a_hint_because_discord_hides_its_text(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.send(channel, f"{me} Name a colour.")

    await reply_without_ping(alice, channel, channel.history()[-1], "Another one.")

    assert texts(channel)[-1] == (
        "Discord hides the text of this reply from me. Please mention me in it, or switch its ping on."
    )
    assert len(fake.asked) == 1


@pytest.mark.operator(MESSAGE_CONTENT_INTENT="true")
async def test_a_reply_without_ping_is_a_question_where_the_bot_may_read_everything(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.send(channel, f"{me} Name a colour.")

    await reply_without_ping(alice, channel, channel.history()[-1], "Another one.")

    assert fake.prompts[1][-1] == ("user", "Another one.")


async def test_a_reply_of_a_sticker_alone_is_not_said_to_be_hidden(
    alice: MemberActor, channel: ChannelHandle, me: str
) -> None:
    await alice.send(channel, f"{me} Name a colour.")

    await reply_without_ping(alice, channel, channel.history()[-1], "", sticker="wave")

    assert texts(channel)[-1].startswith("Ask me something")


# Direct messages, threads, servers: one memory each


async def test_a_direct_message_needs_no_mention(env: Env, alice: MemberActor, fake: FakeOllama) -> None:
    await alice.send_dm("Hello!")
    await alice.send_dm("Still there?")

    assert [message.content for message in alice.user.dm_channel.history()] == [
        "Hello!",
        f"Hello there.\n{SIGNATURE}",
        WORDS[Notice.KEPT],
        "Still there?",
        f"Hello there.\n{SIGNATURE}",
    ]
    assert [content for _, content in fake.prompts[1][1:]] == ["Hello!", "Hello there.", "Still there?"]


async def test_commands_work_in_direct_messages_too(env: Env, alice: MemberActor, fake: FakeOllama) -> None:
    answer = await alice.user.slash("ask", prompt="Hello!")

    assert said(answer) == f"-# alice asked: Hello!\nHello there.\n{SIGNATURE}"


async def test_no_memory_ever_shows_up_in_another_place(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    """Channels, threads, servers and direct messages, each asked twice: a question meets only its own past."""
    elsewhere = env.create_guild("Elsewhere")
    alice_elsewhere = elsewhere.add_member(alice.user)
    thread = thread_in(channel, alice)
    fake.reply = lambda body: [f"Echo of {body['messages'][-1]['content']}."]

    for turn in ("first", "second"):
        await alice.slash(channel, "ask", prompt=f"{turn} in the channel")
        await alice.send(guild.channels.get("random") or guild.create_text_channel("random"), f"{me} {turn} in random")
        await alice.slash(thread, "ask", prompt=f"{turn} in the thread")
        room = elsewhere.channels.get("general") or elsewhere.create_text_channel("general")
        await alice_elsewhere.slash(room, "ask", prompt=f"{turn} elsewhere")
        await alice.send_dm(f"{turn} in private")
    await env.create_user("carol").send_dm("second in private")

    asked = [[content for _, content in prompt[1:]] for prompt in fake.prompts]
    places = ["in the channel", "in random", "in the thread", "elsewhere", "in private"]
    assert asked[:5] == [[f"first {place}"] for place in places]
    assert asked[5:10] == [[f"first {place}", f"Echo of first {place}.", f"second {place}"] for place in places]
    assert asked[10:] == [["second in private"]]


async def test_a_thread_goes_by_its_channels_settings_until_it_has_its_own(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    thread = thread_in(channel, boss)
    await boss.slash(channel, "persona set", prompt="Speak in rhymes.")
    await boss.slash(channel, "settings set", parameter="temperature", value="0.5")

    await boss.send(thread, f"{me} Hello?")
    await boss.slash(thread, "settings set", parameter="temperature", value="1.5")
    await boss.slash(thread, "ask", prompt="Hello?")
    await boss.slash(channel, "ask", prompt="Hello?")

    assert [prompt[0] for prompt in fake.prompts] == [("system", "Speak in rhymes.")] * 3
    assert [body["options"]["temperature"] for body in fake.asked] == [0.5, 1.5, 0.5]


# Taking turns


async def test_a_second_question_waits_for_the_first_and_says_so(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.slash(channel, "ask", prompt="First?")

    waiting = await bob.slash(channel, "ask", prompt="Second?")
    await alice.send(channel, f"{me} Third?")

    assert said(waiting) == "-# bob asked: Second?\n-# Waiting: one other answer comes first."
    assert texts(channel)[-1] == "-# Waiting: 2 other answers come first."
    assert len(fake.asked) == 1
    await gate.open()
    assert said(waiting).endswith(SIGNATURE)
    assert texts(channel)[-1].endswith(SIGNATURE)
    assert [prompt[-1][1].split()[-1] for prompt in fake.prompts] == ["First?", "Second?", "Third?"]


async def test_other_channels_do_not_wait(
    env: Env, alice: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    other = guild.create_text_channel("other")
    gate = Gate(env, before=1)
    fake.between = lambda index: gate(index) if len(fake.asked) == 1 else None
    held = await alice.slash(channel, "ask", prompt="First?")

    free = await alice.slash(other, "ask", prompt="Second?")

    assert said(free).endswith(SIGNATURE)
    assert said(held).endswith("-# Writing…")
    await gate.open()


@pytest.mark.operator(MAX_WAITING_QUESTIONS="0")
async def test_a_full_line_is_said_at_once(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.slash(channel, "ask", prompt="First?")

    refusal = await bob.slash(channel, "ask", prompt="Second?")

    told = "I can't take another question just now; please ask again in a moment."
    assert said(refusal) == f"-# bob asked: Second?\n⚠️ {told}"
    await gate.open()
