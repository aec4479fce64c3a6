"""A browser's side of the page without a browser: requests of one session, and streams read event by event."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from playground.discord import Actor
from playground.discord.payloads import Payload
from playground.page import Page

PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Payload:
        parsed: Payload = json.loads(self.body)
        return parsed

    @property
    def error(self) -> str:
        return str(self.json["error"])


class Stream:
    """What one tab hears."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> tuple[str, Payload]:
        """The next event."""
        kind, data = "", ""
        async with asyncio.timeout(PATIENCE):
            while line := (await self._response.content.readline()).decode():
                match line.rstrip("\n").partition(": "):
                    case "event", _, kind:
                        pass
                    case "data", _, data:
                        pass
                    case "", _, _ if kind:
                        return kind, json.loads(data)
        raise ConnectionResetError("the stream ended")

    async def until(self, wanted: str, fits: Callable[[Payload], object] = lambda _: True) -> Payload:
        """The next event of a kind that fits; others are passed over."""
        while True:
            kind, payload = await self.next()
            if kind == wanted and fits(payload):
                return payload

    async def heard_until(self, mark: str) -> list[tuple[str, Payload]]:
        """All events before the message with this content, which is left out."""
        heard: list[tuple[str, Payload]] = []
        while True:
            kind, payload = await self.next()
            if kind == "message" and payload["content"] == mark:
                return heard
            heard.append((kind, payload))


class Visitor:
    """One browser at a page."""

    def __init__(self, page: Page, session: aiohttp.ClientSession) -> None:
        self.url = page.url
        self.origin = f"http://{urlsplit(page.url).netloc}"
        self._session = session

    async def call(self, method: str, path: str, *, data: object = None, **headers: str) -> Answer:
        """Send a request to a path below the page's address; a page of another site leaves its own Origin."""
        headers = {"Origin": self.origin} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, self.url + path, data=data, headers=headers) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Go on asking for something until the server has got so far."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.get("prompts/1")

    async def get(self, path: str) -> Answer:
        """Fetch a file."""
        return await self.call("GET", path)

    async def post(self, path: str, actor: Actor, /, **data: object) -> Answer:
        """Do something as somebody."""
        body = io.BytesIO(json.dumps({"as": str(actor.id), **data}).encode())
        return await self.call("POST", path, data=body, Content_Type="application/json")

    async def upload(self, path: str, actor: Actor, files: Sequence[tuple[str, bytes]], /, **data: object) -> Answer:
        """Do something with files as somebody."""
        # Browsers write names as they are.
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("data", json.dumps({"as": str(actor.id), **data}))
        for name, content in files:
            form.add_field("file", io.BytesIO(content), filename=name)
        return await self.call("POST", path, data=form)

    @asynccontextmanager
    async def stream(self, actor: Actor | None, *, gauges: bool = False) -> AsyncIterator[Stream]:
        """Open a tab, of somebody or of nobody yet."""
        query = ({"as": str(actor.id)} if actor else {}) | ({"gauges": "1"} if gauges else {})
        async with self._session.get(self.url + "stream", params=query) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            yield Stream(response)

    @asynccontextmanager
    async def tab(self, actor: Actor) -> AsyncIterator[Stream]:
        """Open a tab and read how everything stands."""
        async with self.stream(actor) as stream:
            await stream.until("messages")
            yield stream


@asynccontextmanager
async def visiting(page: Page) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        yield Visitor(page, session)


@dataclass(slots=True)
class Controls:
    """A bot whose switches only note that they were turned."""

    state: str = "running"
    since: datetime = datetime(2026, 1, 2, tzinfo=UTC)
    can_restart: bool = True
    turned: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def listen(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def become(self, state: str) -> None:
        self.state = state
        for listener in self.listeners:
            listener()

    async def restart(self) -> None:
        self.turned.put_nowait("restart")
        await self.hold.wait()

    async def kill(self) -> None:
        self.turned.put_nowait("kill")
        if self.state == "crashed":
            raise OSError("there is nothing to kill")

    async def cut(self) -> None:
        self.turned.put_nowait("cut")


class Readings:
    """Gauges that stand still, one prompt, and one that cannot be read."""

    def now(self) -> Payload:
        return {"calls_per_second": 2.0}

    def prompt(self, n: int) -> Payload | None:
        if n == 0:
            raise OSError("the prompts cannot be read")
        return {"n": 1, "model": "tiny"} if n == 1 else None
