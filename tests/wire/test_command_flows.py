"""Commands that take more than one step: windows, buttons, files, downloads; and where they are given."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from playground.discord import Actor, Asked, ChannelHandle, GuildHandle, Message, Permission, RefusedByClientError
from playground.discord.model import Role
from tests.fake_ollama import MODEL, Json

from .stage import PATIENCE, Held, Stage, answer, is_finished, numbered, pages, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

LAYER: Json = {"status": "pulling 6a0746a1ec1a", "digest": "sha256:6a0746a1ec1a", "total": 2_000_000_000}
PULL: list[Json] = [{"status": "pulling manifest"}, LAYER | {"completed": 500_000_000}, {"status": "success"}]
A_QUARTER = "Downloading **llama3.2**: pulling 6a0746a1ec1a\n`█████░░░░░░░░░░░░░░░` 25%, 500.0 MB of 2.0 GB"


@dataclass(frozen=True)
class Team:
    """A server of its own with a channel, Anna without rights, and Boss with the rights of a role."""

    stage: Stage
    guild: GuildHandle
    channel: ChannelHandle
    boss: Actor
    rights: Role

    @property
    def anna(self) -> Actor:
        return self.stage.anna

    async def told(self, command: str, /, *, who: Actor | None = None, **options: object) -> str:
        """What the bot says to a command, Boss's if nobody else's."""
        return (await (who or self.boss).slash(self.channel, command, **options).message()).content

    async def ask(self, prompt: str, *, who: Actor | None = None, **options: object) -> Message:
        """The answer to Anna's question, or to somebody else's."""
        return await answer((who or self.anna).slash(self.channel, "ask", prompt=prompt, **options))

    def said_to_model(self) -> list[str]:
        """What people said, as the model read it last."""
        return [content for role, content in self.stage.ollama.prompts[-1] if role == "user"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(OLLAMA_PULL_ALLOW="llama3*") as bot:
        yield stage
        assert "Traceback" not in bot.log()
        assert stage.discord.unknown_routes == []
        assert stage.discord.invalid_requests == 0


@pytest.fixture
def team(shared: Stage) -> Team:
    """A fresh server, and an Ollama that answers as it always does."""
    shared.ollama.answer, shared.ollama.between, shared.ollama.pull = ["Hello ", "there."], None, PULL
    guild = shared.discord.add_guild("Team")
    guild.add_member(shared.anna)
    rights = guild.add_role(
        "Bosses",
        permissions=Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES,
    )
    return Team(shared, guild, guild.add_channel("talk"), guild.add_member("Boss", roles=[rights]), rights)


async def edit_window(team: Team) -> Asked:
    """The window in which Boss edits the persona "pirate"."""
    await team.told("persona save", name="pirate", prompt="Say arr.")
    asked = team.boss.slash(team.channel, "persona edit", name="pirate")
    await asked.response()
    return asked


async def test_a_persona_is_edited_in_a_window_and_answers_as_it_was_edited(team: Team) -> None:
    window = await edit_window(team)
    assert '"value": "Say arr."' in json.dumps(window.modal)

    told = await team.boss.submit(window, {"System prompt": "Say arr,\nand yo."}).message()
    await team.ask("Who are you?", persona="pirate")

    assert told.content.startswith("**pirate** is saved as version 2.")
    assert not told.ephemeral
    assert team.stage.ollama.prompts[-1][0] == ("system", "Say arr,\nand yo.")


async def test_a_text_that_can_not_be_saved_is_given_back(team: Team) -> None:
    window = await edit_window(team)
    team.guild.set_permissions(team.rights, 0)

    refused = team.boss.submit(window, {"System prompt": "Say arr, and yo."})

    text_back = await refused.message(lambda message: message.attachments)
    assert refused.original.content == "For this you need the permission “Manage Server” in this server."
    assert [(file.filename, file.data) for file in text_back.attachments] == [("prompt.txt", b"Say arr, and yo.")]
    assert text_back.ephemeral
    assert "Say arr." in await team.told("persona list")


async def test_of_two_quick_presses_the_first_counts(team: Team) -> None:
    await team.ask("Remember me")
    asked = team.boss.slash(team.channel, "history clear")
    question = await asked.message()
    team.stage.discord.faults.slow("POST", "/callback", seconds=1)

    team.boss.click(question, "Cancel")
    team.boss.click(question, "Forget everything")
    await asked.message(lambda message: message.content != question.content, timeout=PATIENCE)

    assert asked.original.content == "Nothing was changed."
    assert (await team.told("history show")).startswith("2 messages are remembered here.")


async def test_forgetting_everything_takes_a_second_click_and_happens_once(team: Team) -> None:
    await team.ask("Remember me")
    asked = team.boss.slash(team.channel, "history clear")
    question = await asked.message()
    with pytest.raises(RefusedByClientError):
        team.anna.click(question, "Forget everything")

    await team.boss.click(question, "Forget everything").message(shows("are forgotten"))

    assert asked.original.content == "All 2 messages of this conversation are forgotten."
    with pytest.raises(RefusedByClientError):
        team.boss.click(asked.original, "Forget everything")
    await team.ask("Who am I?")
    assert team.said_to_model() == ["Who am I?"]


async def test_who_thinks_better_of_it_forgets_nothing(team: Team) -> None:
    await team.ask("Remember me")
    question = await team.anna.slash(team.channel, "history clear").message()

    told = await team.anna.click(question, "Cancel").message()

    assert told.content == "Nothing was changed."
    assert not told.components
    await team.ask("Who am I?")
    assert team.said_to_model() == ["Remember me", "Who am I?"]


async def test_a_conversation_is_exported_word_for_word(team: Team) -> None:
    team.stage.ollama.answer = ["Grüße, ", "👋\n", "## so"]
    await team.ask("Hallo @everyone\n'; DROP TABLE x;--")
    await team.ask("Und ich?", who=team.boss)

    exported = [team.anna.slash(team.channel, "history export", format=kind) for kind in ("markdown", "json")]
    [markdown], [data] = [(await asked.message()).attachments for asked in exported]

    turns = [
        ("user", "Anna", str(team.anna.id), "Hallo @everyone\n'; DROP TABLE x;--"),
        ("assistant", None, None, "Grüße, 👋\n## so"),
        ("user", "Boss", str(team.boss.id), "Und ich?"),
        ("assistant", None, None, "Grüße, 👋\n## so"),
    ]
    assert (markdown.filename, data.filename) == ("conversation.md", "conversation.json")
    assert re.sub(r", [-\d]+ [:\d]+ UTC\n", "\n", markdown.data.decode()) == "\n".join(
        f"## {name or 'Model'}\n\n{text}\n" for _, name, _, text in turns
    )
    entries = json.loads(data.data)
    assert [(one["role"], one["author"], one["author_id"], one["content"]) for one in entries] == turns
    assert {one["end_reason"] for one in entries} == {"complete"}


async def save(team: Team, message: Message) -> Message:
    """What Anna gets who saves the answer that a message shows."""
    return await team.anna.message_command(team.channel, "Save answer as file", message).message()


async def test_every_page_of_an_answer_gives_the_whole_of_it(team: Team) -> None:
    team.stage.ollama.answer = numbered(900)
    team.anna.slash(team.channel, "ask", prompt="Count")
    await team.stage.said(team.channel, is_finished)

    shown = pages(team.channel)
    files = [(await save(team, page)).attachments for page in shown]

    assert len(shown) == 3
    whole = ("answer.md", "".join(team.stage.ollama.answer))
    assert [[(file.filename, file.data.decode()) for file in given] for given in files] == [[whole]] * 3


async def test_what_is_no_finished_answer_is_not_saved(team: Team) -> None:
    question = team.anna.say(team.channel, "Not for you")
    told = await team.anna.slash(team.channel, "persona list").message()
    private = await team.ask("Between us", private=True)
    held = Held(team.stage.ollama, before=1)
    asked = team.anna.slash(team.channel, "ask", prompt="Hi")
    written = await asked.message(shows("Hello"))

    saved = [(await save(team, message)).content for message in (question, told, private, written)]
    held.go_on()
    await answer(asked)

    assert [sentence.partition(":")[0].partition(";")[0] for sentence in saved] == [
        "This message is not mine",
        "There is no answer to save in this message",
        "There is no answer to save in this message",
        "This answer is still being written",
    ]


async def test_a_download_shows_how_far_it_is_and_ends_by_itself(team: Team) -> None:
    held = Held(team.stage.ollama, before=2)
    download = team.boss.slash(team.channel, "model pull", name="llama3.2")

    halfway = await download.message(shows(A_QUARTER))
    refused = await team.anna.click(halfway, "Cancel").message(shows("Only the person"))
    held.go_on()

    done = await download.message(shows("**llama3.2** is downloaded."))
    assert refused.ephemeral
    assert not done.components


async def test_a_cancelled_download_ends_at_ollama_as_well(team: Team) -> None:
    held = Held(team.stage.ollama, before=2)
    download = team.boss.slash(team.channel, "model pull", name="llama3.2")

    team.boss.click(await download.message(shows(A_QUARTER)), "Cancel")

    done = await download.message(shows("cancelled"))
    assert done.content == "The download of **llama3.2** was cancelled: Boss pressed Cancel."
    assert not done.components
    await held.left()


async def test_a_download_that_fails_says_why_and_nothing_of_the_server(team: Team) -> None:
    team.stage.ollama.pull = [PULL[0], {"error": "write /root/.ollama/models: no space left on device"}]

    told = await team.boss.slash(team.channel, "model pull", name="llama3.2").message(shows("not downloaded"))

    assert told.content.startswith("**llama3.2** was not downloaded. The disk of")
    assert "/root" not in told.content


async def test_what_is_set_is_what_the_model_gets_until_it_is_reset(team: Team) -> None:
    stage = team.stage
    stage.ollama.models["big:70b"] = stage.ollama.models[MODEL]
    await team.told("persona set", prompt="Be rude.")
    await team.told("model use", name="big:70b")
    await team.told("settings set", parameter="temperature", value="0.5", scope="server")
    await team.told("settings set", parameter="temperature", value="0")

    await stage.reply_to(team.anna.say(team.channel, "Hi", mention_bot=True), shows("-# big:70b · custom"))
    set_so = stage.ollama.asked[-1]
    await team.told("settings reset")
    await team.told("persona reset")
    await team.told("model use", name=MODEL)
    await team.ask("Hi")
    after = stage.ollama.asked[-1]

    got = [(body["model"], body["messages"][0]["content"], body["options"]["temperature"]) for body in (set_so, after)]
    assert got == [("big:70b", "Be rude.", 0), (MODEL, "You are a helpful assistant.", 0.5)]


async def test_a_thread_inherits_what_its_channel_is_set_to_and_may_differ(team: Team) -> None:
    thread = team.channel.thread("aside")
    await team.told("persona use", name="go-away")

    inherited = await answer(team.anna.slash(thread, "ask", prompt="Hi"))
    await team.boss.slash(thread, "persona use", name="google-it").message(shows("answers in this thread now."))
    own = await answer(team.anna.slash(thread, "ask", prompt="Hi"))
    shown = await team.anna.slash(thread, "persona show").message()

    assert inherited.content.endswith("· go-away")
    assert own.content.endswith("· google-it")
    assert shown.content.startswith("**google-it**, from this thread")
    assert (await team.ask("Hi")).content.endswith("· go-away")


async def test_in_a_direct_message_everybody_decides_alone(team: Team) -> None:
    clara = team.guild.add_member("Clara")

    async def told(command: str, /, **options: object) -> str:
        return (await clara.slash(clara.dm, command, **options).message()).content

    assert "**go-away** answers in this conversation now." in await told("persona use", name="go-away")
    assert "`seed` is **3** in this conversation now." in await told("settings set", parameter="seed", value="3")
    done = await team.stage.reply_to(clara.say(clara.dm, "Hi"))
    assert done.content.endswith("· go-away")
    assert team.stage.ollama.asked[-1]["options"]["seed"] == 3
    assert "Forgotten, with its answer: “Hi”" in await told("history undo")
    assert (await told("history show")).startswith("Nothing is remembered of this conversation yet.")
    await team.ask("Hi", who=clara)
    assert team.stage.ollama.prompts[-1][0] == ("system", "You are a helpful assistant.")


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("persona save", {"name": "x", "prompt": "x"}, "Personas are kept per server, and a direct message belongs to"),
        ("persona edit", {"name": "x"}, "Personas are kept per server, and a direct message belongs to none."),
        ("persona delete", {"name": "x"}, "Personas are kept per server, and a direct message belongs to none."),
        (
            "settings set",
            {"parameter": "seed", "value": "1", "scope": "server"},
            "A direct message belongs to no server;",
        ),
        ("settings reset", {"scope": "server"}, "A direct message belongs to no server;"),
        ("model pull", {"name": "llama3.2"}, "A model can be downloaded only in a server's channel,"),
    ],
)
async def test_what_belongs_to_a_server_is_not_changed_in_a_direct_message(
    team: Team, command: str, options: dict[str, object], sentence: str
) -> None:
    told = await team.anna.slash(team.anna.dm, command, **options).message()

    assert told.content.startswith(sentence)


async def test_two_people_in_one_channel_are_answered_in_turn_and_told_apart(team: Team) -> None:
    held = Held(team.stage.ollama, before=1)
    hers = team.anna.slash(team.channel, "ask", prompt="Am I Anna?")
    await held.reached()
    his = team.boss.say(team.channel, "And who am I?", mention_bot=True)
    await team.stage.reply_to(his, shows("Waiting"))
    held.go_on()

    done = [await answer(hers), await team.stage.reply_to(his)]

    assert [message.content for message in done] == [
        f"-# Anna asked: Am I Anna?\nHello there.\n-# {MODEL} · assistant",
        f"Hello there.\n-# {MODEL} · assistant",
    ]
    assert team.said_to_model() == [
        "Am I Anna?",
        "[Until now Anna was speaking. From here on each message begins with its speaker's name.]\nBoss: And who am I?",
    ]
    assert (await team.told("history undo", who=team.anna)).startswith("The last question here is somebody else's;")
    assert await team.told("history undo") == "Forgotten, with its answer: “And who am I?”"
    assert await team.told("history undo", who=team.anna) == "Forgotten, with its answer: “Am I Anna?”"
