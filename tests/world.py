"""What tests of the Discord side share: a stream that a test can hold, and the questions it asks of SimCord."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Sequence
from typing import Any, cast

import discord
from discord import app_commands
from simcord.actors import MemberActor
from simcord.backend.models import AllowedMentions, MessageSticker
from simcord.builders import ChannelHandle
from simcord.env import Env
from simcord.results import InteractionResult, ResponseMessage
from simcord.types import HttpLogEntry

from bot.errors import LlampostError

FOREVER = 86_400.0
"""Seconds; longer than any test waits in SimCord's time."""

PATIENCE = 1_800.0
"""Seconds of silence in SimCord's time after which people are told what goes on."""

_PARKED = {asyncio.Event.wait.__code__, asyncio.Lock.acquire.__code__}


class WaitsForOthers(dict[asyncio.Task[Any], str]):
    """SimCord's list of declared waits, to which every wait for an asyncio Event or Lock is added.

    Only another task ends such a wait, and SimCord watches that one too; without this, the task that shows an answer
    would count as unfinished work while a test holds the model's stream.
    """

    def get(self, task: asyncio.Task[Any], default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(task) or ("another task" if _waits_for_another(task) else default)

    def __contains__(self, task: object) -> bool:
        return super().__contains__(task) or (isinstance(task, asyncio.Task) and _waits_for_another(task))


def _waits_for_another(task: asyncio.Task[Any]) -> bool:
    inner, deeper = None, cast("object", task.get_coro())
    while deeper is not None:
        inner, deeper = deeper, _awaited_by(deeper)
    return getattr(inner, "cr_code", None) in _PARKED


def _awaited_by(waiting: object) -> object:
    """The coroutine or generator that one waits for, or None where that is something else."""
    awaited = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    if awaited is None or hasattr(awaited, "cr_code"):
        return awaited
    # An `async with` on a generator waits for one step of it, which only the garbage collector sees into.
    return next((found for found in gc.get_referents(awaited) if inspect.isasyncgen(found)), None)


class Gate:
    """Holds streams before one of their tokens until the test opens it; goes into `FakeOllama.between`."""

    def __init__(self, env: Env, *, before: int) -> None:
        self._env = env
        self._before = before
        self._opened = asyncio.Event()

    def __call__(self, index: int) -> Awaitable[object] | None:
        if index != self._before or self._opened.is_set():
            return None
        return cast(
            "Awaitable[object]", self._env.external_wait(self._opened.wait(), reason="the test holds the model")
        )

    async def open(self) -> None:
        self._opened.set()
        await self._env.settle()


async def shut_down(env: Env, bot: discord.Client, *, after: float = 0) -> None:
    """Close the bot as a signal does; `after` seconds of SimCord's time it must be done."""
    with env._bot_scope():
        closing = asyncio.create_task(bot.close())
    await env.advance_time(after)
    assert closing.done(), "the bot is still not closed"
    await closing


def said(result: InteractionResult) -> str:
    """The text that answers a command."""
    assert result.response is not None, "the command was left without a response"
    return result.response.content


def refused(result: InteractionResult) -> str:
    """The sentence that refuses a command, which only its author sees."""
    assert result.response is not None, "the command was left without a response"
    assert result.response.ephemeral
    assert len(result.response.content) <= 2000
    return result.response.content


def field_of(window: InteractionResult) -> str:
    """The only text field of a modal window, by the id that a submission names it with."""
    assert window.modal is not None, "no window was opened"
    [row] = window.modal["components"]
    [field] = row.get("components") or [row["component"]]
    return str(field["custom_id"])


def texts(channel: ChannelHandle) -> list[str]:
    """The text of every message in a channel that everybody sees, oldest first."""
    return [message.content for message in channel.history() if not message.flags.ephemeral]


def answers(env: Env, channel: ChannelHandle) -> list[str]:
    """The text of every public message of the bot, oldest first."""
    me = env.bot.user
    assert me is not None
    return [
        message.content for message in channel.history() if message.author.id == me.id and not message.flags.ephemeral
    ]


def file_of(env: Env, message: ResponseMessage | discord.Message) -> str:
    """The text of a message's only file."""
    [attachment] = message.attachments
    data = env.backend.cdn.get(attachment.url)
    assert data is not None
    return data.decode()


def written(env: Env) -> list[dict[str, Any]]:
    """The body of every message that the bot sent, edited or responded with, oldest first."""
    return [body for entry in env.http_requests if (body := _body(entry)) is not None]


def _body(entry: HttpLogEntry) -> dict[str, Any] | None:
    if entry.method not in {"POST", "PATCH"} or not isinstance(entry.json, dict):
        return None
    if entry.path.endswith("/callback"):
        return entry.json.get("data") if entry.json["type"] in {4, 7} else None
    return entry.json if "/messages" in entry.path or entry.path.startswith("/webhooks/") else None


def may_notify(env: Env) -> set[str]:
    """Whom any text that the bot ever wrote, sent or edited, was allowed to notify."""
    found = set()
    for body in written(env):
        if "content" in body:
            allowed = body.get("allowed_mentions", {"parse": ["everything, for it was left out"]})
            found |= {*allowed.get("parse", ()), *allowed.get("users", ()), *allowed.get("roles", ())}
            found |= {"the asker"} if allowed.get("replied_user") else set()
    return found


def unexpected(errors: Sequence[BaseException]) -> list[BaseException]:
    """Of the errors that SimCord saw, those that are none of ours: ours were answered with their sentence."""
    originals = [error.original if isinstance(error, app_commands.CommandInvokeError) else error for error in errors]
    return [error for error in originals if not isinstance(error, LlampostError)]


def thread_in(channel: ChannelHandle, owner: MemberActor) -> ChannelHandle:
    """A public thread in a channel, begun by a person."""
    env = owner._env
    return ChannelHandle(env, owner.guild, env.backend.create_thread(channel.id, "thread", owner.id))


async def reply_without_ping(
    author: MemberActor, channel: ChannelHandle, to: discord.Message, content: str, sticker: str = ""
) -> None:
    """A reply with its ping switched off, or with a sticker, which SimCord's people can't send themselves."""
    reference = {"channel_id": str(channel.id), "message_id": str(to.id)}
    stickers = [MessageSticker(1, sticker, 1, author.guild.id)] if sticker else []
    author._env.backend.create_message(
        channel.id,
        author.id,
        content,
        reference=reference,
        stickers=stickers,
        allowed_mentions=AllowedMentions(replied_user=False),
    )
    await author._env.settle()
