"""The buttons below answers, pressed as people press them."""

from __future__ import annotations

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env
from simcord.results import InteractionResult

from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, answers

SIGNATURE = f"-# {MODEL} · assistant"
HEADER = "-# alice asked: Why?"


def pages(env: Env, channel: ChannelHandle) -> list[discord.Message]:
    """The bot's messages that everybody sees, oldest first."""
    me = env.bot.user
    assert me is not None
    return [it for it in channel.history() if it.author.id == me.id and not it.flags.ephemeral]


def labels(message: discord.Message) -> list[str]:
    """What stands on the buttons, those that can't be pressed in brackets."""
    found = []
    for row in message.components:
        assert isinstance(row, discord.ActionRow)
        for item in row.children:
            assert isinstance(item, discord.Button)
            found.append(f"({item.label})" if item.disabled else str(item.label))
    return found


def told(result: InteractionResult) -> list[str]:
    """The sentences that a press is answered with, which only whoever pressed sees."""
    found = [*([result.response] if result.response else []), *result.followups]
    return [it.content for it in found if it.ephemeral]


@pytest.fixture
def different(fake: FakeOllama) -> None:
    """Each answer is another one: "Answer 1.", "Answer 2."."""
    fake.reply = lambda _: ["Answer ", f"{len(fake.asked)}."]


async def press(who: MemberActor, env: Env, channel: ChannelHandle, label: str) -> InteractionResult:
    """Press a button below the newest answer."""
    return await who.click(pages(env, channel)[-1], label=label)


