"""Questions that are edited in Discord, as people see what comes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import discord
import pytest
import sqlalchemy as sa
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.messages import Place
from bot.client import Services
from bot.storage.database import Database
from bot.storage.schema import messages
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers, texts

SIGNATURE = f"-# {MODEL} · assistant"
FIRST, SECOND, THIRD = (f"Answer {number}.\n{SIGNATURE}" for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def different(fake: FakeOllama) -> None:
    """Each answer is another one: "Answer 1.", "Answer 2."."""
    fake.reply = lambda _: ["Answer ", f"{len(fake.asked)}."]


@pytest.fixture
def place(channel: ChannelHandle, guild: GuildHandle) -> Place:
    return Place(channel.id, guild.id)


async def remembered(services: Services, place: Place) -> list[str]:
    return [message.content for message in await services.memory.branch(place)]


def own_pages(env: Env, channel: ChannelHandle) -> list[discord.Message]:
    assert env.bot.user
    return [message for message in channel.history() if message.author.id == env.bot.user.id]


async def long_ago(database: Database) -> None:
    """All that is remembered was said an hour ago."""
    then = datetime.now(UTC) - timedelta(hours=1)
    await database.write(lambda connection: connection.execute(sa.update(messages).values(created_at=then)).close())


async def test_an_edited_question_is_answered_anew_in_the_same_message(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    [before] = own_pages(env, channel)

    await alice.edit(question, f"{me} What is a llama?")

    [page] = own_pages(env, channel)
    assert (page.id, page.content) == (before.id, SECOND)
    assert [prompt[-1] for prompt in fake.prompts] == [("user", "What is a lama?"), ("user", "What is a llama?")]
    assert await remembered(services, place) == ["What is a llama?", "Answer 2."]
    await alice.click(page, label="◀")
    assert answers(env, channel) == [FIRST]
    assert await remembered(services, place) == ["What is a llama?", "Answer 1."], "Discord shows the new words"


async def test_what_was_said_later_stays_after_the_corrected_answer(
    env: Env,
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    await bob.send(channel, f"{me} And a camel?")

    await alice.edit(question, f"{me} What is a llama?")

    assert answers(env, channel) == [THIRD, SECOND]
    assert await remembered(services, place) == ["What is a llama?", "Answer 3.", "And a camel?", "Answer 2."]
    assert fake.prompts[-1][1:] == [("user", "What is a llama?")], "it reads what was said before only"


async def test_a_question_that_is_edited_while_it_is_answered_is_asked_anew(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
) -> None:
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} What is a lama?")
    fake.between = None

    await alice.edit(question, f"{me} What is a llama?")

    assert fake.closed == 1
    assert answers(env, channel) == [SECOND]
    assert await remembered(services, place) == ["What is a llama?", "Answer 2."]


async def test_a_question_that_waits_takes_the_new_words_and_keeps_its_place(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    await bob.send(channel, f"{me} First?")
    question = await alice.send(channel, f"{me} Secnod?")

    await alice.edit(question, f"{me} Second?")
    await gate.open()

    assert answers(env, channel) == [FIRST, SECOND]
    assert len(fake.asked) == 2
    assert fake.prompts[-1][-1][1].endswith("alice: Second?")


@pytest.mark.parametrize("edited", [0, 1])
async def test_of_two_messages_that_asked_together_each_can_be_edited(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
    edited: int,
) -> None:
    gate = fake.between = Gate(env, before=0)
    both = [await alice.send(channel, f"{me} What is this?"), await alice.send(channel, f"{me} And why?")]
    await gate.open()

    await alice.edit(both[edited], f"{me} Well?")

    wanted = ["Well?\n\nAnd why?", "What is this?\n\nWell?"][edited]
    assert fake.prompts[-1][-1] == ("user", wanted)
    assert (await remembered(services, place))[0] == wanted
    assert len(answers(env, channel)) == 1


async def test_an_edit_that_changes_no_word_and_news_of_a_link_preview_do_nothing(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    question = await alice.send(channel, f"{me} What is a llama?")

    await alice.edit(question, f"What is a llama? {me}")
    env.backend.edit_message(channel.id, question.id, {"flags": 4})
    await env.settle()

    assert len(fake.asked) == 1
    assert answers(env, channel) == [FIRST]


async def test_long_after_it_was_asked_the_memory_takes_the_words_and_the_answer_stays(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    database: Database,
    place: Place,
) -> None:
    question = await alice.send(channel, f"{me} My password is hunter2.")
    await long_ago(database)

    await alice.edit(question, f"{me} My password is secret.")

    assert len(fake.asked) == 1
    assert answers(env, channel) == [FIRST]
    assert await remembered(services, place) == ["My password is secret.", "Answer 1."]


async def test_a_mention_that_is_added_later_is_a_question(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    message = await alice.send(channel, "What is a llama?")
    assert answers(env, channel) == []

    await alice.edit(message, f"{me} What is a llama?")

    assert fake.prompts[-1][-1] == ("user", "What is a llama?")
    assert answers(env, channel) == [FIRST]


async def test_words_that_are_added_to_a_bare_mention_are_a_question(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    message = await alice.send(channel, me)
    [hint] = answers(env, channel)
    assert hint.startswith("Ask me something")

    await alice.edit(message, f"{me} What is a llama?")

    assert answers(env, channel) == [hint, FIRST]
    assert len(fake.asked) == 1


@pytest.mark.parametrize("when", ["complete", "long ago", "on its way", "in line"])
async def test_a_question_of_which_only_the_mention_is_left_goes_as_if_it_were_deleted(
    env: Env,
    alice: MemberActor,
    bob: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    database: Database,
    place: Place,
    when: str,
) -> None:
    if when == "in line":
        fake.between = Gate(env, before=1)
        other = await bob.send(channel, f"{me} First?")
    fake.between = Gate(env, before=1) if when in {"on its way", "in line"} else None
    question = await alice.send(channel, f"{me} My password is hunter2.")
    if when == "long ago":
        await long_ago(database)
    fake.between = None

    await alice.edit(question, me)

    if when == "in line":
        await bob.delete(other)
    assert answers(env, channel) == []
    assert await services.memory.authors(place) == set(), "nor is it stored below no head"
    await env.advance_time(1)
    await alice.edit(question, f"{me} What is a llama?")
    assert fake.prompts[-1][1:] == [("user", "What is a llama?")]
    assert len(answers(env, channel)) == 1


@pytest.mark.parametrize("both_are", ["edited", "edited and deleted"])
async def test_of_two_messages_that_asked_together_nothing_is_left_once_both_are_empty(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, both_are: str
) -> None:
    gate = fake.between = Gate(env, before=0)
    both = [await alice.send(channel, f"{me} What is this?"), await alice.send(channel, f"{me} And why?")]
    await gate.open()

    await alice.edit(both[0], me)
    one_left = fake.prompts[-1][-1]
    if both_are == "edited":
        await alice.edit(both[1], me)
    else:
        await alice.delete(both[1])

    assert one_left == ("user", "And why?")
    assert answers(env, channel) == []


async def test_what_was_edited_is_told_once_however_often_discord_tells_it(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    await alice.edit(question, f"{me} What is a llama?")

    stored = env.backend.get_message(channel.id, question.id)
    env.backend.edit_message(channel.id, question.id, {"flags": stored.flags})
    await env.settle()

    assert len(fake.asked) == 2


@pytest.mark.parametrize("before", [0, 1])
async def test_of_several_edits_in_quick_succession_the_last_one_counts(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
    before: int,
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    fake.between = Gate(env, before=before)
    await alice.edit(question, f"{me} What is a llama")
    fake.between = None
    await env.advance_time(1)

    await alice.edit(question, f"{me} What is a llama?")

    assert texts(channel) == [f"{me} What is a llama?", THIRD]
    assert await remembered(services, place) == ["What is a llama?", "Answer 3."]


async def test_a_correction_that_gets_no_answer_leaves_the_old_one_and_says_why(
    env: Env,
    alice: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    services: Services,
    place: Place,
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    fake.models.clear()

    await alice.edit(question, f"{me} What is a llama?")

    assert FIRST in texts(channel)
    assert any("ollama pull" in text or MODEL in text for text in texts(channel)[2:])
    assert await remembered(services, place) == ["What is a llama?", "Answer 1."]


async def test_a_person_who_opted_out_is_not_remembered_by_an_edit(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, services: Services, place: Place
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")
    await alice.slash(channel, "privacy opt-out")

    await alice.edit(question, f"{me} A secret.")

    assert await remembered(services, place) == [], "neither the new words nor those that they took back"


@pytest.mark.parametrize("why", ["privacy opt-out", "history undo"])
async def test_what_is_not_remembered_is_not_answered_once_more_below(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama, why: str
) -> None:
    if why == "privacy opt-out":
        await alice.slash(channel, why)
    question = await alice.send(channel, f"{me} What is a lama?")
    if why == "history undo":
        await boss.slash(channel, why)

    await alice.edit(question, f"{me} What is a llama?")

    assert len(fake.asked) == 1


async def test_an_answer_on_its_way_that_is_not_remembered_is_begun_anew(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    await alice.slash(channel, "privacy opt-out")
    fake.between = Gate(env, before=1)
    question = await alice.send(channel, f"{me} What is a lama?")
    fake.between = None

    await alice.edit(question, f"{me} What is a llama?")

    assert fake.prompts[-1][-1] == ("user", "What is a llama?")
    assert answers(env, channel)[-1] == SECOND


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_an_edit_for_which_there_is_no_answer_left_takes_none_away(
    env: Env, alice: MemberActor, place: Place, channel: ChannelHandle, me: str, fake: FakeOllama, services: Services
) -> None:
    fake.between = gate = Gate(env, before=1)
    question = await alice.send(channel, f"{me} What is a lama?")

    await alice.edit(question, f"{me} What is a llama?")
    await gate.open()

    assert answers(env, channel) == [FIRST]
    assert any("You asked one question" in message.content for message in alice.user.dm_channel.history())
    assert await remembered(services, place) == ["What is a llama?", "Answer 1."]


@pytest.mark.operator(LIMIT_QUESTIONS_PER_MINUTE="1")
async def test_the_limit_holds_for_edits_too(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    question = await alice.send(channel, f"{me} What is a lama?")

    await alice.edit(question, f"{me} What is a llama?")

    assert len(fake.asked) == 1
    assert answers(env, channel) == [FIRST]
    assert "question" in alice.user.dm_channel.history()[-1].content
