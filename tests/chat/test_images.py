"""Images on their way from a question to the model, and what they cost of its context window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat.messages import Image, Role, StoredMessage
from bot.chat.prompt import Prompt, PromptBuilder
from bot.chat.tokens import IMAGE_TOKENS, Estimator
from bot.errors import BadInput, PromptTooLong
from tests.fake_ollama import MODEL

from .parts import ANNA, BERND, CHANNEL, GUILD, Hold, Parts, put_together

CAT, DOG = Image("cat.png", b"a cat"), Image("dog.png", b"a dog")
BLIND = "plain:1b"


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """A model that sees, with room for two images, and another one that does not see."""
    async with put_together(tmp_path) as parts:
        parts.fake.models[MODEL]["capabilities"] = ["completion", "vision"]
        parts.fake.models[BLIND] = {"context_length": 8192, "capabilities": ["completion"]}
        yield parts


async def use(parts: Parts, model: str) -> None:
    await parts.settings.change(CHANNEL, {"model": model}, guild_id=GUILD, by=ANNA)


def images(parts: Parts) -> list[int]:
    """How many images each message of the newest request has."""
    return [len(message.get("images", ())) for message in parts.fake.asked[-1]["messages"]]


def test_each_image_counts_for_a_large_one_until_the_model_has_counted() -> None:
    builder = PromptBuilder(model=MODEL, num_ctx=8192, num_predict=100, estimator=Estimator())

    def prompt(*images: Image, counted: int | None = None, tokenizer: str = MODEL) -> Prompt:
        then = datetime(2026, 1, 2, tzinfo=UTC)
        past = StoredMessage(1, Role.USER, "Which?", then, ANNA, tokens=counted, tokenizer=tokenizer)
        return builder.build(
            system="Be kind.",
            history=[past],
            author=ANNA,
            question="And these?",
            images=images,
            past_images={1: [CAT]},
        )

    assert prompt(CAT, DOG).estimate == prompt().estimate + 2 * IMAGE_TOKENS
    assert prompt(counted=300).estimate < IMAGE_TOKENS
    assert prompt(counted=300, tokenizer="another").estimate == prompt().estimate > IMAGE_TOKENS
    assert [message.images for message in prompt(DOG).messages] == [(), (CAT,), (DOG,)]


async def test_images_that_leave_no_room_for_an_answer_are_refused(parts: Parts) -> None:
    finished = await parts.ask("Which?", files=(CAT, DOG, CAT))

    assert isinstance(finished.error, PromptTooLong)
    assert parts.fake.asked == []


async def test_an_image_leaves_the_window_with_its_question(parts: Parts) -> None:
    """Whatever is kept, an image is never there without the question it belongs to."""
    lefts = []
    for number in range(6):
        parts.fake.ending = {"done_reason": "stop", "prompt_eval_count": 1_500 * (number % 3 + 1)}
        finished = await parts.ask(f"Which is number {number}?", files=(CAT,), author=(ANNA, BERND)[number % 2])
        lefts.append(finished.left_out)
        for message in parts.fake.asked[-1]["messages"]:
            assert len(message.get("images", ())) == message["content"].count("[image: cat.png]")

    assert any(lefts)


async def test_nothing_is_learnt_about_texts_from_a_prompt_with_images(parts: Parts) -> None:
    await parts.ask("Hello!")
    learnt = await parts.memory.last_estimate(MODEL)

    with_image = await parts.ask("Which?", files=(CAT,))
    afterwards = await parts.ask("Really?")

    assert with_image.receipt is not None
    assert afterwards.receipt is not None
    assert [with_image.receipt.prompt_estimate, afterwards.receipt.prompt_estimate] == [None, None]
    assert await parts.memory.last_estimate(MODEL) == learnt


async def test_a_model_that_sees_again_sees_what_came_before(parts: Parts) -> None:
    await parts.ask("Which?", files=(CAT,))
    await use(parts, BLIND)
    await parts.ask("Really?")
    assert images(parts) == [0, 0, 0, 0]

    await use(parts, MODEL)
    await parts.ask("Still?")

    assert images(parts) == [0, 1, 0, 0, 0, 0]


async def test_a_model_that_changed_while_the_question_waited_is_not_shown_what_it_can_not_see(parts: Parts) -> None:
    parts.fake.between = hold = Hold()
    first = parts.start("Hello!")
    await hold.reached.wait()
    waiting = parts.start("Which?", files=(CAT,))
    await waiting.view.waits.wait()
    await use(parts, BLIND)

    hold.go.set()
    await first.task
    finished = await waiting.task

    assert isinstance(finished.error, BadInput)
    assert str(finished.error) == (
        f"“{BLIND}” can't see images, but `{MODEL}` can. "
        "Whoever manages this channel can choose another model with `/model use`."
    )
    assert len(parts.fake.asked) == 1


async def test_a_model_that_can_not_be_asked_is_none_that_sees(parts: Parts) -> None:
    parts.fake.models = {BLIND: parts.fake.models[BLIND], "broken:1b": {"context_length": None}}
    await use(parts, BLIND)

    finished = await parts.ask("Which?", files=(CAT,))

    assert str(finished.error) == f"“{BLIND}” can't see images, and no other model of this Ollama server can."