async def test_a_finished_answer_has_its_buttons_and_one_on_its_way_can_be_stopped(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.send(channel, f"{me} Why?")
    meanwhile = labels(pages(env, channel)[0])
    await gate.open()

    assert meanwhile == ["Stop"]
    assert labels(pages(env, channel)[0]) == ["Regenerate", "Details", "Delete"]


async def test_stop_ends_the_model_and_the_text_so_far_stays_and_is_remembered(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    await alice.send(channel, f"{me} Why?")

    result = await press(alice, env, channel, "Stop")

    assert fake.closed == 1
    assert answers(env, channel) == [f"Hello\n{SIGNATURE} · stopped by alice"]
    assert told(result) == []
    assert labels(pages(env, channel)[0]) == ["Regenerate", "Continue", "Details", "Delete"]
    fake.between = None
    await alice.send(channel, f"{me} Go on.")
    assert fake.prompts[-1][1:] == [("user", "Why?"), ("assistant", "Hello "), ("user", "Go on.")]


async def test_stop_works_in_line_too(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, me: str, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    await alice.send(channel, f"{me} First?")
    await bob.send(channel, f"{me} Second?")
    assert "Waiting" in answers(env, channel)[1]

    await press(bob, env, channel, "Stop")
    await gate.open()

    assert answers(env, channel) == [f"Hello there.\n{SIGNATURE}", "-# stopped by bob"]
    assert len(fake.asked) == 1


async def test_regenerate_writes_a_new_version_and_the_arrows_choose(
    env: Env, alice: MemberActor, channel: ChannelHandle, different: None, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    await press(alice, env, channel, "Regenerate")
    second = answers(env, channel), labels(pages(env, channel)[0])
    await press(alice, env, channel, "◀")
    first = answers(env, channel), labels(pages(env, channel)[0])
    await alice.slash(channel, "ask", prompt="And then?")

    assert second == ([f"{HEADER}\nAnswer 2.\n{SIGNATURE}"], ["Regenerate", "Details", "Delete", "◀", "(2/2)", "(▶)"])
    assert first == ([f"{HEADER}\nAnswer 1.\n{SIGNATURE}"], ["Regenerate", "Details", "Delete", "(◀)", "(1/2)", "▶"])
    assert fake.prompts[1] == fake.prompts[0]
    assert fake.prompts[-1][1:] == [("user", "Why?"), ("assistant", "Answer 1."), ("user", "And then?")]


async def test_delete_takes_the_answer_out_of_discord_and_of_the_memory(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")

    await press(alice, env, channel, "Delete")
    await alice.slash(channel, "ask", prompt="And then?")

    assert len(answers(env, channel)) == 1
    assert fake.prompts[-1][1:] == [("user", "And then?")]


@pytest.mark.parametrize("label", ["Regenerate", "Delete"])
async def test_a_stranger_is_told_politely_and_a_moderator_may(
    label: str,
    env: Env,
    alice: MemberActor,
    bob: MemberActor,
    boss: MemberActor,
    channel: ChannelHandle,
    different: None,
    fake: FakeOllama,
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")

    refused = await press(bob, env, channel, label)
    before = answers(env, channel)
    allowed = await press(boss, env, channel, label)

    assert told(refused) == [
        "These buttons are for alice, who asked, and for people with the permission “Manage Messages”."
    ]
    assert before == [f"{HEADER}\nAnswer 1.\n{SIGNATURE}"]
    assert told(allowed) == []
    assert answers(env, channel) == ([f"{HEADER}\nAnswer 2.\n{SIGNATURE}"] if label == "Regenerate" else [])


async def test_continue_goes_on_in_the_middle_of_a_code_block_and_the_memory_holds_one_answer(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer, fake.ending = ["Look:\n```python\n", "x = 1\n", "y ="], {"done_reason": "length"}
    await alice.slash(channel, "ask", prompt="Why?")
    cut = answers(env, channel), labels(pages(env, channel)[0])
    fake.answer, fake.ending = [" 2\n", "```\nDone."], {"done_reason": "stop"}

    await press(alice, env, channel, "Continue")

    whole = "Look:\n```python\nx = 1\ny = 2\n```\nDone."
    assert cut[0][0].startswith(f"{HEADER}\nLook:\n```python\nx = 1\ny =\n```\n-# ")
    assert cut[1] == ["Regenerate", "Continue", "Details", "Delete"]
    assert answers(env, channel) == [f"{HEADER}\n{whole}\n{SIGNATURE}"]
    assert labels(pages(env, channel)[0]) == ["Regenerate", "Details", "Delete"]
    assert fake.prompts[1] == [*fake.prompts[0], ("assistant", "Look:\n```python\nx = 1\ny =")]
    await alice.slash(channel, "ask", prompt="And then?")
    assert fake.prompts[-1][1:] == [("user", "Why?"), ("assistant", whole), ("user", "And then?")]


async def test_an_answer_of_several_pages_goes_on_below_and_only_its_last_page_has_buttons(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer, fake.ending = [f"word{number} " for number in range(400)], {"done_reason": "length"}
    await alice.slash(channel, "ask", prompt="Why?")
    assert [labels(page) for page in pages(env, channel)] == [[], ["Regenerate", "Continue", "Details", "Delete"]]
    untouched, before = pages(env, channel)[0], len(env.http_requests)
    fake.answer, fake.ending = [f"more{number} " for number in range(300)], {"done_reason": "stop"}

    await press(alice, env, channel, "Continue")

    found = pages(env, channel)
    assert [labels(page) for page in found] == [[], [], ["Regenerate", "Details", "Delete"]]
    assert found[0].content == untouched.content
    edited = [entry.path for entry in env.http_requests[before:] if entry.method == "PATCH"]
    assert not any(path.endswith(str(untouched.id)) for path in edited), "what stays is not written again"
    words = " ".join(page.content for page in found).split()
    assert [word for word in words if word.startswith(("word", "more"))] == [
        *(f"word{number}" for number in range(400)),
        *(f"more{number}" for number in range(300)),
    ]


async def test_versions_of_different_lengths_take_their_place_on_the_same_messages(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer = [f"word{number} " for number in range(400)]
    await alice.slash(channel, "ask", prompt="Why?")
    long = answers(env, channel)
    fake.answer = ["Short."]

    await press(alice, env, channel, "Regenerate")
    short = answers(env, channel)
    await press(alice, env, channel, "◀")
    long_again = answers(env, channel)
    on_pages = [labels(page) for page in pages(env, channel)]
    await press(alice, env, channel, "▶")

    assert len(long) == 2
    assert short == [f"{HEADER}\nShort.\n{SIGNATURE}"]
    assert long_again == long
    assert on_pages == [[], ["Regenerate", "Details", "Delete", "(◀)", "(1/2)", "▶"]]
    assert answers(env, channel) == short


async def test_a_version_of_an_older_answer_branches_and_what_came_later_can_be_brought_back(
    env: Env, alice: MemberActor, channel: ChannelHandle, different: None, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    await alice.slash(channel, "ask", prompt="And then?")
    [older, _] = pages(env, channel)

    regenerated = await alice.click(older, label="Regenerate")
    await alice.slash(channel, "ask", prompt="Third?")
    on_new_branch = fake.prompts[-1][1:]
    back = await alice.click(pages(env, channel)[0], label="◀")
    await alice.slash(channel, "ask", prompt="Fourth?")

    kept = "is kept with it: choose it again to bring that back."
    assert told(regenerated) == told(back)
    assert told(back) == [
        f"The conversation goes on from this version now. What came after the other one (2 messages) {kept}"
    ]
    assert fake.prompts[2][1:] == [("user", "Why?")]
    assert on_new_branch == [("user", "Why?"), ("assistant", "Answer 3."), ("user", "Third?")]
    assert fake.prompts[-1][1:] == [
        *[("user", "Why?"), ("assistant", "Answer 1."), ("user", "And then?"), ("assistant", "Answer 2.")],
        ("user", "Fourth?"),
    ]


async def test_a_reply_to_an_older_answer_branches_from_there(
    env: Env, alice: MemberActor, channel: ChannelHandle, me: str, different: None, fake: FakeOllama
) -> None:
    for question in ("One?", "Two?"):
        await alice.send(channel, f"{me} {question}")

    await alice.send(channel, f"{me} Why that?", reply_to=pages(env, channel)[0])

    assert fake.prompts[-1][1:] == [("user", "One?"), ("assistant", "Answer 1."), ("user", "Why that?")]
    await alice.send(channel, f"{me} Go on.")
    assert fake.prompts[-1][3:] == [("user", "Why that?"), ("assistant", "Answer 3."), ("user", "Go on.")]


@pytest.mark.parametrize("label", ["Regenerate", "Delete", "◀"])
async def test_while_an_answer_is_written_there_others_stay_as_they_are(
    label: str, env: Env, alice: MemberActor, channel: ChannelHandle, different: None, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    await press(alice, env, channel, "Regenerate")
    older, before = pages(env, channel)[0], answers(env, channel)
    fake.between = gate = Gate(env, before=1)
    await alice.slash(channel, "ask", prompt="And then?")

    result = await alice.click(older, label=label)

    assert told(result) == ["An answer is being written here; please wait until it ends."]
    assert answers(env, channel)[:1] == before
    await gate.open()


async def test_an_answer_that_was_forgotten_says_so(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    await alice.slash(channel, "ask", prompt="Why?")
    await alice.slash(channel, "history undo")

    result = await press(alice, env, channel, "Regenerate")

    assert told(result) == ["I no longer remember this answer, so I can't do anything with it. Please ask me again."]


async def test_a_private_answer_can_be_stopped_and_nothing_else(
    env: Env, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = Gate(env, before=1)
    asked = await alice.slash(channel, "ask", prompt="Why?", private=True)
    assert asked.response is not None

    await alice.click(asked.response, label="Stop")

    assert fake.closed == 1
    assert asked.response.content == f"Hello\n{SIGNATURE} · stopped by alice"
    assert asked.response.components == []


async def test_a_persona_of_the_question_answers_again_too_and_a_fixed_seed_does_not(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await boss.slash(channel, "settings set", parameter="seed", value="7")
    await alice.slash(channel, "ask", prompt="Why?", persona="google-it")

    await press(alice, env, channel, "Regenerate")

    assert fake.prompts[1] == fake.prompts[0]
    assert fake.asked[0]["options"]["seed"] == 7 != fake.asked[1]["options"]["seed"]


@pytest.mark.operator(MAX_PARALLEL_ANSWERS="1")
@pytest.mark.parametrize("label", ["Regenerate", "Continue"])
async def test_what_is_stopped_in_line_leaves_the_answer_as_it_was(
    label: str, env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.answer, fake.ending = [f"word{number} " for number in range(400)], {"done_reason": "length"}
    await alice.slash(channel, "ask", prompt="Why?")
    before = [page.content.partition("\n-# tiny")[0] for page in pages(env, channel)]
    fake.between = gate = Gate(env, before=1)
    await bob.slash(bob.guild.create_text_channel("other"), "ask", prompt="Something long?")
    await press(alice, env, channel, label)
    meanwhile = labels(pages(env, channel)[-1])

    await press(alice, env, channel, "Stop")
    await gate.open()

    assert meanwhile == ["Stop"]
    assert [
        page.content.partition("\n-# tiny")[0].partition("\n-# stopped")[0] for page in pages(env, channel)
    ] == before
    assert labels(pages(env, channel)[-1]) == ["Regenerate", "Continue", "Details", "Delete"]


@pytest.mark.parametrize(("label", "who"), [("Regenerate", "alice"), ("Continue", "alice"), ("Regenerate", "boss")])
async def test_an_answer_to_somebody_who_opted_out_stays_as_it_is_and_only_who_presses_is_told(
    env: Env,
    alice: MemberActor,
    boss: MemberActor,
    channel: ChannelHandle,
    me: str,
    fake: FakeOllama,
    label: str,
    who: str,
) -> None:
    fake.ending = {"done_reason": "length"}
    await alice.send(channel, f"{me} Why?")
    before = answers(env, channel)
    await alice.slash(channel, "privacy opt-out")

    pressed = await press({"alice": alice, "boss": boss}[who], env, channel, label)

    assert answers(env, channel) == before
    assert "".join(told(pressed)) == (
        "Whoever asked this opted out, so nothing new of it is kept, and the answer stays as it is. "
        "For another answer, ask the question once more."
    ), "true for whoever asked, and for a moderator"
