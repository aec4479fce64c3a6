"""Every command with every option and every suggestion, and what is refused: one bot, a new server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from playground.discord import Actor, Asked, ChannelHandle, Permission, RefusedByClientError
from playground.discord.model import InteractionKind
from playground.discord.payloads import Payload
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Stage, answer, shows, staged

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

SAVE_ANSWER, ASK_ABOUT, THREAD = MENU = ("Save answer as file", "Ask about this", "Continue in a thread")
"""In the menu of a message."""

WINDOWS = {"persona edit", ASK_ABOUT}
"""What opens one first."""

EVERYONE = "@everyone"
"""The role of that name in the test's server."""


@dataclass(frozen=True)
class Use:
    """A command as somebody gives it, and what the bot says."""

    command: str
    options: dict[str, object] = field(default_factory=dict)
    says: str = ""
    public: bool = False

    def __str__(self) -> str:
        return " ".join([self.command, *(f"{name}:{str(value)[:30]}" for name, value in self.options.items())])


USES = [
    Use("ask", {"prompt": "Why?"}, f"-# Boss asked: Why?\nHello there.\n-# {MODEL} · assistant", public=True),
    Use("ask", {"prompt": "Why?", "persona": "Pirate"}, f"-# {MODEL} · pirate", public=True),
    Use("ask", {"prompt": "Why?", "file": ("note.txt", b"Because.")}, f"-# {MODEL} · assistant", public=True),
    Use("ask", {"prompt": "Why?", "private": True}, f"Hello there.\n-# {MODEL} · assistant"),
    Use("persona show", {}, "**assistant**, from the bot's own default\n> You are a helpful assistant."),
    Use("persona list", {}, "- **pirate** (version 1, by Boss "),
    Use("persona use", {"name": "PIRATE"}, "**pirate** answers in this channel now.", public=True),
    Use("persona set", {"prompt": "Be\nrude."}, "system prompt now:\n> Be\n> rude.", public=True),
    Use("persona reset", {}, "Nothing was set here. **assistant** answers here, from ", public=True),
    Use("persona save", {"name": "cook", "prompt": "Cook."}, "**cook** is saved as version 1.", public=True),
    Use("persona save", {"name": "pirate", "prompt": "Say yo."}, "**pirate** is saved as version 2.", public=True),
    Use("persona edit", {"name": "pirate"}, "Edit pirate"),
    Use("persona delete", {"name": "pirate"}, "“pirate” is deleted. No channel used it.", public=True),
    Use("settings show", {}, "`seed` **7**, from this channel (set by Boss "),
    Use("settings set", {"parameter": "top_k", "value": "3"}, "`top_k` is **3** in this channel now.", public=True),
    Use(
        "settings set",
        {"parameter": "seed", "value": "8", "scope": "channel"},
        "`seed` is **8** in this channel now; it was 7.",
        public=True,
    ),
    Use(
        "settings set",
        {"parameter": "top_k", "value": "3", "scope": "server"},
        "`top_k` is **3** in this server now.",
        public=True,
    ),
    Use("settings set", {"parameter": "quiet", "value": "on", "scope": "me"}, "`quiet` is **on** for you now."),
    Use("settings reset", {}, "Reset in this channel: `seed` (was 7).", public=True),
    Use("settings reset", {"parameter": "seed"}, "Reset in this channel: `seed` (was 7).", public=True),
    Use("settings reset", {"scope": "channel"}, "Reset in this channel: `seed` (was 7).", public=True),
    Use("settings reset", {"scope": "server"}, "Nothing was set in this server."),
    Use("settings reset", {"parameter": "quiet", "scope": "me"}, "Nothing was set for you."),
    Use("model show", {}, f"**{MODEL}**, from the operator's default\n92.0 MB · 1B parameters · Q4_0"),
    Use("model list", {}, f"- **{MODEL}**: 92.0 MB · 1B parameters"),
    Use("model use", {"name": MODEL.upper()}, f"**{MODEL}** answers in this channel now.", public=True),
    Use("model pull", {"name": "llama3.2"}, "**llama3.2** is downloaded. `/model use llama3.2`", public=True),
    Use("limits show", {}, "You may ask **any number of** questions a minute and use **any number of** tokens a day."),
    Use(
        "limits set",
        {"role": EVERYONE, "limit": "questions_per_minute", "value": "9"},
        "may have **9** questions a minute now.",
        public=True,
    ),
    Use(
        "limits set",
        {"role": EVERYONE, "limit": "tokens_per_day", "value": "none"},
        "may have **any number of** tokens a day now.",
        public=True,
    ),
    Use("limits reset", {}, "Nothing of that was set in this server."),
    Use("limits reset", {"role": EVERYONE, "limit": "questions_per_minute"}, "Nothing of that was set in this server."),
    Use("limits reset", {"limit": "tokens_per_day"}, "Nothing of that was set in this server."),
    Use("history show", {}, "- **Anna**: Who am I?\n- **Model**: Hello there."),
    Use("history undo", {}, "Forgotten, with its answer: “Who am I?”"),
    Use("history clear", {}, "Shall I forget this whole conversation?"),
    Use("history export", {}, "Here is what I remember of this conversation."),
    Use("history export", {"format": "markdown"}, "Here is what I remember of this conversation."),
    Use("history export", {"format": "json"}, "Here is what I remember of this conversation."),
    Use("privacy show", {}, "I keep about you: 1 setting that you chose, "),
    Use("privacy export", {}, "Here is everything that I keep about you."),
    Use("privacy delete", {}, "Shall I delete everything that I keep about you, in all servers:"),
    Use("privacy opt-out", {}, "From now on I keep nothing of what you ask me, only that you want it so."),
    Use("privacy opt-in", {}, "I remember what you ask me already."),
    Use(
        "privacy retention",
        {"days": 30},
        "Questions and answers in this server are deleted after 30 days.",
        public=True,
    ),
    Use(SAVE_ANSWER, {}, "Here is the whole answer."),
    Use(ASK_ABOUT, {}, "Ask about this"),
    Use(THREAD, {}, "The conversation goes on in <#"),
]
"""What Boss does in a channel where Anna asked, with a persona in the server and a setting in the channel."""

