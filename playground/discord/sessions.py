"""Gateway sessions: the numbered events of one identified client, kept so that a resume can replay them."""

import asyncio
import json
import secrets
import time
from collections import deque
from enum import IntEnum

from aiohttp import web

from playground.discord.payloads import Payload

_REPLAY = 10_000


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode(IntEnum):
    """Gateway close codes, of which discord.py takes 4004 and 4014 as final."""

    UNKNOWN_OP = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    DISALLOWED_INTENTS = 4014


class Connection:
    """One websocket, written by one task so that frames keep their order; each is `delay` seconds on its way."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, delay: float = 0.0) -> None:
        self._socket = socket
        self._transport = request.transport
        self._delay = delay
        self._frames: asyncio.Queue[tuple[float, str | int]] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, op: Op, data: object, *, seq: int | None = None, event: str | None = None) -> None:
        """Queue one frame."""
        self._put(json.dumps({"op": int(op), "d": data, "s": seq, "t": event}))

    def close(self, code: int) -> None:
        """Close after everything that is queued."""
        self._put(code)

    def abort(self) -> None:
        """Cut the line without a word, as a lost network does."""
        if self._transport:
            self._transport.abort()

    async def finish(self) -> None:
        """Stop writing; the socket is gone."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    def _put(self, frame: str | int) -> None:
        self._frames.put_nowait((time.monotonic() + self._delay, frame))

    async def _write(self) -> None:
        while True:
            due, frame = await self._frames.get()
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if isinstance(frame, int):
                await self._socket.close(code=frame)
                return
            try:
                await self._socket.send_str(frame)
            except ConnectionError:
                return


class Session:
    """What one IDENTIFY began; it outlives its connections."""

    def __init__(self, intents: int, connection: Connection) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.connection: Connection | None = connection
        self._seq = 0
        self._sent: deque[tuple[int, str, Payload]] = deque(maxlen=_REPLAY)

    def dispatch(self, event: str, data: Payload) -> None:
        """Number an event and send it, or keep it for the resume while nobody is connected."""
        self._seq += 1
        self._sent.append((self._seq, event, data))
        if self.connection:
            self.connection.send(Op.DISPATCH, data, seq=self._seq, event=event)

    def resume(self, connection: Connection, after: int) -> None:
        """Replay what the client has not seen."""
        self.connection = connection
        for seq, event, data in self._sent:
            if seq > after:
                connection.send(Op.DISPATCH, data, seq=seq, event=event)
        self.dispatch("RESUMED", {})
