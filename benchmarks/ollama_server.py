"""`python -m benchmarks.ollama_server SCRIPT`: an Ollama whose tokens keep to a timeline, as a process of its own.

Everything is composed and encoded before the first question, so that a token costs one write to a socket.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from benchmarks.script import MODEL, Script, Written, asked_for
from benchmarks.timeline import Timeline, paced

RECORD = "/record"
"""Where the harness reads what was written."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_CONTEXT = 131_072

Json = dict[str, Any]


class OllamaServer:
    """Serves the routes that bots use, and the record of what was written."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lines = [[_chunk(_line(token)) for token in text.tokens] for text in script.texts]
        self._ends = [_chunk(_line("") | _ending(len(text.tokens))) + _LAST_CHUNK for text in script.texts]
        self._written: dict[int, list[Written]] = {}
        self._tag = {"name": MODEL, "model": MODEL, "size": 1, "digest": "sha256:scripted", "details": {}}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        try:
            while True:
                path, body = await _read(reader)
                await self._respond(path, body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # they have hung up, which is how a connection ends
        finally:
            writer.close()

    async def _respond(self, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        match path:
            case "/api/chat":
                await self._chat(time.monotonic(), json.loads(body), writer)
            case "/api/version":
                _send(writer, {"version": "0.0-scripted"})
            case "/api/tags" | "/api/ps":
                _send(writer, {"models": [self._tag]})
            case "/api/show":
                info = {"general.architecture": "scripted", "scripted.context_length": _CONTEXT}
                _send(writer, {"capabilities": ["completion"], "model_info": info})
            case "/record":
                _send(writer, self._record())
            case _:
                _send(writer, {"error": "404 page not found"}, "404 Not Found")

    def _record(self) -> Json:
        answers = {number: [asdict(one) for one in written] for number, written in self._written.items()}
        return {"cpu": time.process_time(), "answers": answers}

    async def _chat(self, asked: float, body: Json, writer: asyncio.StreamWriter) -> None:
        number = asked_for(body["messages"][-1]["content"])
        if number is None or number >= len(self._lines):
            _send(writer, {"error": "the question names no answer of the script"}, "400 Bad Request")
            return
        written = Written(asked)
        self._written.setdefault(number, []).append(written)
        lines = self._lines[number]
        timeline = Timeline(asked + self._script.delay, self._script.rate)
        async for token in paced(timeline, len(lines)):
            if writer.is_closing():
                return
            # As with Ollama, the head comes with the first token.
            writer.write(lines[token] if token else _HEAD + lines[token])
            written.tokens.append(time.monotonic())
        writer.write(self._ends[number])


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    return head[0].split()[1], await reader.readexactly(int(headers.get("content-length", "0")))


def _send(writer: asyncio.StreamWriter, answer: Json, status: str = "200 OK") -> None:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


def _line(content: str) -> Json:
    message = {"role": "assistant", "content": content}
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False}


def _ending(tokens: int) -> Json:
    counts = {"prompt_eval_count": 50, "eval_count": tokens, "load_duration": 1_000_000}
    return {"done": True, "done_reason": "stop"} | counts


def _chunk(line: Json) -> bytes:
    data = json.dumps(line).encode() + b"\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def _serve(script: Script) -> None:
    """Tell the port on standard output and serve until standard input ends, so that no server outlives its run."""
    server = await asyncio.start_server(OllamaServer(script).converse, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Script(**json.loads(sys.argv[1]))))
