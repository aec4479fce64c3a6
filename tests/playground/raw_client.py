"""REST calls without discord.py, whose own pacing hides what the server says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.discord import Asked, ChannelHandle, LoopbackDiscord, Message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def remaining(self) -> int:
        return int(self.headers["X-RateLimit-Remaining"])

    @property
    def bucket(self) -> str:
        return self.headers["X-RateLimit-Bucket"]


class RawClient:
    def __init__(self, server: LoopbackDiscord, session: aiohttp.ClientSession, token: str) -> None:
        self._server = server
        self._base = f"{server.url}/api/v10"
        self._headers = {"Authorization": f"Bot {token}"}
        self._session = session

    async def call(self, method: str, path: str, body: object = None) -> Answer:
        async with self._session.request(method, self._base + path, json=body, headers=self._headers) as answer:
            is_json = answer.content_type == "application/json"
            return Answer(answer.status, dict(answer.headers), await answer.json() if is_json else {})

    async def post(self, channel: ChannelHandle, text: str = "x") -> Answer:
        return await self.call("POST", f"/channels/{channel.id}/messages", {"content": text})

    async def edit(self, message: Message, text: str = "y") -> Answer:
        path = f"/channels/{message.channel_id}/messages/{message.id}"
        return await self.call("PATCH", path, {"content": text})

    async def respond(self, asked: Asked, text: str = "x") -> Answer:
        path = f"/interactions/{asked.id}/{asked.interaction.token}/callback"
        return await self.call("POST", path, {"type": 4, "data": {"content": text}})

    async def edit_original(self, asked: Asked, text: str = "y") -> Answer:
        path = f"/webhooks/{self._server.settings.bot_id}/{asked.interaction.token}/messages/@original"
        return await self.call("PATCH", path, {"content": text})


@asynccontextmanager
async def raw_client(server: LoopbackDiscord, token: str = "") -> AsyncIterator[RawClient]:
    async with aiohttp.ClientSession() as session:
        yield RawClient(server, session, token or server.token)
