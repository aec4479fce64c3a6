"""/model: looking, choosing, downloading."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.client import Bot
from tests.fake_ollama import MODEL, FakeOllama, Json
from tests.world import Gate, answers, refused, said, shut_down

BIG: Json = {"context_length": 131072, "capabilities": ["completion", "vision"]}
LAYER: Json = {"status": "pulling 6a0746a1ec1a", "digest": "sha256:6a0746a1ec1a", "total": 2_000_000_000}
PULL: list[Json] = [
    {"status": "pulling manifest"},
    LAYER | {"completed": 500_000_000},
    LAYER | {"completed": 2_000_000_000},
    {"status": "success"},
]
UNREACHABLE = (
    "Ollama does not answer at http://127.0.0.1:11434. Ask the operator to check that it runs; "
    "`python -m bot check` tells more."
)


async def test_the_model_of_a_channel_is_shown_with_what_it_can_do(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    loaded = said(await alice.slash(channel, "model show"))
    fake.loaded = set()
    unloaded = said(await alice.slash(channel, "model show"))

    assert loaded.splitlines() == [
        f"**{MODEL}**, from the operator's default",
        "92.0 MB · 1B parameters · Q4_0 · context window up to 8,192 tokens",
        "It is in memory now.",
    ]
    assert unloaded.splitlines()[-1] == "It is not in memory, so the first answer takes longer."


@pytest.mark.parametrize(
    ("capabilities", "words"),
    [
        (["completion"], ""),
        (["completion", "insert", "tools"], ""),
        (["completion", "tools", "vision"], " · sees images"),
        (["completion", "thinking", "vision"], " · sees images · can think before it answers"),
        (["embedding"], " · can't answer questions, made for searching texts"),
        ([], ""),
    ],
)
async def test_what_a_model_can_do_is_said_in_plain_words(
    capabilities: list[str], words: str, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models[MODEL]["capabilities"] = capabilities

    shown = said(await alice.slash(channel, "model show"))

    assert shown.splitlines()[1].partition(" tokens")[2] == words


async def test_all_models_are_listed(alice: MemberActor, channel: ChannelHandle, fake: FakeOllama) -> None:
    fake.models["big:70b"] = BIG

    listed = await alice.slash(channel, "model list")

    assert listed.ephemeral
    assert said(listed).splitlines() == [
        "- **big:70b**: 92.0 MB · 1B parameters · Q4_0 · context window up to 131,072 tokens · sees images",
        f"- **{MODEL}**: 92.0 MB · 1B parameters · Q4_0 · context window up to 8,192 tokens",
    ]


async def test_a_long_list_says_how_many_it_leaves_out(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models = {f"m{number:02}:1b": BIG | {"capabilities": []} for number in range(45)}

    listed = await alice.slash(channel, "model list")

    assert said(listed) == "It is too long for a message, so here it is as a file."


async def test_a_server_without_models_says_how_to_get_one(
    alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models = {}

    refusal = await alice.slash(channel, "model list")

    assert refused(refusal) == (
        "The Ollama server has no model yet; the operator adds one with `ollama pull llama3.2`."
    )


async def test_a_chosen_model_answers_in_that_channel_only(
    alice: MemberActor, boss: MemberActor, guild: GuildHandle, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models["big:latest"] = BIG
    other = guild.create_text_channel("other")

    chosen = await boss.slash(channel, "model use", name="BIG")
    answer = await alice.slash(channel, "ask", prompt="Hello?")
    await alice.slash(other, "ask", prompt="Hello?")
    shown = await alice.slash(channel, "model show")

    assert said(chosen) == "**big:latest** answers in this channel now."
    assert not chosen.ephemeral
    assert [body["model"] for body in fake.asked] == ["big:latest", MODEL]
    assert said(answer).endswith("-# big:latest · assistant")
    assert said(shown).startswith("**big:latest**, from this channel\n")


async def test_a_model_that_there_is_not_can_not_be_chosen(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    refusal = await boss.slash(channel, "model use", name="`x`'; DROP TABLE settings;--")
    shown = await boss.slash(channel, "model show")

    assert said(refusal) == f"The Ollama server has no model `'x''; DROP TABLE settings;--`. It has `{MODEL}`."
    assert said(shown).startswith(f"**{MODEL}**, from the operator's default")


async def test_models_are_offered_while_one_types_and_nothing_while_ollama_is_away(
    boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models["big:70b"] = BIG

    offered = await boss.autocomplete(channel, "model use", "name", "B")
    fake.offline = True
    nothing = await boss.autocomplete(channel, "model use", "name", "")

    assert [choice["value"] for choice in offered] == ["big:70b", MODEL]
    assert nothing == []


async def test_a_model_that_has_vanished_is_said_to_have_vanished(
    alice: MemberActor, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.models["big:70b"] = BIG
    await boss.slash(channel, "model use", name="big:70b")
    del fake.models["big:70b"]

    shown = await alice.slash(channel, "model show")
    answer = await alice.slash(channel, "ask", prompt="Hello?")

    assert refused(shown) == (
        "**big:70b** should answer here (this channel says so), but the Ollama server does not have it any more. "
        "`/model use` chooses another; `/model pull` downloads it again where that is allowed."
    )
    assert "⚠️ " in said(answer)
    assert "“big:70b”" in said(answer)
    assert said(answer).endswith("-# big:70b · assistant")


@pytest.mark.parametrize("command", ["model show", "model list", "model use"])
async def test_an_ollama_that_is_away_is_said_to_be_away(
    command: str, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.offline = True

    options = {"name": MODEL} if command == "model use" else {}
    refusal = await boss.slash(channel, command, **options)

    assert said(refusal) == UNREACHABLE


# Downloading


@pytest.mark.parametrize("name", ["qwen3:4b", "LLAMA", "xllama3"])
async def test_only_what_the_operator_allows_is_downloaded(
    name: str, env: Env, boss: MemberActor, channel: ChannelHandle
) -> None:
    refusal = await boss.slash(channel, "model pull", name=name)

    assert refused(refusal) == "The operator allows only these models to be downloaded: `llama3*`."


@pytest.mark.operator(OLLAMA_PULL_ALLOW="")
async def test_without_a_list_nothing_is_downloaded(boss: MemberActor, channel: ChannelHandle) -> None:
    refusal = await boss.slash(channel, "model pull", name="llama3.2")

    assert refused(refusal) == ("Downloading models is switched off; the operator allows names in OLLAMA_PULL_ALLOW.")


@pytest.mark.parametrize("name", ["  ", "llama3 2", "llama3" * 40])
async def test_what_is_no_name_is_not_downloaded(name: str, boss: MemberActor, channel: ChannelHandle) -> None:
    refusal = await boss.slash(channel, "model pull", name=name)

    assert refused(refusal) == "A model's name looks like `llama3.2` or `qwen3:4b`."


async def test_a_download_shows_how_far_it_is_and_how_it_ended(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = gate = Gate(env, before=2)

    download = await boss.slash(channel, "model pull", name=" Llama3.2 ")
    halfway = said(download)
    assert download.response is not None
    buttons = download.response.components
    await gate.open()

    assert halfway == ("Downloading **Llama3.2**: pulling 6a0746a1ec1a\n`█████░░░░░░░░░░░░░░░` 25%, 500.0 MB of 2.0 GB")
    assert buttons[0]["components"][0]["label"] == "Cancel"
    assert said(download) == "**Llama3.2** is downloaded. `/model use Llama3.2` lets it answer in a channel."
    assert download.response.components == []
    assert not download.ephemeral


@pytest.mark.parametrize("who", ["boss", "manager"])
async def test_whoever_asked_and_those_who_manage_the_server_can_cancel_a_download(
    who: str, env: Env, guild: GuildHandle, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    manager = guild.add_member(env.create_user("manager"), roles=[guild.roles["boss"]])
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None

    await (boss if who == "boss" else manager).click(download.response, label="Cancel")

    assert said(download) == f"The download of **llama3.2** was cancelled: {who} pressed Cancel."
    assert download.response.components == []
    assert fake.closed == 1


async def test_whoever_asked_can_cancel_a_download_also_without_the_right_to_ask_again(
    env: Env, guild: GuildHandle, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None
    env.backend.guilds[guild.id].members[boss.id].role_ids.clear()

    await boss.click(download.response, label="Cancel")

    assert said(download) == "The download of **llama3.2** was cancelled: boss pressed Cancel."


async def test_a_stranger_can_not_cancel_a_download(
    env: Env, boss: MemberActor, alice: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = gate = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None

    click = await alice.click(download.response, label="Cancel")

    assert refused(click) == "Only the person who started the download, or a server manager, can cancel it."
    assert "25%" in said(download)
    assert fake.closed == 0
    await gate.open()
    assert said(download).startswith("**llama3.2** is downloaded.")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([{"error": "pull model manifest: file does not exist"}], "Ollama's library has no model “llama3.2”."),
        ([{"status": "pulling manifest"}, {"error": "write /root/.ollama: no space left on device"}], "The disk of"),
        ([{"status": "pulling manifest"}], "The download of “llama3.2” broke off."),
    ],
)
async def test_a_download_that_fails_says_why_in_our_words(
    lines: list[dict[str, str]], sentence: str, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = list(lines)

    download = await boss.slash(channel, "model pull", name="llama3.2")

    assert said(download).startswith(f"**llama3.2** was not downloaded. {sentence}")
    assert "/root" not in said(download)
    assert download.response is not None
    assert download.response.components == []


async def test_a_download_whose_message_is_deleted_still_ends(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    gate, reached = Gate(env, before=2), set[int]()

    def between(index: int) -> Awaitable[object] | None:
        reached.add(index)
        return gate(index)

    fake.between = between
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None

    await boss.delete(download.response)
    await gate.open()

    assert reached == {0, 1, 2, 3}
    assert answers(env, channel) == []
    assert env.errors == []


async def test_a_download_that_takes_longer_than_15_minutes_goes_on_being_shown(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = gate = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")

    await env.advance_time(20 * 60)
    await gate.open()

    assert said(download).startswith("**llama3.2** is downloaded.")
    assert download.response is not None
    assert download.response.components == []


async def test_at_shutdown_a_download_does_not_look_as_if_it_went_on(
    env: Env, simcord_bot: Bot, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")

    await shut_down(env, simcord_bot)

    assert said(download) == "The download of **llama3.2** was cancelled: the bot is being restarted."
    assert fake.closed == 1


async def test_a_download_is_not_to_be_had_in_a_direct_message(alice: MemberActor) -> None:
    refusal = await alice.user.slash("model pull", name="llama3.2")

    assert refused(refusal) == ("A model can be downloaded only in a server's channel, and a direct message is none.")
