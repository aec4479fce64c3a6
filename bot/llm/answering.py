"""How an answer is asked for: a chat, or, where it goes on and the template lets us, its own text with an open end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

import ollama

from bot.chat.messages import EndReason, Message, Role
from bot.chat.model import ChatRequest, End
from bot.llm.templates import UniformTemplate
from bot.llm.wire import OllamaClient, ShowReply

__all__ = ["end_of", "goes_on", "open_answer", "uniform"]

_OF_OTHER_TEMPLATES = {"thinking", "tools"}
"""A model that can do this has words for it in its template. Without them there, the server uses another one."""


def goes_on(request: ChatRequest) -> bool:
    """Whether the model is to go on in its own text, which we may put into the template ourselves.

    Without a system message, Ollama puts the model's own in front; images have no place in a text.
    """
    first, last = request.messages[0], request.messages[-1]
    has_images = any(message.images for message in request.messages)
    return last.role is Role.ASSISTANT and first.role is Role.SYSTEM and not has_images


def uniform(shown: ShowReply) -> UniformTemplate | None:
    """The template that the server puts a conversation into, and nothing else; None where that is not certain."""
    others = shown.messages or shown.renderer or _OF_OTHER_TEMPLATES & set(shown.capabilities or ())
    return None if others else UniformTemplate.read(shown.template or "")


async def open_answer(
    client: OllamaClient, request: ChatRequest, template: UniformTemplate | None
) -> AsyncGenerator[ollama.ChatResponse, None]:
    """Prepare the request; the server hears of it at the first `anext`, and errors come only then.

    With a template, the last message stays open.
    """
    if template:
        stream = await client.go_on(template.left_open(request.messages), **_common(request))
    else:
        stream = await client.chat(
            messages=[_message(message) for message in request.messages], stream=True, **_common(request)
        )
    return cast("AsyncGenerator[ollama.ChatResponse, None]", stream)


def _common(request: ChatRequest) -> dict[str, Any]:
    """What both ways are told alike: another context window, for one, would load the model anew."""
    return {
        "model": request.model,
        "options": dict(request.options),  # ollama.Options would drop min_p
        "keep_alive": _keep_alive(request.keep_alive),
        "think": request.think,
    }


def _message(message: Message) -> dict[str, object]:
    images = {"images": [image.data for image in message.images]} if message.images else {}
    return {"role": message.role.value, "content": message.content, **images}


def _keep_alive(value: str | None) -> float | str | None:
    """Seconds go as a number: Ollama refuses a text without a unit."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return value


def end_of(part: ollama.ChatResponse) -> End:
    """What the last part says."""
    return End(
        reason=EndReason.LENGTH if part.done_reason == "length" else EndReason.COMPLETE,
        prompt_tokens=part.prompt_eval_count,
        answer_tokens=part.eval_count,
        load_seconds=_seconds(part.load_duration),
        writing_seconds=_seconds(part.eval_duration),
    )


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9
