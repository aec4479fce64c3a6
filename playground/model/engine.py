"""llama.cpp in this process: answers as async iterators of typed pieces."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from playground.model.machine import NO_AVX2, has_avx2, import_trouble

WINDOW = 4096
"""How many tokens prompt and answer of one request may have together."""
_PARALLEL = 2
# A prompt is read in batches of so many tokens. Between two of them an answer that nobody wants any more can end:
# half a second on a slow core, for which reading takes 8 % longer.
_BATCH = 64
_MOST_THREADS = 4
_TOO_LONG = "exceed_context_size_error"

Messages = Sequence[Mapping[str, str]]
Reason = Literal["stop", "length"]
_Chunk = dict[str, Any]


class EngineError(Exception):
    """The engine can't run here, or failed; the text is one sentence."""


class RequestRefusedError(EngineError):
    """The engine does not take this request; others it would."""


class PromptTooLongError(RequestRefusedError):
    """The prompt alone fills the context window."""


@dataclass(frozen=True, slots=True)
class Text:
    """Some more of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Why the answer is over, and what it took."""

    reason: Reason
    prompt_tokens: int
    """All of the prompt, even where the cache spared reading it."""
    answer_tokens: int
    prompt_seconds: float
    answer_seconds: float


class _Server(Protocol):
    """What we use of xllamacpp's server, which has no types."""

    def handle_chat_completions(self, body: Mapping[str, object], on_chunk: Callable[[_Chunk], bool]) -> None: ...


class Engine:
    """A loaded model that writes two answers at once; further ones wait for their turn."""

    def __init__(self, file: Path) -> None:
        """Load the model, which takes about a second: not in the event loop's thread. Raises EngineError."""
        self._server = _open(file)
        self._threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="answer")
        self._closing = threading.Event()

    async def chat(self, messages: Messages, sampling: Mapping[str, object]) -> AsyncGenerator[Text | End, None]:
        """Answer; End comes last, once. Closing the iterator ends the work. Raises EngineError."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[_Chunk | None] = asyncio.Queue()
        left = threading.Event()

        def on_chunk(chunk: _Chunk) -> bool:
            """Whether to stop."""
            if left.is_set() or self._closing.is_set():
                return True
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return False

        def work() -> None:
            try:
                self._server.handle_chat_completions(_body(messages, sampling), on_chunk)
            finally:
                with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                    loop.call_soon_threadsafe(chunks.put_nowait, None)

        turn = self._threads.submit(work)
        reason: Reason = "stop"
        try:
            while chunk := await chunks.get():
                _raise_error_of(chunk)
                for choice in chunk["choices"]:
                    reason = choice["finish_reason"] or reason
                    if text := choice["delta"].get("content"):
                        yield Text(text)
                if "usage" in chunk:
                    yield _end(reason, chunk["usage"], chunk["timings"])
                    return
        finally:
            left.set()
            turn.cancel()
        raise EngineError("The model ended in the middle of its answer.")

    def close(self) -> None:
        """Let every answer end where it is; returns when they have."""
        self._closing.set()
        self._threads.shutdown(cancel_futures=True)


def _open(file: Path) -> _Server:
    if not has_avx2():
        raise EngineError(NO_AVX2)
    try:
        # Not before: on a processor that lacks AVX2 the process would die of an illegal instruction.
        import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as wrong:
        raise EngineError(import_trouble(wrong)) from wrong
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(file)
    parameters.n_parallel = _PARALLEL
    parameters.n_ctx = WINDOW * _PARALLEL
    parameters.n_batch = parameters.n_ubatch = _BATCH
    parameters.cpuparams.n_threads = max(1, min((os.cpu_count() or 1) // 2, _MOST_THREADS))
    parameters.verbosity = -1
    # It can't be had without a port of its own on this machine; with a key that nobody knows, it answers nobody.
    parameters.api_keys = [secrets.token_urlsafe()]
    try:
        return cast("_Server", xllamacpp.Server(parameters))
    except RuntimeError as wrong:
        raise EngineError(f"The model {file} can't be loaded: the file is damaged, or memory is short.") from wrong


def _body(messages: Messages, sampling: Mapping[str, object]) -> dict[str, object]:
    return {
        "messages": [dict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        # Chunks while the prompt is read: each is a chance to stop.
        "return_progress": True,
        # Thoughts are a part of the text, as with an Ollama whose template knows of none.
        "reasoning_format": "none",
        **sampling,
    }


def _raise_error_of(chunk: _Chunk) -> None:
    if error := chunk.get("error"):
        kind = PromptTooLongError if error.get("type") == _TOO_LONG else RequestRefusedError
        raise kind(str(error.get("message", error)))


def _end(reason: Reason, usage: _Chunk, timings: _Chunk) -> End:
    return End(
        reason=reason,
        prompt_tokens=usage["prompt_tokens"],
        answer_tokens=usage["completion_tokens"],
        prompt_seconds=timings["prompt_ms"] / 1e3,
        answer_seconds=timings["predicted_ms"] / 1e3,
    )
