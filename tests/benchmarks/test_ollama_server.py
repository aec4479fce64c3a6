from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import ollama
import pytest

from benchmarks.ollama_server import RECORD, OllamaServer
from benchmarks.script import MODEL, Script, question

AT_ONCE = 1e9
SCRIPT = Script((30, 50), AT_ONCE, 0.0)


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[str]:
    server = await asyncio.start_server(OllamaServer(script).converse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_real_client_reads_each_answer_token_by_token() -> None:
    async with served(SCRIPT) as host, ollama.AsyncClient(host) as client:
        for text in SCRIPT.texts:
            asked = [{"role": "user", "content": question(text.number)}]
            parts = [part async for part in await client.chat(MODEL, asked, stream=True)]
            assert tuple(part.message.content for part in parts[:-1]) == text.tokens
            assert (parts[-1].done_reason, parts[-1].eval_count) == ("stop", len(text.tokens))
        assert [model.model for model in (await client.list()).models] == [MODEL]


async def test_the_record_tells_when_each_token_was_written() -> None:
    async with served(SCRIPT) as host, aiohttp.ClientSession() as session:
        for _ in range(2):
            body = {"messages": [{"content": question(1)}]}
            async with session.post(f"{host}/api/chat", json=body) as answer:
                lines = [json.loads(line) async for line in answer.content]
            assert lines[-1]["done"]
        async with session.get(host + RECORD) as answer:
            record = await answer.json()
    assert list(record["answers"]) == ["1"]
    for written in record["answers"]["1"]:
        assert len(written["tokens"]) == 50
        assert written["asked"] <= written["tokens"][0]
        assert written["tokens"] == sorted(written["tokens"])


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [("/api/chat", "How are you?", 400), ("/api/chat", question(99), 400), ("/api/embed", "", 404)],
)
async def test_what_is_not_in_the_script_is_refused(path: str, content: str, status: int) -> None:
    async with (
        served(SCRIPT) as host,
        aiohttp.ClientSession() as session,
        session.post(host + path, json={"messages": [{"content": content}]}) as answer,
    ):
        assert answer.status == status
