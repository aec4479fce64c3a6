"""Who may do what: every command there is, called by people without the right to it, with it, and with all but it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.client import Bot
from bot.errors import NotAllowed
from tests.fake_ollama import MODEL, FakeOllama
from tests.world import Gate, field_of, refused, said

FREE = {
    "ask",
    "history export",
    "history show",
    "limits show",
    "model list",
    "model show",
    "persona list",
    "persona show",
    "privacy delete",
    "privacy export",
    "privacy opt-in",
    "privacy opt-out",
    "privacy show",
    "settings show",
}
"""Commands that everybody may use."""


ROLE = "a role of this server"
"""Stands for one where a command takes a role."""


@dataclass(frozen=True)
class Protected:
    """A command for which one permission is needed."""

    command: str
    permission: str
    options: dict[str, object]

    def __str__(self) -> str:
        return " ".join([self.command, *map(str, self.options.values())])

    def options_in(self, guild: GuildHandle) -> dict[str, object]:
        """As they are given there."""
        return {name: guild.create_role("some") if value == ROLE else value for name, value in self.options.items()}


PROTECTED = [
    Protected("persona use", "manage_channels", {"name": "go-away"}),
    Protected("persona set", "manage_channels", {"prompt": "Be rude."}),
    Protected("persona reset", "manage_channels", {}),
    Protected("persona save", "manage_guild", {"name": "rude", "prompt": "Be rude."}),
    Protected("persona edit", "manage_guild", {"name": "pirate"}),
    Protected("persona delete", "manage_guild", {"name": "pirate"}),
    Protected("settings set", "manage_channels", {"parameter": "top_k", "value": "3"}),
    Protected("settings set", "manage_channels", {"parameter": "top_k", "value": "3", "scope": "channel"}),
    Protected("settings set", "manage_guild", {"parameter": "top_k", "value": "3", "scope": "server"}),
    Protected("privacy retention", "manage_guild", {"days": 30}),
    Protected("settings reset", "manage_channels", {}),
    Protected("settings reset", "manage_channels", {"parameter": "seed"}),
    Protected("settings reset", "manage_guild", {"scope": "server"}),
    Protected("settings reset", "manage_guild", {"scope": "server", "parameter": "seed"}),
    Protected("limits set", "manage_guild", {"role": ROLE, "limit": "tokens_per_day", "value": "5"}),
    Protected("limits reset", "manage_guild", {}),
    Protected("limits reset", "manage_guild", {"role": ROLE}),
    Protected("model use", "manage_channels", {"name": MODEL}),
    Protected("model pull", "manage_guild", {"name": "llama3.2"}),
    Protected("history undo", "manage_messages", {}),
    Protected("history clear", "manage_messages", {}),
]
NAMES = {
    "manage_channels": "Manage Channels",
    "manage_guild": "Manage Server",
    "manage_messages": "Manage Messages",
}
MANAGING = discord.Permissions(
    manage_channels=True,
    manage_guild=True,
    manage_messages=True,
    manage_roles=True,
    manage_threads=True,
    manage_webhooks=True,
)


@pytest.fixture
def member(env: Env, guild: GuildHandle) -> Callable[..., MemberActor]:
    """Makes a member with these permissions."""

    def make(permissions: discord.Permissions) -> MemberActor:
        role = guild.create_role("role", permissions=permissions)
        return guild.add_member(env.create_user("carol"), roles=[role])

    return make


@pytest.fixture
async def busy_place(bob: MemberActor, boss: MemberActor, channel: ChannelHandle, env: Env) -> str:
    """A channel and a server in which everything is set that can be taken away; the bot's next words come after."""
    await boss.slash(channel, "persona save", name="pirate", prompt="Say arr.")
    await boss.slash(channel, "persona use", name="pirate")
    await boss.slash(channel, "settings set", parameter="seed", value="1")
    await boss.slash(channel, "settings set", parameter="seed", value="2", scope="server")
    await bob.slash(channel, "ask", prompt="Mine.")
    return env.transcript()


