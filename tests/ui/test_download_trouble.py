"""A download's message in trouble: what Discord does to it, and what people are called."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.client import Bot
from bot.delivery.interaction_surface import InteractionSurface
from bot.ui.download import Download
from tests.fake_ollama import FakeOllama, Json
from tests.world import Gate, answers, said

PULL: list[Json] = [
    {"status": "pulling manifest"},
    {"status": "pulling 6a07", "digest": "sha256:6a07", "total": 2_000, "completed": 500},
    {"status": "pulling 6a07", "digest": "sha256:6a07", "total": 2_000, "completed": 2_000},
    {"status": "success"},
]


def cog_of(bot: Bot) -> Any:  # noqa: ANN401  # discord.py loads the module anew, so its class is not ours
    return bot.cogs["ModelCog"]


async def test_a_name_with_markdown_stays_a_name_in_the_message(
    env: Env, guild: GuildHandle, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    name = "[x](http://evil.com)"
    manager = guild.add_member(env.create_user("manager"), nick=name, roles=[guild.roles["boss"]])
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3_x_")
    assert download.response is not None

    await manager.click(download.response, label="Cancel")

    assert said(download) == rf"The download of **llama3\_x\_** was cancelled: \{name} pressed Cancel."


async def test_at_shutdown_a_download_is_cancelled_also_while_its_first_message_is_written(
    env: Env,
    simcord_bot: Bot,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    written, write = Gate(env, before=0), InteractionSurface.write

    async def held(*args: Any, **options: Any) -> None:  # noqa: ANN401  # whatever is written
        if (wait := written(0)) is not None:
            await wait
        await write(*args, **options)

    monkeypatch.setattr(InteractionSurface, "write", held)
    download = await boss.slash(channel, "model pull", name="llama3.2")

    with env._bot_scope():
        closing = asyncio.create_task(cog_of(simcord_bot).cog_unload())
    await env.settle()
    closed = fake.closed
    await written.open()
    await closing

    assert closed == 1
    [text] = answers(env, channel)
    assert text == "The download of **llama3.2** was cancelled: the bot is being restarted."
    assert download.response is None or download.response.components == []


@pytest.mark.parametrize("trouble", [ConnectionResetError("reset"), RuntimeError("a bug")])
async def test_trouble_with_showing_a_download_is_logged_and_passes(
    trouble: Exception,
    env: Env,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.pull = PULL
    fake.between = gate = Gate(env, before=2)
    edit, left = InteractionSurface._edit, [trouble, trouble]

    async def failing(*args: Any) -> None:  # noqa: ANN401  # whatever is written
        if left:
            raise left.pop()
        await edit(*args)

    monkeypatch.setattr(InteractionSurface, "_edit", failing)

    download = await boss.slash(channel, "model pull", name="llama3.2")
    await gate.open()

    assert left == []
    assert str(trouble) in caplog.text
    assert said(download).startswith("**llama3.2** is downloaded.")
    assert download.response is not None
    assert download.response.components == []


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (401, 50027)])
async def test_without_a_message_nothing_is_downloaded(
    status: int,
    code: int,
    env: Env,
    simcord_bot: Bot,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
) -> None:
    fake.pull = PULL
    gate, reached = Gate(env, before=0), set[int]()

    def between(index: int) -> Awaitable[object] | None:
        reached.add(index)
        return gate(index)

    fake.between = between
    env.check_errors = False
    env.inject_error("POST", "/interactions/*", status=status, code=code, times=None)

    await boss.slash(channel, "model pull", name="llama3.2")
    await gate.open()

    assert reached <= {0}
    assert answers(env, channel) == []
    assert cog_of(simcord_bot)._downloads == set()


async def test_a_click_that_discord_forgot_cancels_all_the_same(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama
) -> None:
    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None
    env.inject_error("POST", "/interactions/*", status=404, code=10062)

    await boss.click(download.response, label="Cancel")

    assert said(download) == "The download of **llama3.2** was cancelled: boss pressed Cancel."


async def test_a_click_that_fails_says_so(
    env: Env, boss: MemberActor, channel: ChannelHandle, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise RuntimeError

    fake.pull = PULL
    fake.between = Gate(env, before=2)
    download = await boss.slash(channel, "model pull", name="llama3.2")
    assert download.response is not None
    env.check_errors = False
    monkeypatch.setattr(Download, "cancel", failing)

    click = await boss.click(download.response, label="Cancel")
    monkeypatch.undo()

    [told] = click.followups
    assert told.ephemeral
    assert told.content.startswith("Something unexpected went wrong.")


async def test_cancelled_before_it_begins_it_ends_as_it_begins(
    env: Env,
    boss: MemberActor,
    channel: ChannelHandle,
    fake: FakeOllama,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Download.run

    async def late(download: Download) -> None:
        await download.cancel("it was too late")
        await run(download)
        await download.cancel("it is over already")

    monkeypatch.setattr(Download, "run", late)

    download = await boss.slash(channel, "model pull", name="llama3.2")

    assert said(download) == "The download of **llama3.2** was cancelled: it was too late."
    assert download.response is not None
    assert download.response.components == []
