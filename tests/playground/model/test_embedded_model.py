"""The bot's own client on the real engine: all that it may expect of an Ollama."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.chat.messages import EndReason, Message, Role
from bot.chat.model import ChatRequest, End, ModelDetails, ModelEvent, Text
from bot.errors import ModelFailed, ModelNotFound
from bot.llm.ollama import OllamaModel
from playground.model.engine import WINDOW
from playground.model.process import EmbeddedModel
from tests.llm.scripted import events, text_of

ENDLESS = 3000


def ask(
    question: str = "Tell me a story about a bear.", *, model: str = "smollm2:135m", **options: object
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=(Message(Role.SYSTEM, "You are a friendly assistant."), Message(Role.USER, question)),
        options={"num_ctx": WINDOW, "num_predict": 16} | options,
    )


def end_of(answer: Sequence[ModelEvent]) -> End:
    assert isinstance(answer[-1], End)
    return answer[-1]


async def test_an_answer_comes_piece_by_piece_and_stops_at_its_limit(model: OllamaModel) -> None:
    answer = await events(model, ask(num_predict=12))

    assert len([event for event in answer if isinstance(event, Text)]) > 6
    assert end_of(answer).reason is EndReason.LENGTH
    assert end_of(answer).answer_tokens == 12
    assert (end_of(answer).prompt_tokens or 0) > 20


async def test_an_answer_ends_by_itself_where_nothing_limits_it(model: OllamaModel) -> None:
    answer = await events(model, ask("Say only: yes.", num_predict=-1, temperature=0))

    assert end_of(answer).reason is EndReason.COMPLETE


async def test_an_answer_that_was_cut_off_goes_on_to_the_character(model: OllamaModel) -> None:
    def up_to(tokens: int) -> ChatRequest:
        return ask("Write a Python function that adds two numbers.", num_predict=tokens, temperature=0)

    whole = text_of(await events(model, up_to(40)))
    cut = text_of(await events(model, up_to(12)))
    request = up_to(28)
    more = await events(model, replace(request, messages=(*request.messages, Message(Role.ASSISTANT, cut))))

    assert (cut, cut + text_of(more)) == (whole[: len(cut)], whole)
    assert end_of(more).answer_tokens == 28


async def test_an_answer_ends_before_a_stop_text(model: OllamaModel) -> None:
    free = text_of(await events(model, ask(seed=5)))
    word = free.split()[3]

    stopped = await events(model, ask(seed=5, stop=[word]))

    assert text_of(stopped) == free[: free.index(word)]
    assert end_of(stopped).reason is EndReason.COMPLETE


async def test_a_seed_decides_the_text_also_for_three_at_once(model: OllamaModel) -> None:
    alone = text_of(await events(model, ask(seed=7, temperature=1.0)))
    again, *at_once = [
        text_of(answer)
        for answer in await asyncio.gather(*(events(model, ask(seed=7, temperature=1.0)) for _ in range(3)))
    ]
    other = text_of(await events(model, ask(seed=8, temperature=1.0)))

    assert {again, *at_once} == {alone}
    assert other != alone


async def test_without_a_seed_the_text_differs(model: OllamaModel) -> None:
    answers = [text_of(await events(model, ask(temperature=1.5))) for _ in range(2)]

    assert len(set(answers)) == 2


@pytest.mark.parametrize("question", ["Tell me a story.", "many words " * 1200], ids=["writing", "reading"])
async def test_who_leaves_frees_the_engine(model: OllamaModel, question: str) -> None:
    async def begin() -> None:
        await events(model, ask(question, num_predict=ENDLESS))

    # One more than the engine has places: the third waits for its turn.
    begun = [asyncio.create_task(begin()) for _ in range(3)]
    await asyncio.wait(begun, timeout=0.5)
    for task in begun:
        task.cancel()
    await asyncio.gather(*begun, return_exceptions=True)

    async with asyncio.timeout(10):
        assert text_of(await events(model, ask(num_predict=1)))


async def test_a_closed_stream_frees_the_engine(model: OllamaModel) -> None:
    for _ in range(3):
        async with aclosing(model.chat(ask(num_predict=ENDLESS))) as stream:
            assert isinstance(await anext(stream), Text)

    async with asyncio.timeout(10):
        assert text_of(await events(model, ask(num_predict=1)))


async def test_a_prompt_beyond_the_window_is_refused_in_a_sentence(model: OllamaModel) -> None:
    with pytest.raises(ModelFailed, match="does not fit into the context window"):
        await events(model, ask("word " * WINDOW))


async def test_an_unknown_model_is_not_found(model: OllamaModel) -> None:
    with pytest.raises(ModelNotFound):
        await events(model, ask(model="llama3.2"))
    with pytest.raises(ModelNotFound):
        await model.details("llama3.2")


async def test_there_is_one_model_and_it_is_loaded(model: OllamaModel, served: EmbeddedModel) -> None:
    [summary] = await model.models()

    assert (summary.name, summary.parameters, summary.quantization) == ("smollm2:135m", "134.52M", "Q4_1")
    assert summary.name == served.model
    assert summary.size > 90_000_000
    assert await model.loaded() == {summary.name}
    assert await model.version()


async def test_its_description_says_how_much_fits(model: OllamaModel) -> None:
    assert await model.details("SMOLLM2:135m") == ModelDetails(
        name="SMOLLM2:135m", capabilities=frozenset({"completion"}), context_length=WINDOW
    )


async def test_another_model_can_not_be_had(model: OllamaModel) -> None:
    with pytest.raises(ModelFailed):
        [progress async for progress in model.pull("llama3.2")]


async def test_any_characters_survive_the_way(model: OllamaModel) -> None:
    answer = text_of(await events(model, ask("Repeat exactly: 😀🎉 zażółć", temperature=0, num_predict=30)))

    assert "\ufffd" not in answer
