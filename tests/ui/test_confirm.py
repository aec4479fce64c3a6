"""Questions with two buttons, as `/history clear` asks one."""

from __future__ import annotations

from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.env import Env

from bot.chat.history import History
from bot.errors import StorageError
from tests.world import Gate


@pytest.fixture
def gate(env: Env, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Holds what the dangerous button does."""
    gate, clear = Gate(env, before=0), History.clear

    async def held(*args: Any, **options: Any) -> int:  # noqa: ANN401  # whatever is forgotten
        if (wait := gate(0)) is not None:
            await wait
        return await clear(*args, **options)

    monkeypatch.setattr(History, "clear", held)
    return gate


async def test_the_buttons_are_gone_while_it_is_done(alice: MemberActor, channel: ChannelHandle, gate: Gate) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None

    await alice.click(asked.response, label="Forget everything")
    meanwhile, buttons = asked.response.content, asked.response.components
    await gate.open()

    assert meanwhile == "One moment…"
    assert buttons == []
    assert asked.response.content == "All 2 messages of this conversation are forgotten."


async def test_what_fails_leaves_no_buttons_and_says_why(
    env: Env, alice: MemberActor, channel: ChannelHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object, **__: object) -> int:
        raise StorageError("The database is locked.")

    monkeypatch.setattr(History, "clear", failing)
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None

    click = await alice.click(asked.response, label="Forget everything")

    assert asked.response.content == "That did not work."
    assert asked.response.components == []
    assert [(told.content, told.ephemeral) for told in click.followups] == [("The database is locked.", True)]
    await env.advance_time(121)
    assert asked.response.content == "That did not work."


@pytest.mark.parametrize(
    ("label", "says"),
    [("Forget everything", "All 2 messages of this conversation are forgotten."), ("Cancel", "Nothing was changed.")],
)
async def test_a_press_that_discord_did_not_take_can_be_repeated(
    label: str, says: str, env: Env, alice: MemberActor, channel: ChannelHandle
) -> None:
    await alice.slash(channel, "ask", prompt="Remember me.")
    asked = await alice.slash(channel, "history clear")
    assert asked.response is not None
    question, buttons = asked.response.content, asked.response.components
    env.inject_error("POST", "/interactions/*/callback", status=404, code=10062, message="Unknown interaction")
    env.check_errors = False

    await alice.click(asked.response, label=label)
    left = asked.response.content, asked.response.components
    await alice.click(asked.response, label=label)

    assert left == (question, buttons)
    assert asked.response.content == says
    assert asked.response.components == []
