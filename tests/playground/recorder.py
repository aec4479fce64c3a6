"""A proxy in front of a loopback Discord that notes every answer and every gateway event on its way to the bot."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

_LEFT_OUT = {"Host", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Content-Encoding"}


@dataclass(frozen=True, slots=True)
class Recorded:
    method: str
    path: str
    status: int
    body: Any


@dataclass(slots=True)
class Record:
    answers: list[Recorded] = field(default_factory=list)
    events: list[tuple[str, Any]] = field(default_factory=list)


class _Recorder:
    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self.record = Record()
        self._upstream = upstream
        self._session = session

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") == "websocket":
            return await self._pass_on_socket(request)
        headers = {name: value for name, value in request.headers.items() if name not in _LEFT_OUT}
        body = await request.read()
        async with self._session.request(
            request.method, self._upstream + request.raw_path, data=body, headers=headers
        ) as answer:
            text = await answer.text()
            self.record.answers.append(
                Recorded(request.method, request.path, answer.status, json.loads(text) if text else None)
            )
            kept = {name: value for name, value in answer.headers.items() if name not in _LEFT_OUT}
            return web.Response(body=text.encode(), status=answer.status, headers=kept)

    async def _pass_on_socket(self, request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(max_msg_size=0)
        await client.prepare(request)
        async with self._session.ws_connect(self._upstream + request.path, max_msg_size=0) as upstream:
            back = asyncio.create_task(self._tell(upstream, client))
            async for frame in client:
                await upstream.send_str(frame.data)
            await upstream.close()
            await back
        return client

    async def _tell(self, upstream: aiohttp.ClientWebSocketResponse, client: web.WebSocketResponse) -> None:
        async for frame in upstream:
            if frame.type is WSMsgType.TEXT:
                payload = json.loads(frame.data)
                if payload["op"] == 0:
                    self.record.events.append((payload["t"], payload["d"]))
                await client.send_str(frame.data)
        await client.close()


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[tuple[str, Record]]:
    """Yield the proxy's address and what it has seen so far."""
    async with aiohttp.ClientSession() as session:
        recorder = _Recorder(upstream, session)
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", recorder.pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", recorder.record
        finally:
            await runner.cleanup()