CHANNELS, SERVER = (
    f"For this you need the permission “Manage {what}” in this server." for what in ("Channels", "Server")
)

FORBIDDEN = [
    Use("persona use", {"name": "pirate"}, CHANNELS),
    Use("persona set", {"prompt": "Be rude."}, CHANNELS),
    Use("persona reset", {}, CHANNELS),
    Use("persona save", {"name": "cook", "prompt": "Cook."}, SERVER),
    Use("persona edit", {"name": "pirate"}, SERVER),
    Use("persona delete", {"name": "pirate"}, SERVER),
    Use("settings set", {"parameter": "top_k", "value": "3"}, CHANNELS),
    Use("settings set", {"parameter": "top_k", "value": "3", "scope": "server"}, SERVER),
    Use(
        "settings set",
        {"parameter": "quiet", "value": "on"},
        f"{CHANNELS} For yourself alone, choose the scope `me`.",
    ),
    Use("settings reset", {}, CHANNELS),
    Use("settings reset", {"scope": "server"}, SERVER),
    Use("model use", {"name": MODEL}, CHANNELS),
    Use("model pull", {"name": "llama3.2"}, SERVER),
    Use("limits set", {"role": EVERYONE, "limit": "tokens_per_day", "value": "9"}, SERVER),
    Use("limits reset", {}, SERVER),
    Use("privacy retention", {"days": 30}, SERVER),
    Use("history undo", {}, "The last question here is somebody else's; taking it back needs the permission"),
    Use("history clear", {}, "Other people asked here too; forgetting it all needs the permission"),
]
"""What Bernd, who has no rights and has not asked anything, is refused in the same channel."""

REFUSED = [
    Use("ask", {"prompt": " \n "}, "Ask me something: your question is blank."),
    Use("ask", {"prompt": "Why?", "persona": "nobody"}, "⚠️ There is no persona “nobody” here. Available:", True),
    Use("ask", {"prompt": "Why?", "file": ("a.zip", b"PK")}, "“a.zip” is not"),
    Use("ask", {"prompt": "Why?", "file": ("a.txt", b"\0\1\2\xff")}, "“a.txt” is not", True),
    Use("ask", {"prompt": "Why?", "file": ("a.txt", b"x" * 262_145)}, "“a.txt” is too large: it is 262.1 kB,"),
    Use("persona use", {"name": "nobody"}, "There is no persona “nobody” here."),
    Use("persona set", {"prompt": "  "}, "A persona needs a system prompt:"),
    Use("persona save", {"name": "@here", "prompt": "x"}, "A persona's name has 1 to 32 letters, digits,"),
    Use("persona save", {"name": "assistant", "prompt": "x"}, "“assistant” comes with the bot and can't be changed;"),
    Use("persona edit", {"name": "go-away"}, "“go-away” comes with the bot and can't be changed;"),
    Use("persona edit", {"name": "nobody"}, "There is no persona “nobody” here."),
    Use("persona delete", {"name": "Assistant"}, "“assistant” comes with the bot and can't be deleted;"),
    Use(
        "settings set", {"parameter": "temperature", "value": "3"}, "`temperature` takes a number from 0 to 2, not “3”."
    ),
    Use("settings set", {"parameter": "seed", "value": "-1"}, "`seed` takes a whole number from 0 to 2147483647,"),
    Use("settings set", {"parameter": "num_ctx", "value": "9"}, "`num_ctx` is one value for everybody,"),
    Use("settings set", {"parameter": "mood", "value": "9"}, "There is no parameter “mood”. There are `temperature`,"),
    Use(
        "settings set",
        {"parameter": "max_messages", "value": "21"},
        "`max_messages` takes a whole number from 1 to 20,",
    ),
    Use(
        "settings set",
        {"parameter": "top_p", "value": "1", "scope": "me"},
        "`top_p` can be set for a channel or a server only; for yourself you can set `quiet` and `ready_after`.",
    ),
    Use("settings reset", {"parameter": "mood"}, "There is no parameter “mood”."),
    Use(
        "limits set",
        {"role": EVERYONE, "limit": "tokens_per_day", "value": "lots"},
        "`tokens_per_day` takes a whole number from 1 to 1000000000, or none, not “lots”.",
    ),
    Use("model use", {"name": "gone:1b"}, f"The Ollama server has no model `gone:1b`. It has `{MODEL}`.", True),
    Use("model pull", {"name": "qwen3:4b"}, "The operator allows only these models to be downloaded: `llama3*`."),
    Use("model pull", {"name": "llama3 2"}, "A model's name looks like `llama3.2` or `qwen3:4b`."),
]
"""What even Boss is refused: for all to see where Discord had to be told before that an answer would come."""