@pytest.fixture
def everything(database_file: Path) -> Callable[[], str]:
    """The whole contents of the database."""

    def dump() -> str:
        with closing(sqlite3.connect(database_file)) as connection:
            return "\n".join(connection.iterdump())

    return dump


async def test_every_command_is_either_free_or_in_the_table(alice: MemberActor, channel: ChannelHandle) -> None:
    assert set(alice.available_commands(channel)) == FREE | {protected.command for protected in PROTECTED}
    assert not FREE & {protected.command for protected in PROTECTED}


async def test_there_is_one_command_of_each_name(env: Env, alice: MemberActor, channel: ChannelHandle) -> None:
    bot = env.bot
    assert isinstance(bot, Bot)
    names = [command.qualified_name for command in bot.tree.walk_commands()]
    assert len(names) == len(set(names))
    groups = {name for name in names if " " not in name} - {"ask"}
    assert set(names) - groups == set(alice.available_commands(channel))


@pytest.mark.usefixtures("busy_place")
@pytest.mark.parametrize("protected", PROTECTED, ids=str)
@pytest.mark.parametrize("rights", ["none", "all others"])
async def test_without_its_permission_a_command_changes_nothing_and_names_what_is_missing(
    protected: Protected,
    rights: str,
    member: Callable[..., MemberActor],
    guild: GuildHandle,
    channel: ChannelHandle,
    everything: Callable[[], str],
    fake: FakeOllama,
) -> None:
    permissions = discord.Permissions(MANAGING.value if rights == "all others" else 0)
    setattr(permissions, protected.permission, False)
    carol = member(permissions)
    fake.pull = []
    before = everything()

    refusal = await carol.slash(channel, protected.command, **protected.options_in(guild))

    assert f"permission “{NAMES[protected.permission]}”" in refused(refusal)
    assert refusal.modal is None
    assert refusal.response is not None
    assert refusal.response.components == []
    assert everything() == before


@pytest.mark.usefixtures("busy_place")
@pytest.mark.parametrize("protected", PROTECTED, ids=str)
async def test_its_permission_alone_is_enough(
    protected: Protected, member: Callable[..., MemberActor], guild: GuildHandle, channel: ChannelHandle, env: Env
) -> None:
    permissions = discord.Permissions()
    setattr(permissions, protected.permission, True)
    carol = member(permissions)

    result = await carol.slash(channel, protected.command, **protected.options_in(guild))

    assert env.errors == []
    assert result.modal or "permission" not in said(result)


@pytest.mark.parametrize("command", sorted(FREE - {"ask"}))
async def test_everybody_may_look(command: str, alice: MemberActor, channel: ChannelHandle, env: Env) -> None:
    await alice.slash(channel, "ask", prompt="Mine.")

    result = await alice.slash(channel, command)

    assert result.ephemeral
    assert said(result)
    assert env.errors == []


async def test_a_permission_counts_where_it_was_given(
    env: Env, guild: GuildHandle, alice: MemberActor, channel: ChannelHandle
) -> None:
    """Alice manages one channel and no other."""
    hers = guild.create_text_channel("hers", overwrites={alice: discord.PermissionOverwrite(manage_channels=True)})

    there = await alice.slash(hers, "persona use", name="go-away")
    here = await alice.slash(channel, "persona use", name="go-away")

    assert said(there) == "**go-away** answers in this channel now."
    assert "“Manage Channels”" in refused(here)


async def test_a_direct_message_is_its_persons_own(env: Env, alice: MemberActor, fake: FakeOllama) -> None:
    await alice.user.slash("persona set", prompt="Say arr.")
    await alice.user.slash("settings set", parameter="seed", value="7")
    await alice.send_dm("Hello?")
    undone = await alice.user.slash("history undo")

    assert fake.prompts == [[("system", "Say arr."), ("user", "Hello?")]]
    assert fake.asked[0]["options"]["seed"] == 7
    assert said(undone) == "Forgotten, with its answer: “Hello?”"


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("persona save", {"name": "a", "prompt": "b"}, "Personas are kept per server, and a direct message"),
        ("persona edit", {"name": "a"}, "Personas are kept per server, and a direct message"),
        ("persona delete", {"name": "a"}, "Personas are kept per server, and a direct message"),
        ("settings set", {"parameter": "seed", "value": "1", "scope": "server"}, "A direct message belongs to no"),
        ("settings reset", {"scope": "server"}, "A direct message belongs to no"),
        ("model pull", {"name": "llama3.2"}, "A model can be downloaded only in a server's channel"),
    ],
)
async def test_what_belongs_to_a_server_is_not_to_be_had_in_a_direct_message(
    command: str,
    options: dict[str, str],
    sentence: str,
    alice: MemberActor,
    everything: Callable[[], str],
) -> None:
    before = everything()

    refusal = await alice.user.slash(command, **options)

    assert refused(refusal).startswith(sentence)
    assert everything() == before


