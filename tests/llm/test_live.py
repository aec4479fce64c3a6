"""What a real Ollama does with our requests. Small answers only: others may use the same server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import NoReturn

import pytest

from bot.chat.messages import EndReason, Message, Role
from bot.chat.model import ChatRequest, End, Text
from bot.errors import ModelError, ModelNotFound
from bot.llm.ollama import OllamaModel, connect

from .scripted import events, text_of

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

HOST = os.environ.get("OLLAMA_HOST", "http://127.0.0.1:11434")
MODEL = os.environ.get("OLLAMA_MODEL", "smollm2:135m")


def unavailable(why: str) -> NoReturn:
    """Skip, or fail where LLAMPOST_LIVE=required says that there must be a model."""
    if os.environ.get("LLAMPOST_LIVE") == "required":
        pytest.fail(f"LLAMPOST_LIVE=required, but: {why}")
    pytest.skip(why)


@pytest.fixture
async def model() -> AsyncIterator[OllamaModel]:
    async with connect(HOST) as found:
        try:
            names = [summary.name for summary in await found.models()]
        except ModelError as error:
            unavailable(f"OLLAMA_HOST: {error}")
        if MODEL not in names:
            unavailable(f"Ollama at {found.address} has no model {MODEL}; OLLAMA_MODEL names another")
        yield found


def ask(question: str, system: str = "", **options: object) -> ChatRequest:
    messages = [Message(Role.SYSTEM, system)] if system else []
    return ChatRequest(
        model=MODEL,
        messages=[*messages, Message(Role.USER, question)],
        options={"num_ctx": 4096, "num_predict": 16, "temperature": 0} | options,
    )


async def test_a_question_is_answered_piece_by_piece(model: OllamaModel) -> None:
    answer = await events(model, ask("What is the capital of Poland?", num_predict=40))

    assert "Warsaw" in text_of(answer)
    assert len([event for event in answer if isinstance(event, Text)]) > 1
    end = answer[-1]
    assert isinstance(end, End)
    assert end.reason is EndReason.COMPLETE
    assert end.prompt_tokens
    assert end.answer_tokens
    assert end.load_seconds is not None


async def test_the_text_grows_while_the_model_writes(model: OllamaModel) -> None:
    seen = ""
    lengths = []
    async with aclosing(model.chat(ask("Count from one to ten."))) as answer:
        async for event in answer:
            if isinstance(event, Text):
                seen += event.text
                lengths.append(len(seen))

    assert len(lengths) > 5
    assert lengths == sorted(lengths)


async def test_each_role_reaches_the_model(model: OllamaModel) -> None:
    """Every message makes the prompt longer, and who said it changes what comes next."""

    async def answer(*messages: Message) -> tuple[str, int]:
        got = await events(model, replace(ask(""), messages=messages))
        assert isinstance(got[-1], End)
        return text_of(got), got[-1].prompt_tokens or 0

    system = Message(Role.SYSTEM, "You are a pirate captain. Speak like a pirate.")
    question = Message(Role.USER, "Who are you?")
    reply = Message(Role.ASSISTANT, "I am the captain, arr!")

    plain, ruled = await answer(question), await answer(system, question)
    said_by_model = await answer(question, reply, question)
    said_by_person = await answer(question, replace(reply, role=Role.USER), question)

    assert plain[0] != ruled[0]
    assert said_by_model[0] != said_by_person[0]
    assert plain[1] < said_by_model[1]


async def test_without_temperature_the_same_question_has_the_same_answer(model: OllamaModel) -> None:
    first, second = [text_of(await events(model, ask("Name three colours."))) for _ in range(2)]

    assert first == second


async def test_a_seed_repeats_an_answer_and_another_changes_it(model: OllamaModel) -> None:
    async def answer(seed: int) -> str:
        question = ask("Write one sentence about the sea.", temperature=0.7, seed=seed)
        return text_of(await events(model, question))

    first = await answer(42)
    for _ in range(4):  # what the server has read already may change its figures a little
        before, first = first, await answer(42)
        if first == before:
            break

    assert first == before
    assert first != await answer(7)


async def test_the_token_limit_ends_an_answer(model: OllamaModel) -> None:
    end = (await events(model, ask("Tell me a very long story about a dragon.", num_predict=50)))[-1]

    assert isinstance(end, End)
    assert end.reason is EndReason.LENGTH
    assert end.answer_tokens == 50


CODE = "Write a Python function that adds two numbers, with an example."


async def test_the_prompt_that_is_filled_in_here_is_the_one_of_a_chat(model: OllamaModel) -> None:
    """So the server has read its beginning already, and the model goes on in what it was asked."""
    chat = ask("Name two colours, please.", "You are a helpful assistant.", num_predict=24)
    begins = replace(chat, messages=(*chat.messages, Message(Role.ASSISTANT, "")))
    for _ in range(4):  # see below
        asked, filled_in = await events(model, chat), await events(model, begins)
        if text_of(filled_in) == text_of(asked):
            break

    assert text_of(filled_in) == text_of(asked)
    assert isinstance(asked[-1], End)
    assert isinstance(filled_in[-1], End)
    assert filled_in[-1].prompt_tokens == asked[-1].prompt_tokens
    assert filled_in[-1].reason is asked[-1].reason


@pytest.mark.parametrize("cut_at", [7, 18, 29])
@pytest.mark.parametrize("question", ["Tell me a long story about a cat.", CODE])
async def test_an_answer_that_was_cut_off_goes_on_as_if_it_had_not_been(
    model: OllamaModel, question: str, cut_at: int
) -> None:
    async def answer(tokens: int, *begun: Message) -> str:
        chat = ask(question, "You are a helpful assistant.", num_predict=tokens)
        return text_of(await events(model, replace(chat, messages=(*chat.messages, *begun))))

    seen = []
    # A server that answers others at the same time computes a little differently, so now and then one differs.
    for _ in range(4):
        whole, begun = await answer(40), await answer(cut_at)
        seen.append((whole, begun, begun + await answer(40 - cut_at, Message(Role.ASSISTANT, begun))))
        if seen[-1][0] == seen[-1][2]:
            break

    assert seen[-1][0] == seen[-1][2], seen


async def test_an_answer_that_goes_on_ends_by_itself_where_the_model_ends_it(model: OllamaModel) -> None:
    chat = ask("Say only: yes.", "You are a helpful assistant.", num_predict=200)
    whole = text_of(await events(model, chat))
    begun = Message(Role.ASSISTANT, whole[: len(whole) // 2])

    more = await events(model, replace(chat, messages=(*chat.messages, begun)))

    assert isinstance(more[-1], End)
    assert more[-1].reason is EndReason.COMPLETE
    assert "<|im_" not in text_of(more)


async def test_a_model_that_is_not_there_is_named_in_the_error(model: OllamaModel) -> None:
    request = ChatRequest("no-such-model:1b", [Message(Role.USER, "Hi")], {"num_ctx": 4096, "num_predict": 1})

    with pytest.raises(ModelNotFound, match="“no-such-model:1b”"):
        await events(model, request)
    with pytest.raises(ModelNotFound, match="“no-such-model:1b”"):
        await model.details("no-such-model:1b")


async def test_the_server_tells_what_it_has(model: OllamaModel) -> None:
    await events(model, ask("Hi", num_predict=1))

    summary = next(summary for summary in await model.models() if summary.name == MODEL)
    details = await model.details(MODEL)

    assert summary.size > 0
    assert len(summary.digest) == 64
    assert summary.parameters
    assert summary.quantization
    assert "completion" in details.capabilities
    assert details.context_length
    assert MODEL in await model.loaded()
    assert await model.version()


async def test_closing_an_answer_frees_the_server(model: OllamaModel) -> None:
    story = model.chat(ask("Tell me a very long story.", num_predict=1000, temperature=0.7))
    await anext(story)
    await story.aclose()

    async with asyncio.timeout(60):
        assert isinstance((await events(model, ask("Hi", num_predict=4)))[-1], End)
