"""Turns a question into one complete request to the model, and the receipt that says afterwards what was asked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.answers import Question
from bot.chat.memory import ConversationStore
from bot.chat.messages import Message, Receipt, Role, StoredMessage
from bot.chat.model import ChatRequest, LanguageModel, ModelDetails
from bot.chat.parameters import RANDOM
from bot.chat.profiles import MODEL, PERSONA, Profile
from bot.chat.prompt import Prompt, PromptBuilder, fingerprint
from bot.chat.scopes import Source
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
    details: ModelDetails
    """What the model can do."""


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
        num_ctx = self.num_ctx(details)
        prompt = await self.fit(question, window, profile, details)
        begun = _begun(question)
        request = ChatRequest(
            model=name,
            messages=(*prompt.messages, *begun),
            # A fixed seed would only bring the same answer again.
            options=_options(profile, num_ctx=num_ctx, num_predict=prompt.num_predict, draw_seed=bool(question.again)),
            keep_alive=_text(profile, "keep_alive"),
            # Thinking comes before an answer, not in the middle of it.
            think=_think(profile, details, begun=bool(begun)),
        )
        receipt = await self._receipt(profile, prompt, request)
        # Nobody says how many of the counted tokens are those of images, so nothing is learnt from such a count.
        counts = not begun and not any(message.images for message in prompt.messages)
        return Prepared(
            request,
            prompt,
            replace(receipt, prompt_estimate=prompt.raw_estimate if counts else None),
            _num_predict(profile),
            details,
        )

    def num_ctx(self, details: ModelDetails | None) -> int:
        """The context window in tokens; None is a model that can't be asked what it takes."""
        takes = details.context_length if details else None
        return min(self._num_ctx, takes or self._num_ctx)

    async def fit(
        self, question: Question, window: Sequence[StoredMessage], profile: Profile, details: ModelDetails | None
    ) -> Prompt:
        """What of the memory goes to the model with a question. Raises PromptTooLong where nothing fits."""
        estimator = Estimator(await self._memory.last_estimate(profile.model.value))
        builder = PromptBuilder(
            model=profile.model.value,
            num_ctx=self.num_ctx(details) - sum(estimator.message(message.content) for message in _begun(question)),
            num_predict=_num_predict(profile),
            estimator=estimator,
        )
        return builder.build(
            system=profile.persona.value.prompt,
            history=window,
            author=question.author,
            question=question.with_files(),
            images=question.images,
            # Others would be told of images that are not there, or fail.
            past_images=await self._memory.images([it.id for it in window]) if details and details.can_see else {},
        )

    async def _receipt(self, profile: Profile, prompt: Prompt, request: ChatRequest) -> Receipt:
        """All that must be known to ask for the same again."""
        return replace(
            bare_receipt(profile),
            options=dict(request.options),
            digest=await self._model.digest(request.model),
            sources=_sources(profile, request.options, num_ctx=self._num_ctx),
            keep_alive=request.keep_alive,
            think=request.think,
            prompt_digest=fingerprint(request.messages),
            window_start=prompt.window_start,
            remembered=prompt.remembered,
        )


def _begun(question: Question) -> tuple[Message, ...]:
    """What the model goes on from as its own words."""
    return (Message(Role.ASSISTANT, question.more_of.content),) if question.more_of else ()


def _num_predict(profile: Profile) -> int:
    return int(str(profile.parameters["num_predict"].value))


def bare_receipt(profile: Profile) -> Receipt:
    """What is known of an answer before its request is built."""
    persona = profile.persona.value
    return Receipt(model=profile.model.value, persona=persona.name, persona_version=persona.version, options={})


def _options(profile: Profile, *, num_ctx: int, num_predict: int, draw_seed: bool) -> dict[str, object]:
    """The options to send: a random seed is drawn here, so that the receipt can name it."""
    options = profile.options()
    if draw_seed or options.get("seed", RANDOM) == RANDOM:
        options["seed"] = secrets.randbelow(2**31)
    # Always sent and always the same for a model: a change reloads it, a missing one falls back to the server's.
    options["num_ctx"] = num_ctx
    options["num_predict"] = num_predict
    return options


def _sources(profile: Profile, options: Mapping[str, object], *, num_ctx: int) -> dict[str, str]:
    """Who decided what was sent, by name."""
    parameters = profile.parameters
    sources = {name: found.source for name, found in parameters.items()}
    sources |= {MODEL: profile.model.source, PERSONA: profile.persona.source}
    sources["num_ctx"] = Source.OPERATOR if options["num_ctx"] == num_ctx else Source.MODEL
    if options["seed"] != parameters["seed"].value:
        sources["seed"] = Source.ANSWER
    if options["num_predict"] != parameters["num_predict"].value:
        sources["num_predict"] = Source.WINDOW
    return {name: source.value for name, source in sources.items()}


def _text(profile: Profile, name: str) -> str | None:
    found = profile.parameters.get(name)
    return None if found is None else str(found.value)


def _think(profile: Profile, details: ModelDetails, *, begun: bool) -> bool | str | None:
    """Thinking models think unless told not to; others refuse the field altogether."""
    if not details.can_think:
        return None
    level = "off" if begun else _text(profile, "think")
    return {"off": False, "on": True, None: False}.get(level, level)
