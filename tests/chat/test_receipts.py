"""What is known of how an answer came to be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import Image, Message, Role
from bot.chat.prompt import fingerprint
from bot.chat.scopes import ScopeKind
from tests.fake_ollama import MODEL

from .parts import ANNA, PLACE, Parts


async def test_the_receipt_says_who_decided_what(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "temperature", "0.5", by=ANNA)
    await parts.preferences.set_parameter(PLACE, ScopeKind.SERVER, "keep_alive", "5m", by=ANNA)
    await parts.ask("One?")

    finished = await parts.ask("Two?", persona="google-it")

    receipt = finished.receipt
    assert receipt
    assert receipt.sources == {
        "model": "the operator's default",
        "persona": "this question",
        "temperature": "this channel",
        "seed": "drawn for this answer",
        "num_predict": "the bot's own default",
        "num_ctx": "the operator's default",
        "keep_alive": "this server",
        "think": "the bot's own default",
    }
    assert (receipt.digest, receipt.keep_alive, receipt.think) == (f"sha256:{MODEL}", "5m", None)
    assert (receipt.window_start, receipt.remembered) == (1, 2)
    assert receipt.writing_seconds == 0.1
    assert receipt.waited_seconds is not None
    assert receipt.first_text_seconds is not None
    assert receipt.waited_seconds <= receipt.first_text_seconds


@pytest.mark.parametrize(
    ("name", "value", "sent", "source"),
    [("seed", "7", 7, "this channel"), ("num_predict", "8", 8, "this channel")],
)
async def test_what_somebody_set_is_sent_as_it_is(parts: Parts, name: str, value: str, sent: int, source: str) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, name, value, by=ANNA)

    receipt = (await parts.ask("One?")).receipt

    assert receipt
    assert (receipt.options[name], receipt.sources[name]) == (sent, source)


async def test_a_limit_that_the_window_lowered_says_so(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "num_predict", "4096", by=ANNA)

    receipt = (await parts.ask("One?")).receipt

    assert receipt
    assert receipt.sources["num_predict"] == "what the context window left"


async def test_a_window_that_the_model_made_smaller_says_so(parts: Parts) -> None:
    parts.fake.models[MODEL]["context_length"] = 1024

    receipt = (await parts.ask("One?")).receipt

    assert receipt
    assert (receipt.options["num_ctx"], receipt.sources["num_ctx"]) == (1024, "the model's own default")


_MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(Role), st.text(), st.lists(st.builds(Image, st.text(), st.binary())).map(tuple))
)


@given(_MESSAGES, _MESSAGES)
def test_two_prompts_have_one_fingerprint_only_if_they_read_the_same(one: list[Message], other: list[Message]) -> None:
    # What an image is called, the model does not read.
    seen = [
        [replace(it, images=tuple(Image("", image.data) for image in it.images)) for it in prompt]
        for prompt in (one, other)
    ]

    assert (fingerprint(one) == fingerprint(other)) is (seen[0] == seen[1])
    assert fingerprint(one) == fingerprint(list(one))
