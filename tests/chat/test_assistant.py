"""What becomes of a question that is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.chat.answers import Limit, Step, TextFile
from bot.chat.messages import EndReason, Role
from bot.chat.scopes import ScopeKind
from bot.errors import BadInput, ModelNotFound, PromptTooLong
from tests.fake_ollama import MODEL, FakeOllama

from .parts import (
    ANNA,
    BERND,
    GUILD,
    IN_DM,
    IN_THREAD,
    OTHER_PLACE,
    PLACE,
    SYSTEM,
    Hold,
    Parts,
    put_together,
)


def echo(fake: FakeOllama) -> None:
    """Let every answer repeat the question."""
    fake.reply = lambda body: ["You said: ", body["messages"][-1]["content"]]


async def test_an_answer_is_shown_as_it_comes_and_remembered(parts: Parts) -> None:
    asked = parts.start("Hi?")

    finished = await asked.task

    assert asked.view.pieces == ["Hello ", "there."]
    assert asked.view.steps[0] == (Step.STARTING, MODEL)
    assert (finished.reason, finished.error, finished.model, finished.persona) == (
        EndReason.COMPLETE,
        None,
        MODEL,
        "assistant",
    )
    question, answer = await parts.memory.branch(PLACE)
    assert asked.stored == [(question.id, answer.id)]
    assert (question.role, question.content, question.author) == (Role.USER, "Hi?", ANNA)
    assert (answer.role, answer.content, answer.end_reason) == (Role.ASSISTANT, "Hello there.", EndReason.COMPLETE)


async def test_system_user_and_assistant_reach_the_model_in_order(parts: Parts) -> None:
    echo(parts.fake)
    await parts.ask("One")
    await parts.ask("Two")

    await parts.ask("Three")

    assert parts.fake.prompts == [
        [SYSTEM, ("user", "One")],
        [SYSTEM, ("user", "One"), ("assistant", "You said: One"), ("user", "Two")],
        [
            SYSTEM,
            *[("user", "One"), ("assistant", "You said: One"), ("user", "Two"), ("assistant", "You said: Two")],
            ("user", "Three"),
        ],
    ]


async def test_each_prompt_continues_the_one_before_to_the_letter(parts: Parts) -> None:
    echo(parts.fake)
    for number, author in enumerate((ANNA, ANNA, BERND, ANNA, BERND)):
        await parts.ask(f"  Größe {number}\n🦙 ", author=author, files=(TextFile("x", f"`{number}`\n"),))

    for before, after in zip(parts.fake.prompts, parts.fake.prompts[1:], strict=False):
        assert after[: len(before)] == before


async def test_speakers_are_told_apart(parts: Parts) -> None:
    await parts.ask("One", author=ANNA)
    await parts.ask("Two", author=BERND)

    question = parts.fake.prompts[1][-1][1]
    assert question.startswith("[Until now Anna was speaking.")
    assert question.endswith("\nBernd: Two")
    assert (await parts.contents())[2] == "Two"


async def test_a_file_is_part_of_the_question(parts: Parts) -> None:
    await parts.ask("Explain", files=(TextFile("a.py", "x = 1"),))

    assert parts.fake.prompts[0][-1] == ("user", "Explain\n\na.py:\n```\nx = 1\n```")
    assert (await parts.contents())[0] == "Explain\n\na.py:\n```\nx = 1\n```"


async def test_every_place_has_a_memory_of_its_own(parts: Parts) -> None:
    for place in (PLACE, OTHER_PLACE, IN_THREAD, IN_DM):
        await parts.ask(f"In {place.channel_id}", place=place)

    assert parts.fake.prompts == [
        [SYSTEM, ("user", f"In {place.channel_id}")] for place in (PLACE, OTHER_PLACE, IN_THREAD, IN_DM)
    ]


async def test_questions_at_the_same_time_in_two_channels_do_not_mix(parts: Parts) -> None:
    echo(parts.fake)
    hold = parts.fake.between = Hold(at=1)
    first = parts.start("Here")
    await first.view.shows.wait()
    second = parts.start("There", place=OTHER_PLACE)
    await second.view.shows.wait()
    hold.go.set()

    await asyncio.gather(first.task, second.task)

    assert (first.view.shown, second.view.shown) == ("You said: Here", "You said: There")
    assert await parts.contents() == ["Here", "You said: Here"]
    assert await parts.contents(OTHER_PLACE) == ["There", "You said: There"]


async def test_questions_at_the_same_time_in_one_channel_are_answered_one_after_the_other(parts: Parts) -> None:
    echo(parts.fake)
    hold = parts.fake.between = Hold(at=1)
    first = parts.start("One")
    await first.view.shows.wait()
    second, third = parts.start("Two"), parts.start("Three")
    await third.view.waits.wait()
    assert (second.view.ahead, third.view.ahead) == ([1], [2])
    assert not second.view.steps
    hold.go.set()

    await asyncio.gather(first.task, second.task, third.task)

    assert third.view.ahead == [2, 1]
    assert await parts.contents() == ["One", "You said: One", "Two", "You said: Two", "Three", "You said: Three"]
    assert len(parts.fake.prompts[2]) == 6


async def test_the_profile_of_the_place_decides_model_persona_and_options(parts: Parts) -> None:
    parts.fake.models["other:7b"] = {"context_length": 8192, "capabilities": ["completion"]}
    await parts.preferences.use_model(PLACE, "other:7b", by=ANNA)
    await parts.preferences.set_prompt(PLACE, "Rhyme.", by=ANNA)
    for name, value in {"temperature": "0,5", "min_p": "0.1", "stop": "a|b", "keep_alive": "5m", "seed": "7"}.items():
        await parts.preferences.set_parameter(PLACE, ScopeKind.SERVER, name, value, by=ANNA)

    finished = await parts.ask("Hi?")

    body = parts.fake.asked[0]
    assert body["model"] == "other:7b"
    assert body["messages"][0] == {"role": "system", "content": "Rhyme."}
    assert body["keep_alive"] == "5m"
    assert body["options"] == {
        "temperature": 0.5,
        "min_p": 0.1,
        "stop": ["a", "b"],
        "seed": 7,
        "num_ctx": 4096,
        "num_predict": 1024,
    }
    assert (finished.model, finished.persona) == ("other:7b", "custom")


async def test_a_persona_for_one_question_changes_that_one_only(parts: Parts) -> None:
    finished = await parts.ask("Hi?", persona="Google-It")
    await parts.ask("Hi?")

    assert finished.persona == "google-it"
    assert "Just google it!" in parts.fake.prompts[0][0][1]
    assert parts.fake.prompts[1][0] == SYSTEM


async def test_the_receipt_says_what_was_asked_and_what_it_took(parts: Parts) -> None:
    persona = await parts.personas.save(GUILD, "Pirate", "Ahoy.", by=ANNA)

    finished = await parts.ask("One two three", persona="pirate")

    receipt = finished.receipt
    assert receipt
    assert (receipt.model, receipt.persona, receipt.persona_version) == (MODEL, "Pirate", persona.version)
    assert receipt.options == parts.fake.asked[0]["options"]
    assert (receipt.prompt_tokens, receipt.answer_tokens, receipt.load_seconds) == (14, 2, 0.001)
    assert receipt.first_text_seconds is not None
    assert receipt.total_seconds is not None
    assert 0 <= receipt.first_text_seconds <= receipt.total_seconds
    assert await parts.memory.last_estimate(MODEL) == (receipt.prompt_estimate, 14)


async def test_what_the_model_counted_is_kept_with_each_message(parts: Parts) -> None:
    await parts.ask("One two three")

    question, answer = await parts.memory.branch(PLACE)
    assert question.tokens is not None
    assert question.tokens >= 1
    assert (question.tokenizer, answer.tokens, answer.tokenizer) == (MODEL, 2, MODEL)


async def test_a_seed_is_drawn_for_each_answer_and_recorded(parts: Parts) -> None:
    first, second = await parts.ask("Hi?"), await parts.ask("Hi?")

    seeds = [body["options"]["seed"] for body in parts.fake.asked]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seeds[0] != seeds[1]
    assert [finished.receipt and finished.receipt.options["seed"] for finished in (first, second)] == seeds


@pytest.mark.parametrize(
    ("level", "sent"), [(None, False), ("off", False), ("on", True), ("low", "low"), ("high", "high")]
)
async def test_a_thinking_model_is_told_whether_to_think(parts: Parts, level: str | None, sent: bool | str) -> None:
    parts.fake.models[MODEL] = {"context_length": 8192, "capabilities": ["completion", "thinking"]}
    if level:
        await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "think", level, by=ANNA)

    await parts.ask("Hi?")

    assert parts.fake.asked[0]["think"] == sent


async def test_a_model_that_cannot_think_is_not_asked_to(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "think", "on", by=ANNA)

    await parts.ask("Hi?")

    assert parts.fake.asked[0].get("think") is None


async def test_thoughts_are_announced_but_never_shown_or_remembered(parts: Parts) -> None:
    parts.fake.thoughts = ["Hmm, ", "a greeting."]

    asked = parts.start("Hi?")
    await asked.task

    assert (Step.THINKING, MODEL) in asked.view.steps
    assert asked.view.shown == "Hello there."
    assert await parts.contents() == ["Hi?", "Hello there."]


async def test_the_window_is_never_larger_than_the_model_was_trained_for(parts: Parts) -> None:
    parts.fake.models[MODEL] = {"context_length": 2048, "capabilities": ["completion"]}

    await parts.ask("Hi?")

    assert parts.fake.asked[0]["options"]["num_ctx"] == 2048


async def test_a_cut_at_num_predict_says_so(parts: Parts) -> None:
    parts.fake.ending = {"done_reason": "length"}
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "num_predict", "50", by=ANNA)

    finished = await parts.ask("Hi?")

    assert (finished.reason, finished.limit, finished.num_predict) == (EndReason.LENGTH, Limit.NUM_PREDICT, 50)
    assert (await parts.memory.branch(PLACE))[1].end_reason is EndReason.LENGTH
    assert parts.fake.asked[0]["options"]["num_predict"] == 50


async def test_a_cut_where_the_window_is_full_says_so(tmp_path: Path) -> None:
    async with put_together(tmp_path, num_ctx=256) as parts:
        parts.fake.ending = {"done_reason": "length"}
        finished = await parts.ask("7" * 120)

    sent = parts.fake.asked[0]["options"]["num_predict"]
    assert (finished.reason, finished.limit, finished.num_predict) == (EndReason.LENGTH, Limit.CONTEXT_WINDOW, sent)
    assert 1 <= sent <= 256 - 120


async def test_a_full_window_jumps_once_and_stays_there(tmp_path: Path) -> None:
    async with put_together(tmp_path, num_ctx=512, defaults={"num_predict": "100"}) as parts:
        parts.fake.answer = ["word "] * 40
        ends = [await parts.ask(f"{number} " * 20) for number in range(16)]
        window = await parts.memory.window(PLACE)
        branch = await parts.memory.branch(PLACE)

    jumps = [number for number, finished in enumerate(ends) if finished.left_out]
    assert jumps
    assert len(jumps) < 5
    assert window == branch[-len(window) :]
    assert len(window) < len(branch)
    assert window[0].role is Role.USER
    for number, (before, after) in enumerate(zip(parts.fake.prompts, parts.fake.prompts[1:], strict=False), start=1):
        if number not in jumps:
            assert after[: len(before)] == before
    assert all(prompt[0] == SYSTEM and prompt[1][0] == "user" for prompt in parts.fake.prompts)


async def test_a_question_too_long_for_the_window_is_refused_before_the_model_hears_of_it(parts: Parts) -> None:
    finished = await parts.ask("7" * 5000)

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, PromptTooLong)
    assert "it has about 5,0" in str(finished.error)
    assert "3,072 fit" in str(finished.error)
    assert parts.fake.asked == []
    assert await parts.contents() == []


async def test_an_unknown_persona_is_refused_and_leaves_no_trace(parts: Parts) -> None:
    finished = await parts.ask("Hi?", persona="ghost")

    assert finished.reason is EndReason.FAILED
    assert isinstance(finished.error, BadInput)
    assert await parts.memory.count(PLACE) == 0
    assert (await parts.ask("Hi?")).reason is EndReason.COMPLETE


async def test_a_model_that_is_gone_is_named(parts: Parts) -> None:
    await parts.preferences.use_model(PLACE, "gone:7b", by=ANNA)

    finished = await parts.ask("Hi?")

    assert isinstance(finished.error, ModelNotFound)
    assert "gone:7b" in str(finished.error)
    assert finished.model == "gone:7b"


async def test_a_private_question_sees_the_memory_and_leaves_no_trace_in_it(parts: Parts) -> None:
    await parts.ask("One")
    before = await parts.memory.last_estimate(MODEL)

    asked = parts.start("Secret", author=BERND, private=True)
    finished = await asked.task

    assert finished.reason is EndReason.COMPLETE
    assert asked.view.shown == "Hello there."
    assert [content for _, content in parts.fake.prompts[1]][:3] == [SYSTEM[1], "One", "Hello there."]
    assert "Secret" in parts.fake.prompts[1][-1][1]
    assert asked.stored == []
    assert await parts.memory.count(PLACE) == 2
    assert await parts.memory.authors(PLACE) == {ANNA.id}
    assert await parts.memory.last_estimate(MODEL) == before
    assert finished.receipt
    assert finished.receipt.answer_tokens == 2


async def test_a_private_question_does_not_wait_for_the_conversation(parts: Parts) -> None:
    hold = parts.fake.between = Hold(at=1)
    public = parts.start("Slow")
    await public.view.shows.wait()
    parts.fake.between = None

    finished = await parts.ask("Quick", private=True)

    assert finished.reason is EndReason.COMPLETE
    assert not public.task.done()
    hold.go.set()
    await public.task
    assert await parts.contents() == ["Slow", "Hello there."]


async def test_a_private_question_waits_for_a_free_place(tmp_path: Path) -> None:
    async with put_together(tmp_path, parallel=1) as parts:
        hold = parts.fake.between = Hold(at=1)
        public = parts.start("Slow")
        await public.view.shows.wait()

        private = parts.start("Secret", private=True)
        await private.view.waits.wait()

        assert private.view.ahead == [1]
        hold.go.set()
        await asyncio.gather(public.task, private.task)
        assert private.view.shown == "Hello there."


async def test_a_private_question_does_not_move_the_window(tmp_path: Path) -> None:
    async with put_together(tmp_path, num_ctx=512, defaults={"num_predict": "100"}) as parts:
        parts.fake.answer = ["word "] * 60
        for number in range(3):
            await parts.ask(f"{number}")

        finished = await parts.ask("7" * 400, private=True)

        assert finished.left_out
        assert await parts.memory.window(PLACE) == await parts.memory.branch(PLACE)
