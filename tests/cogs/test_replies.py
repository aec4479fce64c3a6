"""What a question replies to goes along with it, where its conversation does not have that."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import Author, Place
from bot.client import Services
from bot.ui.quotes import HIDDEN, NOTHING_IN_IT, OPTED_OUT
from cogs.chat import NOT_SHOWN
from tests.fake_ollama import MODEL, FakeOllama
from tests.files.made import image
from tests.world import Gate, answers, texts

QUOTE = "{}\n\nThe message that I ask about:\n```\n{}\n```"
OWN = "{}\n\nYour answer that I ask about:\n```\n{}\n```"

reads_everything = pytest.mark.operator(MESSAGE_CONTENT_INTENT="true")


@pytest.fixture
def place(channel: ChannelHandle, guild: GuildHandle) -> Place:
    return Place(channel.id, guild.id)


def asked(fake: FakeOllama, index: int = -1) -> str:
    """The text of a question as the model read it."""
    return fake.prompts[index][-1][1]


async def remembered(services: Services, place: Place) -> list[str]:
    return [message.content for message in await services.memory.branch(place)]


# What goes along


@reads_everything
async def test_the_text_goes_along_without_its_authors_name(
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
    services: Services,
    place: Place,
) -> None:
    message = await bob.send(channel, "The moon is made of cheese.")

    await alice.send(channel, f"{me} Is that true?", reply_to=message)

    wanted = QUOTE.format("Is that true?", "The moon is made of cheese.")
    assert [content for _, content in fake.prompts[0][1:]] == [wanted]
    assert await remembered(services, place) == [wanted, "Hello there."]
    assert (await services.privacy.report(Author(bob.id, "bob"))).is_empty


@reads_everything
async def test_files_go_along_behind_ones_own(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "vision"]
    message = await bob.send(channel, "Look", attachments=[("dot.png", image()), ("message.txt", b"Long.")])

    await alice.send(channel, f"{me} Well?", reply_to=message, attachments=[("mine.txt", b"Mine."), ("a.png", image())])

    own, quoted = "mine.txt:\n```\nMine.\n```\n\n[image: a.png]", "[image: dot.png]\n\nmessage.txt:\n```\nLong.\n```"
    assert asked(fake) == (f"Well?\n\n{own}\n\nThe message that I ask about:\n```\nLook\n```\n\n{quoted}")
    assert len(fake.asked[0]["messages"][-1]["images"]) == 2


@reads_everything
async def test_a_forwarded_message_goes_along(
    alice: MemberActor, bob: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    source = await bob.send(guild.create_text_channel("other"), "Far away.", attachments=[("a.txt", b"File.")])
    forwarded = await bob.forward(source, channel)

    await alice.send(channel, f"{me} Where?", reply_to=forwarded)

    assert asked(fake) == QUOTE.format("Where?", "Far away.") + "\n\na.txt:\n```\nFile.\n```"


async def test_files_of_a_message_that_mentions_the_bot_go_along_without_the_intent(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await bob.send(channel, f"{me} One?", attachments=[("a.txt", b"File.")])
    question = channel.history()[0]
    await bob.slash(channel, "history undo")

    await alice.send(channel, f"{me} Two?", reply_to=question)

    assert asked(fake) == QUOTE.format("Two?", f"{me} One?") + "\n\na.txt:\n```\nFile.\n```"


# What does not


async def test_what_is_remembered_is_not_quoted(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    question = await alice.send(channel, f"{me} Name a colour.")
    answer = channel.history()[-1]

    await alice.send(channel, f"{me} Why?", reply_to=question)
    await alice.send(channel, f"{me} Another one.", reply_to=answer)

    contents = [[content for _, content in prompt[1:]] for prompt in fake.prompts]
    assert contents[1] == ["Name a colour.", "Hello there.", "Why?"]
    assert contents[2] == ["Name a colour.", "Hello there.", "Another one."], "it branches from there"


async def test_what_is_about_to_be_remembered_is_not_quoted(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    fake.between = gate = Gate(env, before=1)
    await bob.send(channel, f"{me} First?")
    waiting = await bob.send(channel, f"{me} Second?")
    await env.advance_time(3)
    placeholder = channel.history()[-1]

    await alice.send(channel, f"{me} To the question.", reply_to=waiting)
    await env.advance_time(3)
    await alice.send(channel, f"{me} To the answer.", reply_to=placeholder)
    await gate.open()

    assert asked(fake, 2).endswith("alice: To the question.")
    assert asked(fake, 3).endswith("alice: To the answer.")


async def test_a_hint_of_the_bot_is_not_quoted(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await alice.send(channel, me)

    await alice.send(channel, f"{me} What is a llama?", reply_to=channel.history()[-1])

    assert asked(fake) == "What is a llama?"


@pytest.mark.parametrize("is_own", [False, True])
async def test_a_reply_to_what_was_deleted_is_just_a_question(
    is_own: bool, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    message = await bob.send(channel, f"{me} First?")
    gone = channel.history()[-1] if is_own else message
    reply = await alice.send(channel, "Not yet.", reply_to=gone)
    await bob.delete(message)

    await alice.edit(reply, f"{me} And now?")

    assert asked(fake) == "And now?"


@pytest.mark.parametrize(
    ("status", "times", "said"), [(503, 2, "Hello there."), (503, 9, NOT_SHOWN), (403, 9, "Hello there.")]
)
async def test_what_discord_does_not_show_now_is_not_left_out(
    status: int, times: int, said: str, env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str
) -> None:
    message = await bob.send(channel, f"{me} First?")
    reply = await alice.send(channel, "Not yet.", reply_to=message)
    await bob.delete(message)  # so it does not come with the reply
    env.inject_error("GET", f"/channels/*/messages/{message.id}", status=status, times=times)

    await alice.edit(reply, f"{me} And now?")
    await env.advance_time(5)

    assert texts(channel)[-1].startswith(said)


# Answers


@pytest.mark.parametrize("pages", [1, 2])
async def test_somebody_elses_answer_goes_along_as_a_whole_where_each_has_a_memory(
    pages: int,
    boss: MemberActor,
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
) -> None:
    await boss.slash(channel, "settings set", parameter="memory", value="person")
    fake.answer = [f"w{number:03} " for number in range(300 * pages)]
    await bob.slash(channel, "ask", prompt="Count")
    whole, fake.answer = "".join(fake.answer).strip(), ["Yes."]
    answer = channel.history()[-1]

    await alice.send(channel, f"{me} All of them?", reply_to=answer)
    await bob.send(channel, f"{me} Mine?", reply_to=answer)

    assert [content.replace(" \n```", "\n```") for _, content in fake.prompts[1][1:]] == [
        OWN.format("All of them?", whole)
    ]
    assert asked(fake, 2) == "Mine?"


async def test_a_forgotten_answer_goes_along_without_who_asked_what(
    boss: MemberActor, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await boss.slash(channel, "ask", prompt="My name is Zoe.")
    answer = channel.history()[-1]
    cleared = await boss.slash(channel, "history clear")
    assert cleared.response
    await boss.click(cleared.response, label="Forget everything")

    await alice.send(channel, f"{me} Really?", reply_to=answer)

    assert [content for _, content in fake.prompts[1][1:]] == [OWN.format("Really?", "Hello there.")]


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_the_answer_to_somebody_who_opted_out_goes_along(
    who: str, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await bob.slash(channel, "privacy opt-out")
    await bob.slash(channel, "ask", prompt="First?")

    await {"alice": alice, "bob": bob}[who].send(channel, f"{me} Really?", reply_to=channel.history()[-1])

    assert asked(fake) == OWN.format("Really?", "Hello there.")


# What can't be taken along


@reads_everything
async def test_messages_of_those_who_opted_out_are_taken_along_by_themselves_only(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await bob.slash(channel, "privacy opt-out")
    message = await bob.send(channel, "My secret.")

    await alice.send(channel, f"{me} What?", reply_to=message)
    refusal = texts(channel)[-1]
    await bob.send(channel, f"{me} What?", reply_to=message)

    assert refusal == OPTED_OUT
    assert [prompt[-1][1] for prompt in fake.prompts] == [QUOTE.format("What?", "My secret.")]


async def test_without_the_intent_the_way_to_ask_about_it_is_said(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    message = await bob.send(channel, "The moon is made of cheese.")

    await alice.send(channel, f"{me} Is that true?", reply_to=message)

    assert texts(channel)[-1] == HIDDEN
    assert fake.asked == []


@reads_everything
async def test_there_must_be_something_in_it(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    blank = await bob.send(channel, "\u3164")
    packed = await bob.send(channel, "Look", attachments=[("a.zip", b"PK\3\4")])

    await alice.send(channel, f"{me} What?", reply_to=blank)
    await alice.send(channel, f"{me} What?", reply_to=packed)

    assert [answer.partition(" that I can read")[0] for answer in texts(channel)[-3::2]] == [
        NOTHING_IN_IT.partition(" that I can read")[0],
        "“a.zip” is nothing",
    ]
    assert fake.asked == []


@reads_everything
async def test_own_and_quoted_files_are_limited_together(
    alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    files = [(f"{number}.txt", b"words") for number in range(6)]
    message = await bob.send(channel, "Look", attachments=files[:3])

    await alice.send(channel, f"{me} What?", reply_to=message, attachments=files[3:])

    assert texts(channel)[-1] == "At most 5 files can come with a question; these are 6."
    assert fake.asked == []


# Joining and edits


@reads_everything
async def test_two_quick_messages_about_one_take_it_along_once(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    message = await bob.send(channel, "Cheese.")
    fake.between = gate = Gate(env, before=0)

    await alice.send(channel, f"{me} Is that true?", reply_to=message)
    await alice.send(channel, f"{me} And why?", reply_to=message)
    last = await alice.send(channel, f"{me} In French.")
    await gate.open()
    await alice.edit(last, f"In French. {me}")

    assert asked(fake) == QUOTE.format("Is that true?\n\nAnd why?\n\nIn French.", "Cheese.")
    assert len(answers(env, channel)) == 1
    assert len(fake.asked) == 3, "the edit changed no word"


@reads_everything
async def test_an_edited_question_takes_along_what_it_took_before(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    message = await bob.send(channel, "Cheese.")
    question = await alice.send(channel, f"{me} Is that ture?", reply_to=message)

    await alice.edit(question, f"Is that ture? {me}")
    assert len(fake.asked) == 1, "it changed no word"
    await env.advance_time(1)
    await alice.edit(question, f"{me} Is that true?")

    assert asked(fake) == QUOTE.format("Is that true?", "Cheese.")
    await env.advance_time(1)
    await alice.edit(question, me)
    assert len(fake.asked) == 2, "what is quoted is no question by itself"


async def test_what_is_forgotten_does_not_come_back_with_an_edit(
    env: Env, boss: MemberActor, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama, me: str
) -> None:
    await boss.slash(channel, "ask", prompt="A secret?")
    question = await alice.send(channel, f"{me} Relly?", reply_to=channel.history()[-1])
    deleted = await boss.slash(channel, "privacy delete")
    assert deleted.response
    await boss.click(deleted.response, label="Delete everything")

    await alice.edit(question, f"Relly? {me}")
    assert len(fake.asked) == 2, "it changed no word"
    await env.advance_time(1)
    await alice.edit(question, f"{me} Really?")

    assert [content for _, content in fake.prompts[-1][1:]] == ["Really?"]


@reads_everything
async def test_new_words_are_taken_up_though_what_was_quoted_may_not_be_taken_along_any_more(
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    me: str,
    services: Services,
    place: Place,
) -> None:
    message = await bob.send(channel, "Cheese.")
    question = await alice.send(channel, f"{me} My password is hunter2.", reply_to=message)
    await bob.slash(channel, "privacy opt-out")

    await alice.edit(question, f"{me} My password is secret.")

    assert await remembered(services, place) == ["My password is secret.", "Hello there."]