STOPPED_BY_THE_APP = [
    Use("ask", {"prompt": ""}),
    Use("ask", {"prompt": "x" * 6001}),
    Use("ask", {}),
    Use("persona set", {"prompt": "x" * 4001}),
    Use("persona save", {"name": "x" * 33, "prompt": "x"}),
    Use("persona save", {"name": "x", "prompt": "x" * 4001}),
    Use("settings set", {"parameter": "seed", "value": "1", "scope": "everywhere"}),
    Use("history export", {"format": "pdf"}),
    Use("privacy retention", {"days": -1}),
    Use("privacy retention", {"days": 3_651}),
    Use("privacy retention", {}),
]
"""What Discord's app does not even send, because the bot told it so when it registered the commands."""

FORGED = [
    Use("persona set", {"prompt": "x" * 4001}, "A system prompt has at most 4,000 characters; this one has 4,001."),
    Use("persona save", {"name": "x" * 33, "prompt": "x"}, "A persona's name has 1 to 32 letters, digits,"),
    Use("settings reset", {"scope": "everywhere"}, "“everywhere” is not allowed there."),
    Use("history export", {"format": "pdf"}, "“pdf” is not allowed there."),
    Use("privacy retention", {"days": "3651"}, "Conversations are kept for up to 3650 days, or for ever with 0."),
    Use("history burn", {}, "This command has just changed. Please type it again;"),
    Use("burn", {}, "This command has just changed. Please type it again;"),
]
"""What no proper app sends: the bot checks for itself."""


@dataclass(frozen=True)
class Typed:
    """What somebody has typed into an option so far, and what is suggested."""

    command: str
    option: str
    text: str
    suggested: list[str]
    others: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.command} {self.option}:{self.text}"


TYPED = [
    Typed("ask", "persona", "go", ["google-it", "go-away"]),
    Typed("persona use", "name", "PI", ["pirate"]),
    Typed("persona save", "name", "", ["pirate"]),
    Typed("persona edit", "name", "", ["pirate"]),
    Typed("persona delete", "name", "assist", []),
    Typed("settings set", "parameter", "top", ["top_k", "top_p", "stop"]),
    Typed("settings set", "value", "", ["on", "off"], {"parameter": "quiet"}),
    Typed("settings set", "value", "", []),
    Typed("settings reset", "parameter", "quie", ["quiet"]),
    Typed("model use", "name", "tin", [MODEL]),
]


