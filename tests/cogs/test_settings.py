"""/settings: what is in force, where it comes from, and changing it."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.chat.display import OPTIONS
from bot.chat.parameters import REGISTRY
from bot.chat.sharing import MEMORY
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import refused, said, thread_in


def line(text: str, name: str) -> str:
    """What `/settings show` says of one setting."""
    [found] = [line for line in text.splitlines() if line.startswith(f"`{name}`")]
    return found.removeprefix(f"`{name}` ")


async def test_everything_in_force_is_shown_with_its_source(alice: MemberActor, channel: ChannelHandle) -> None:
    shown = await alice.slash(channel, "settings show")

    text = said(shown)
    assert shown.ephemeral
    assert [entry.split("`")[1] for entry in text.splitlines()] == [
        *("model", "persona", *REGISTRY, "num_ctx", *OPTIONS, MEMORY.name)
    ]
    assert line(text, "model") == f"**{MODEL}**, from the operator's default"
    assert line(text, "persona") == "**assistant**, from the bot's own default"
    assert line(text, "temperature") == "the model's own default"
    assert line(text, "seed") == "**random**, from the bot's own default"
    assert line(text, "num_predict") == "**1024**, from the bot's own default"
    assert line(text, "num_ctx") == "**4096**, from the operator's default (less where a model takes less)"
    assert line(text, "quiet") == "**off**, from the bot's own default"
    assert line(text, "ready_after") == "**off**, from the bot's own default"
    assert line(text, "max_messages") == "**5**, from the operator's default"


async def test_the_nearest_setting_counts_and_its_author_is_named(
    boss: MemberActor, channel: ChannelHandle, guild: GuildHandle, fake: FakeOllama
) -> None:
    thread, other = thread_in(channel, boss), guild.create_text_channel("other")
    await boss.slash(channel, "settings set", parameter="temperature", value="0.1", scope="server")
    await boss.slash(channel, "settings set", parameter="temperature", value="0.2", scope="channel")
    await boss.slash(thread, "settings set", parameter="temperature", value="0.3")

    shown = [line(said(await boss.slash(place, "settings show")), "temperature") for place in (thread, channel, other)]
    for place in (thread, channel, other):
        await boss.slash(place, "ask", prompt="Hello?")

    assert [entry.split(" <t:")[0] for entry in shown] == [
        "**0.3**, from this thread (set by boss",
        "**0.2**, from this channel (set by boss",
        "**0.1**, from this server (set by boss",
    ]
    assert [body["options"]["temperature"] for body in fake.asked] == [0.3, 0.2, 0.1]


async def test_a_servers_settings_stay_in_that_server(
    env: Env, alice: MemberActor, boss: MemberActor, channel: ChannelHandle
) -> None:
    elsewhere = env.create_guild("Elsewhere")
    room, stranger = elsewhere.create_text_channel("room"), elsewhere.add_member(alice.user)
    await boss.slash(channel, "settings set", parameter="seed", value="7", scope="server")

    shown = await stranger.slash(room, "settings show")

    assert line(said(shown), "seed") == "**random**, from the bot's own default"


async def test_a_change_says_what_was_before(boss: MemberActor, channel: ChannelHandle) -> None:
    answers = [await boss.slash(channel, "settings set", parameter="Top-K", value=value) for value in ("5", " 5 ", "9")]

    assert [answer.ephemeral for answer in answers] == [False, True, False]
    assert [said(answer) for answer in answers] == [
        "`top_k` is **5** in this channel now.",
        "`top_k` is **5** in this channel already.",
        "`top_k` is **9** in this channel now; it was 5.",
    ]


async def test_every_parameter_takes_the_values_that_it_offers_and_they_reach_the_model(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = ["completion", "thinking"]
    for name, entry in REGISTRY.items():
        for example in entry.examples:
            done = await boss.slash(channel, "settings set", parameter=name, value=example)
            assert said(done).startswith(f"`{name}` is **")
    await boss.slash(channel, "ask", prompt="Hello?")

    body = fake.asked[0]
    sent = body["options"] | {"keep_alive": body["keep_alive"], "think": body["think"]}
    for name, entry in REGISTRY.items():
        wanted = entry.read(entry.examples[-1])
        assert sent[name] == (float(str(wanted)) if name == "keep_alive" else wanted), name


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("temperature", "3", "`temperature` takes a number from 0 to 2, not “3”."),
        ("temperature", "nan", "`temperature` takes a number from 0 to 2, not “nan”."),
        ("top_k", "1'; DROP TABLE settings;--", "`top_k` takes a whole number from 0 to 1000, not “1'; DROP TABLE"),
        ("think", "`x`" * 99, "`think` takes off, on, low, medium or high, not “'x''x'"),
        ("num_ctx", "9", "`num_ctx` is one value for everybody, because each change reloads the model:"),
        ("mirostat", "1", "There is no parameter “mirostat”. There are `temperature`, `seed`"),
    ],
)
async def test_a_wrong_value_is_refused_with_what_is_allowed(
    name: str, value: str, sentence: str, boss: MemberActor, channel: ChannelHandle
) -> None:
    before = said(await boss.slash(channel, "settings show"))

    refusal = await boss.slash(channel, "settings set", parameter=name, value=value)

    assert refused(refusal).startswith(sentence)
    assert said(await boss.slash(channel, "settings show")) == before


async def test_one_setting_or_all_of_them_can_be_taken_back(boss: MemberActor, channel: ChannelHandle) -> None:
    for name, value in (("seed", "1"), ("top_k", "2"), ("top_p", "0.5")):
        await boss.slash(channel, "settings set", parameter=name, value=value)
    await boss.slash(channel, "settings set", parameter="seed", value="9", scope="server")

    one = await boss.slash(channel, "settings reset", parameter="seed")
    rest = await boss.slash(channel, "settings reset")
    nothing = await boss.slash(channel, "settings reset")

    assert said(one) == "Reset in this channel: `seed` (was 1)."
    assert said(rest) == "Reset in this channel: `top_k` (was 2), `top_p` (was 0.5)."
    assert said(nothing) == "Nothing was set in this channel."
    assert (one.ephemeral, nothing.ephemeral) == (False, True)
    assert line(said(await boss.slash(channel, "settings show")), "seed").startswith("**9**, from this server")


async def test_a_thread_and_a_direct_message_are_called_by_their_names(
    env: Env, boss: MemberActor, channel: ChannelHandle
) -> None:
    thread = thread_in(channel, boss)
    await boss.slash(channel, "settings set", parameter="top_p", value="0.5")

    in_thread = [
        await boss.slash(thread, "settings set", parameter="top_k", value="5"),
        await boss.slash(thread, "settings reset"),
        await boss.slash(thread, "settings reset"),
    ]
    in_dm = await boss.user.slash("settings set", parameter="top_k", value="5")

    assert [said(answer) for answer in in_thread] == [
        "`top_k` is **5** in this thread now.",
        "Reset in this thread: `top_k` (was 5).",
        "Nothing was set in this thread.",
    ]
    inherited = line(said(await boss.slash(thread, "settings show")), "top_p")
    assert inherited.startswith("**0.5**, from this thread's channel (set by boss")
    assert said(in_dm) == "`top_k` is **5** in this conversation now."
    own = line(said(await boss.user.slash("settings show")), "top_k")
    assert own.startswith("**5**, from this conversation (set by boss")


async def test_taking_back_the_settings_leaves_persona_and_model_alone(
    boss: MemberActor, channel: ChannelHandle
) -> None:
    await boss.slash(channel, "persona use", name="go-away")
    await boss.slash(channel, "model use", name=MODEL)
    await boss.slash(channel, "settings reset")

    text = said(await boss.slash(channel, "settings show"))

    assert line(text, "persona").startswith("**go-away**, from this channel (set by boss")
    assert line(text, "model").startswith(f"**{MODEL}**, from this channel (set by boss")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("20", ["20", "2048"]), ("2048", ["2048"]), ("-2", []), ("many", []), (" ", ["50", "256", "512", "1024", "2048"])],
)
async def test_what_may_be_set_is_offered_first_as_it_is_typed(
    typed: str, offered: list[str], boss: MemberActor, channel: ChannelHandle
) -> None:
    values = await boss.autocomplete(channel, "settings set", "value", typed, parameter="num_predict")

    assert [choice["value"] for choice in values] == offered


async def test_parameters_and_their_values_are_offered_while_one_types(
    boss: MemberActor, channel: ChannelHandle
) -> None:
    names = await boss.autocomplete(channel, "settings set", "parameter", "top")
    back = await boss.autocomplete(channel, "settings reset", "parameter", "")
    values = await boss.autocomplete(channel, "settings set", "value", "", parameter="think")
    unknown = await boss.autocomplete(channel, "settings set", "value", "", parameter="nothing")
    too_early = await boss.autocomplete(channel, "settings set", "value", "5")

    assert [choice["value"] for choice in names] == ["top_k", "top_p", "stop"]
    assert names[0]["name"].startswith("top_k: Choose each word among the k likeliest only")
    assert [choice["value"] for choice in back] == [*REGISTRY, *OPTIONS, MEMORY.name]
    assert [choice["value"] for choice in values] == ["off", "on", "low", "medium", "high"]
    assert unknown == too_early == []
