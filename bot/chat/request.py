"""Turns a question into one complete request to the model, and the receipt that says afterwards what was asked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.answers import Question
from bot.chat.memory import ConversationStore
from bot.chat.messages import Receipt, StoredMessage
from bot.chat.model import ChatRequest, LanguageModel, ModelDetails
from bot.chat.parameters import RANDOM
from bot.chat.profiles import Profile
from bot.chat.prompt import Prompt, PromptBuilder
from bot.chat.sight import require_sight
from bot.chat.tokens import Estimator


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to be sent."""

    request: ChatRequest
    prompt: Prompt
    receipt: Receipt
    num_predict: int
    """The token limit that the settings give; the request's own may be lower, where the window is nearly full."""


class Preparation:
    """Decides everything about a request that the settings, the memory and the model's abilities have a say in."""

    def __init__(self, *, model: LanguageModel, memory: ConversationStore, num_ctx: int) -> None:
        """Take the operator's context window in tokens, which a smaller model makes smaller."""
        self._model = model
        self._memory = memory
        self._num_ctx = num_ctx

    async def prepare(self, question: Question, window: Sequence[StoredMessage], profile: Profile) -> Prepared:
        """Build the request for a question after what was said before it.

        Raises ModelError where the model can't be asked, BadInput where it can't see the question's images,
        PromptTooLong where nothing fits.
        """
        name = profile.model.value
        details = await self._model.details(name)
        if question.images:  # the place's model may have changed while the question waited
            await require_sight(self._model, name)
        num_ctx = min(self._num_ctx, details.context_length or self._num_ctx)
        num_predict = int(str(profile.parameters["num_predict"].value))
        builder = PromptBuilder(
            model=name,
            num_ctx=num_ctx,
            num_predict=num_predict,
            estimator=Estimator(await self._memory.last_estimate(name)),
        )
        prompt = builder.build(
            system=profile.persona.value.prompt,
            history=window,
            author=question.author,
            question=question.with_files(),
            images=question.images,
            # Others would be told of images that are not there, or fail.
            past_images=await self._memory.images([it.id for it in window]) if details.can_see else {},
        )
        options = _options(profile, num_ctx=num_ctx, num_predict=prompt.num_predict)
        request = ChatRequest(
            model=name,
            messages=prompt.messages,
            options=options,
            keep_alive=_text(profile, "keep_alive"),
            think=_think(profile, details),
        )
        # Nobody says how many of the counted tokens are those of images, so nothing is learnt from such a count.
        counts = not any(message.images for message in prompt.messages)
        estimate = prompt.raw_estimate if counts else None
        receipt = replace(bare_receipt(profile), options=options, prompt_estimate=estimate)
        return Prepared(request, prompt, receipt, num_predict)


def bare_receipt(profile: Profile) -> Receipt:
    """What is known of an answer before its request is built."""
    persona = profile.persona.value
    return Receipt(model=profile.model.value, persona=persona.name, persona_version=persona.version, options={})


def _options(profile: Profile, *, num_ctx: int, num_predict: int) -> dict[str, object]:
    """The options to send: a random seed is drawn here, so that the receipt can name it."""
    options = profile.options()
    if options.get("seed", RANDOM) == RANDOM:
        options["seed"] = secrets.randbelow(2**31)
    # Always sent and always the same for a model: a change reloads it, a missing one falls back to the server's.
    options["num_ctx"] = num_ctx
    options["num_predict"] = num_predict
    return options


def _text(profile: Profile, name: str) -> str | None:
    found = profile.parameters.get(name)
    return None if found is None else str(found.value)


def _think(profile: Profile, details: ModelDetails) -> bool | str | None:
    """Thinking models think unless told not to; others refuse the field altogether."""
    if not details.can_think:
        return None
    level = _text(profile, "think")
    return {"off": False, "on": True, None: False}.get(level, level)
