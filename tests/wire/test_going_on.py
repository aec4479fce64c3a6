"""Continue over the wire: what the model is asked, by its template, and what people see of the answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bot.chat.memory import BEING_WRITTEN
from bot.llm.replies import FAILED
from playground.bot_process import BotProcess
from playground.discord import Message
from tests.fake_ollama import MODEL

from .stage import PATIENCE, Held, Stage, shows

pytestmark = pytest.mark.wire

HEADER = "-# Anna asked: Hi\n"
SIGNATURE = f"-# {MODEL} · assistant"
CLOSES_EACH = "{{ range .Messages }}<{{ .Role }}>{{ .Content }}</>{{ end }}<assistant>"
LEAVES_LAST_OPEN = (
    "{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}<{{ .Role }}>{{ .Content }}"
    "{{ if not $last }}</>{{ end }}{{ end }}"
)
UNKNOWN = '{{ $rules := "" }}{{ range .Messages }}{{ $rules }}<{{ .Role }}>{{ .Content }}</>{{ end }}<assistant>'
CUT = ["Look:\n```python\n", "x = 1\n", "y ="]


async def cut_off(stage: Stage, template: str, text: list[str] = CUT) -> Message:
    """An answer of a model with such a template that met its limit."""
    stage.ollama.models[MODEL]["template"] = template
    stage.ollama.answer, stage.ollama.ending = text, {"done_reason": "length"}
    cut = await stage.ask("Hi").message(shows("cut off at the token limit"))
    stage.ollama.ending = {"done_reason": "stop"}
    return cut


async def go_on(stage: Stage, cut: Message) -> None:
    """Anna presses Continue until it counts: for a moment after its last edit, an answer is still being written."""
    while True:
        pressed = time.monotonic()
        stage.anna.click(cut, "Continue")
        event = await stage.discord.wait_for(
            lambda event: event.message and (event.message.id == cut.id or BEING_WRITTEN in event.message.content),
            since=pressed,
            timeout=PATIENCE,
        )
        if event.message and event.message.id == cut.id:
            return


async def shown(stage: Stage, of: Message, fits: Callable[[Message], object]) -> str:
    """What an answer looks like without its header, in a state of it."""
    found = await stage.said(stage.channel, lambda message: message.id == of.id and fits(message))
    assert found.content.startswith(HEADER)
    return found.content.removeprefix(HEADER)


def ended(message: Message) -> bool:
    return message.content.endswith(SIGNATURE)


async def test_in_code_it_goes_on_as_the_prompts_own_end(stage: Stage, bot: BotProcess) -> None:
    cut = await cut_off(stage, CLOSES_EACH)
    stage.ollama.answer = [" 2\n", "```\nDone."]

    await go_on(stage, cut)

    assert await shown(stage, cut, ended) == f"Look:\n```python\nx = 1\ny = 2\n```\nDone.\n{SIGNATURE}"
    [asked], [went_on] = stage.ollama.asked, stage.ollama.went_on
    said = "".join(f"<{role}>{content}</>" for role, content in stage.ollama.prompts[0])
    assert went_on["prompt"] == f"{said}<assistant>{''.join(CUT)}"
    assert went_on["raw"]
    # Another context window, for one, would load the model anew.
    assert went_on["options"] == asked["options"] | {"seed": went_on["options"]["seed"]}
    assert went_on.get("keep_alive") == asked.get("keep_alive")


@pytest.mark.parametrize("template", [LEAVES_LAST_OPEN, UNKNOWN, ""])
async def test_with_other_templates_it_goes_on_as_a_chat(stage: Stage, bot: BotProcess, template: str) -> None:
    cut = await cut_off(stage, template)
    stage.ollama.answer = [" 2\n", "```\nDone."]

    await go_on(stage, cut)

    assert await shown(stage, cut, ended) == f"Look:\n```python\nx = 1\ny = 2\n```\nDone.\n{SIGNATURE}"
    assert stage.ollama.prompts[1] == [*stage.ollama.prompts[0], ("assistant", "".join(CUT))]
    assert not stage.ollama.went_on


async def test_what_goes_on_can_be_stopped_and_go_on_again(stage: Stage, bot: BotProcess) -> None:
    cut = await cut_off(stage, CLOSES_EACH, ["One, "])
    held = Held(stage.ollama, before=1)
    stage.ollama.answer = ["two, ", "never"]
    await go_on(stage, cut)
    writing = await stage.said(stage.channel, lambda message: message.id == cut.id and "two" in message.content)

    stage.anna.click(writing, "Stop")
    await held.left()
    stopped = await stage.said(stage.channel, shows("stopped by Anna"))
    stage.ollama.between = None
    stage.ollama.answer = ["three."]
    await go_on(stage, stopped)

    assert await shown(stage, cut, ended) == f"One, two, three.\n{SIGNATURE}"
    assert stage.ollama.closed == 1
    assert [went_on["prompt"].partition("<assistant>")[2] for went_on in stage.ollama.went_on] == [
        "One, ",
        "One, two, ",
    ]


async def test_an_error_in_the_middle_leaves_what_came(stage: Stage, bot: BotProcess) -> None:
    cut = await cut_off(stage, CLOSES_EACH, ["One, "])
    stage.ollama.answer, stage.ollama.error_line = ["two, "], "an unknown trouble"

    await go_on(stage, cut)
    failed = await stage.said(stage.channel, shows("⚠️"))
    stage.ollama.answer, stage.ollama.error_line = ["three."], None
    await go_on(stage, failed)

    assert failed.content.splitlines()[1:3] == ["One, two,", f"⚠️ {FAILED}"]
    assert await shown(stage, cut, lambda message: "three" in message.content and ended(message)) == (
        f"One, two, three.\n{SIGNATURE}"
    )