async def test_rights_lost_while_a_window_is_open_are_lost(
    env: Env, guild: GuildHandle, boss: MemberActor, channel: ChannelHandle
) -> None:
    await boss.slash(channel, "persona save", name="pirate", prompt="Say arr.")
    window = await boss.slash(channel, "persona edit", name="pirate")
    env.backend.guilds[guild.id].members[boss.id].role_ids.clear()

    refusal = await boss.submit_modal(window, {field_of(window): "Say ahoy."})

    assert "“Manage Server”" in refused(refusal)
    shown = await boss.slash(channel, "persona list")
    assert "Say arr." in said(shown)
    assert any(isinstance(error, NotAllowed) for error in env.errors)


@pytest.mark.parametrize(("name", "value"), [("quiet", "on"), ("ready_after", "60")])
async def test_what_people_choose_for_themselves_needs_no_right(
    name: str, value: str, alice: MemberActor, channel: ChannelHandle, env: Env
) -> None:
    done = [
        await alice.slash(channel, "settings set", parameter=name, value=value, scope="me"),
        await alice.slash(channel, "settings reset", parameter=name, scope="me"),
        await alice.slash(channel, "settings reset", scope="me"),
    ]

    assert [said(result) for result in done] == [
        f"`{name}` is **{value}** for you now.",
        f"Reset for you: `{name}` (was {value}).",
        "Nothing was set for you.",
    ]
    assert env.errors == []


@pytest.mark.parametrize("command", ["settings set", "settings reset"])
@pytest.mark.parametrize("scope", ["channel", "server"])
async def test_who_may_not_choose_for_all_is_told_how_to_choose_for_themselves(
    command: str, scope: str, alice: MemberActor, channel: ChannelHandle, everything: Callable[[], str]
) -> None:
    before = everything()
    value = {"value": "on"} if command == "settings set" else {}

    refusal = await alice.slash(channel, command, parameter="Quiet", scope=scope, **value)

    assert refused(refusal).startswith("For this you need the permission “Manage")
    assert refused(refusal).endswith("in this server. For yourself alone, choose the scope `me`.")
    assert everything() == before


async def test_people_may_take_back_and_forget_what_is_theirs_alone(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    await alice.slash(channel, "ask", prompt="First.")
    await alice.slash(channel, "ask", prompt="Second.")

    own = await alice.slash(channel, "history undo")
    clearing = await alice.slash(channel, "history clear")
    await bob.slash(channel, "ask", prompt="Third.")
    others = await alice.slash(channel, "history undo")
    everybodys = await alice.slash(channel, "history clear")
    his = await bob.slash(channel, "history undo")

    assert said(own) == "Forgotten, with its answer: “Second.”"
    assert clearing.response is not None
    assert clearing.response.components
    assert refused(others).startswith("The last question here is somebody else's;")
    assert refused(everybodys).startswith("Other people asked here too;")
    assert said(his) == "Forgotten, with its answer: “Third.”"


async def test_a_running_answer_keeps_its_place_while_others_are_refused(
    env: Env, alice: MemberActor, bob: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.between = gate = Gate(env, before=1)
    await bob.slash(channel, "ask", prompt="His.")

    refusal = await alice.slash(channel, "history clear")
    await gate.open()

    assert "“Manage Messages”" in refused(refusal)
    shown = await alice.slash(channel, "history show")
    assert "2 messages are remembered here" in said(shown)
