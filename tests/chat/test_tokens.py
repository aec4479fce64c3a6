from __future__ import annotations

import base64
import os
import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import Message, Role
from bot.chat.model import ChatRequest, End
from bot.chat.tokens import MESSAGE_OVERHEAD, Estimator, estimate
from bot.errors import ModelError
from bot.llm.ollama import OllamaModel, connect

TEXTS = {
    "English": "The quick brown fox jumps over the lazy dog, and nobody minds it at all. " * 3,
    "German": "Donaudampfschifffahrtsgesellschaft: Die Größe der Übertragung muss überprüft werden, bevor es losgeht.",
    "Polish": "W Szczebrzeszynie chrząszcz brzmi w trzcinie. Proszę sprawdzić wszystko jeszcze raz, zanim pójdziemy.",
    "Chinese": "今天天气很好。我们去公园散步吧。明天可能会下雨。",
    "emoji": "🦙🎉👩‍👩‍👧‍👦🇵🇱🏳️‍🌈" * 3,
    "base64": base64.b64encode(random.Random(1).randbytes(150)).decode(),  # noqa: S311  # the same bytes every time
    "hex": random.Random(2).randbytes(60).hex(),  # noqa: S311
    "digits": "31415926535897932384626433832795028841971693993751",
    "numbers": " ".join(map(str, range(980, 1020))),
    "code": "def f(x: int) -> dict[str, Any]:\n    return {k: v for k, v in zip(range(x), 'abc')}\n\n" * 2,
    "tabs": "\t".join("abcdefghijklmnopqrstuvwxyz"),
    "empty lines": "\n" * 150,
    "spaces": "a" + " " * 300 + "b",
}
"""Few short texts, because a small machine reads some twenty tokens in a second."""


def test_nothing_has_no_tokens() -> None:
    assert estimate("") == 0


@given(st.text(), st.text())
def test_two_texts_together_are_hardly_more_than_each(first: str, second: str) -> None:
    assert estimate(first + second) <= estimate(first) + estimate(second) + 32


@given(st.text(st.characters(min_codepoint=128, exclude_categories=["Cs"])))
def test_what_is_not_ascii_costs_its_bytes(text: str) -> None:
    assert estimate(text) == len(text.encode())


@given(st.text(st.sampled_from("0123456789.,;:!?(){}[]<>@#$%&*-_=~^|\\\"'`")))
def test_digits_and_signs_cost_one_each(text: str) -> None:
    assert estimate(text) == len(text)


@pytest.mark.parametrize("space", ["\n", " ", "\t", "\r\n", "\u3000"])
def test_no_length_of_white_space_is_free(space: str) -> None:
    assert estimate(f"a{space * 1000}b") >= 100


@pytest.mark.parametrize(("text", "real"), [("Bar" * 100, 300), ("x" * 100, 60), ("zażółć gęślą jaźń", 14)])
def test_runs_and_foreign_words_are_not_underestimated(text: str, real: int) -> None:
    assert estimate(text) >= real


def test_english_is_overestimated_but_not_beyond_measure() -> None:
    text = "Please explain to me in simple words why the sky is blue during the day and red in the evening."

    assert 21 <= estimate(text) <= 42


@given(st.text(max_size=100), st.integers(1, 10_000), st.integers(0, 100_000))
def test_what_a_model_reported_scales_its_estimate_within_bounds(text: str, expected: int, real: int) -> None:
    found = Estimator((expected, real)).message(text) - MESSAGE_OVERHEAD

    assert round(estimate(text) * 0.75) <= found <= round(estimate(text) * 1.5)


def test_a_report_scales_the_estimate_with_a_margin() -> None:
    text = "0123456789" * 10

    assert Estimator().message(text) == 100 + MESSAGE_OVERHEAD
    assert Estimator((100, 80)).message(text) == 88 + MESSAGE_OVERHEAD
    assert Estimator((0, 80)).message(text) == 100 + MESSAGE_OVERHEAD


@pytest.fixture
async def live_model() -> AsyncIterator[OllamaModel]:
    must = os.environ.get("LLAMPOST_LIVE") == "required"
    async with connect(os.environ.get("OLLAMA_HOST", "http://127.0.0.1:11434")) as model:
        try:
            names = [summary.name for summary in await model.models()]
        except ModelError as error:
            names = []
            reason = f"OLLAMA_HOST: {error}"
        else:
            reason = f"Ollama at {model.address} has no smollm2:135m"
        if "smollm2:135m" not in names:
            (pytest.fail if must else pytest.skip)(reason)
        yield model


@pytest.mark.live
@pytest.mark.timeout(600)
async def test_no_text_has_more_tokens_than_estimated(live_model: OllamaModel) -> None:
    async def count(text: str) -> int:
        messages = [Message(Role.SYSTEM, "Hi"), Message(Role.USER, text)]
        request = ChatRequest("smollm2:135m", messages, {"num_ctx": 4096, "num_predict": 1, "temperature": 0})
        ends = [event async for event in live_model.chat(request) if isinstance(event, End)]
        return ends[0].prompt_tokens or 0

    counted = {name: await count(text) for name, text in TEXTS.items()}

    reckoned = {name: estimate("Hi") + estimate(text) + 2 * MESSAGE_OVERHEAD for name, text in TEXTS.items()}
    assert all(counted.values())
    assert {name: (counted[name], reckoned[name]) for name in TEXTS if counted[name] > reckoned[name]} == {}