@dataclass(frozen=True)
class Lived:
    """A channel in a server of its own, where something is set and remembered already."""

    stage: Stage
    channel: ChannelHandle
    boss: Actor
    bernd: Actor
    asked: Asked
    """Anna's question."""

    def use(self, who: Actor, use: Use) -> Asked:
        """Somebody gives a command."""
        if use.command in MENU:
            return who.message_command(self.channel, use.command, self.asked.original)
        guild = self.stage.discord.world.guilds[self.channel.model.guild_id or 0]
        everyone = guild.roles[guild.id]
        options = {name: everyone if value == EVERYONE else value for name, value in use.options.items()}
        return who.slash(self.channel, use.command, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(OLLAMA_PULL_ALLOW="llama3*") as bot:
        yield stage
        assert "Traceback" not in bot.log()
        assert "Unexpected error" not in bot.log()
        assert stage.discord.unknown_routes == []
        assert stage.discord.invalid_requests == 0


@pytest_asyncio.fixture(loop_scope="module")
async def lived(shared: Stage) -> Lived:
    guild = shared.discord.add_guild("Team")
    channel = guild.add_channel("talk")
    guild.add_member(shared.anna)
    rights = Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES
    boss = guild.add_member("Boss", permissions=rights)
    await boss.slash(channel, "persona save", name="pirate", prompt="Say arr.").message()
    await boss.slash(channel, "settings set", parameter="seed", value="7").message()
    asked = shared.anna.slash(channel, "ask", prompt="Who am I?")
    await answer(asked)
    return Lived(shared, channel, boss, guild.add_member("Bernd"), asked)


def leaves(options: list[Payload], path: str) -> Iterator[tuple[str, list[Payload]]]:
    """Every command as people give it, below a registered one."""
    groups = [option for option in options if option["type"] in {1, 2}]
    if not groups:
        yield path, options
    for group in groups:
        yield from leaves(group.get("options", []), f"{path} {group['name']}")


def registered(stage: Stage) -> dict[str, list[Payload]]:
    """The options of all commands, as the bot told them to Discord."""
    commands = [command for place in stage.discord.world.commands.values() for command in place]
    return dict(leaf for command in commands for leaf in leaves(command["options"], command["name"]))


async def test_every_command_option_and_choice_that_is_registered_is_used_here(shared: Stage) -> None:
    there = {(command, option["name"]) for command, options in registered(shared).items() for option in options}
    choices = {
        (command, option["name"], choice["value"])
        for command, options in registered(shared).items()
        for option in options
        for choice in option.get("choices", [])
    }

    assert {use.command for use in USES} == set(registered(shared))
    assert {(use.command, option) for use in USES for option in use.options} == there
    assert {
        (use.command, option, value)
        for use in USES
        for option, value in use.options.items()
        if (use.command, option) in {choice[:2] for choice in choices}
    } == choices


async def test_every_option_that_suggests_something_is_typed_into_here(shared: Stage) -> None:
    suggesting = {
        (command, option["name"])
        for command, options in registered(shared).items()
        for option in options
        if option.get("autocomplete")
    }

    assert {(typed.command, typed.option) for typed in TYPED} == suggesting


@pytest.mark.parametrize("use", USES, ids=str)
async def test_a_command_does_what_it_says(lived: Lived, use: Use) -> None:
    asked = lived.use(lived.boss, use)

    if use.command in WINDOWS:
        await asked.response(timeout=PATIENCE)
        assert asked.modal["title"] == use.says
        return
    told = await asked.message(shows(use.says), timeout=PATIENCE)
    assert told.ephemeral is not use.public
    assert not told.pings


@pytest.mark.parametrize("use", FORBIDDEN, ids=str)
async def test_without_the_right_a_command_is_refused_to_its_giver_alone(lived: Lived, use: Use) -> None:
    told = await lived.use(lived.bernd, use).message()

    assert told.content.startswith(use.says)
    assert told.ephemeral


@pytest.mark.parametrize("use", REFUSED, ids=str)
async def test_what_is_not_allowed_is_refused_with_what_is(lived: Lived, use: Use) -> None:
    before = len(lived.stage.ollama.asked)

    told = await lived.use(lived.boss, use).message(shows(use.says))

    assert told.ephemeral is not use.public
    assert len(lived.stage.ollama.asked) == before


@pytest.mark.parametrize("use", STOPPED_BY_THE_APP, ids=str)
async def test_the_app_knows_what_need_not_be_sent(lived: Lived, use: Use) -> None:
    with pytest.raises(RefusedByClientError):
        lived.use(lived.boss, use)


@pytest.mark.parametrize("use", FORGED, ids=str)
async def test_what_no_app_sends_is_refused_as_well(lived: Lived, use: Use) -> None:
    name, *inner = use.command.split()
    options: list[Payload] = [{"name": key, "type": 3, "value": value} for key, value in use.options.items()]
    for part in inner:
        options = [{"name": part, "type": 1, "options": options}]
    data = {"id": "1", "name": name, "type": 1, "options": options}
    kind = InteractionKind.COMMAND
    forged = lived.stage.discord.interactions.open(kind, lived.boss.user, lived.channel.model, data)

    told = await Asked(lived.stage.discord, forged).message()

    assert told.content.startswith(use.says)
    assert told.ephemeral


@pytest.mark.parametrize("typed", TYPED, ids=str)
async def test_options_suggest_what_fits(lived: Lived, typed: Typed) -> None:
    asked = lived.bernd.complete(lived.channel, typed.command, typed.option, typed.text, **typed.others)

    suggested = await lived.stage.discord.choices(asked)

    assert [choice["value"] for choice in suggested] == typed.suggested
