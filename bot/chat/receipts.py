"""What is known of how an answer came to be, and asking for the very same again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from bot.chat.fairness import Ticket
from bot.chat.memory import BEING_WRITTEN, FORGOTTEN, ConversationStore
from bot.chat.messages import Answer, Author, EndReason, Message, Place, Receipt, StoredMessage
from bot.chat.model import ChatRequest, End, LanguageModel, Text
from bot.chat.models import same_model
from bot.chat.personas import BUILT_IN
from bot.chat.profiles import SYSTEM_PROMPT
from bot.chat.prompt import fingerprint, worded
from bot.chat.record import tokens_of
from bot.chat.scopes import Scope, ScopeKind, SettingsStore, scopes_of
from bot.chat.think_tags import Part, TakenBack, ThinkTags
from bot.chat.turns import Turns
from bot.chat.unbroken import unbroken
from bot.errors import BadInput, StreamBroken

NOT_RECORDED = "How this answer came to be was not recorded: it failed before the model was asked, or is very old."
NO_TEXT = "This answer has no text that a repetition could be compared with."
MESSAGES_GONE = (
    "This answer can't be repeated: messages that the model read before it have been deleted or changed since, "
    "so what comes out could only be another answer."
)
NOT_THE_SAME = (
    "This answer can't be repeated: the prompt can't be put together as it was. The system prompt or a message in it "
    "has been changed since, or the answer was continued in several requests."
)
MODEL_GONE = "This answer can't be repeated: the Ollama server no longer has the model “{model}”."
MODEL_CHANGED = (
    "This answer can't be repeated: “{model}” has been replaced since. "
    "It was `{then}` and is `{now}` now, and another model writes another answer."
)

CHANGES = 200
"""How many changes of a system prompt are searched for the one that was in force."""

SHORT_DIGEST = 12
"""Characters of a digest that people are shown, as Ollama does."""


class LineageStore(Protocol):
    """Knows what was said before a message."""

    async def upto(self, message_id: int, start: int | None) -> Sequence[StoredMessage]:
        """A message and what was said before it from `start` on, oldest first; only the message where that is None.

        Where `start` is no longer there, the first one is another.
        """
        ...

    async def depth(self, message_id: int) -> int:
        """How many messages were said before one, as far as they are remembered."""
        ...

    async def copy(self, answer_id: int, place: Place) -> int:
        """Let a place's conversation, where it has none yet, begin with an answer and what was said before it.

        Returns how many messages that are: at most those of a window, the newest ones.
        """
        ...


@dataclass(frozen=True, slots=True)
class Details:
    """An answer and how it came to be."""

    answer: Answer
    receipt: Receipt
    before: int
    """How many messages were remembered before its question, whether they were sent or not."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """An answer and its repetition."""

    before: str
    now: str
    is_whole: bool
    """Whether the answer had come to its end; else the repetition goes no further than it did."""

    @property
    def is_identical(self) -> bool:
        """To the character."""
        return self.before == self.now


def short(digest: str | None) -> str:
    """A digest as people compare it."""
    return (digest or "unknown").removeprefix("sha256:")[:SHORT_DIGEST]


class Receipts:
    """Explains answers, and repeats them."""

    def __init__(
        self,
        *,
        model: LanguageModel,
        memory: ConversationStore,
        lineage: LineageStore,
        settings: SettingsStore,
        turns: Turns,
        spent: Callable[[Author, int], Awaitable[None]],
    ) -> None:
        """Take what counts the tokens that somebody uses."""
        self._model = model
        self._memory = memory
        self._lineage = lineage
        self._settings = settings
        self._turns = turns
        self._spent = spent

    async def details(self, place: Place, answer_id: int) -> Details:
        """How an answer came to be. Raises BadInput where the place does not remember it, or it is not finished."""
        answer = await self._memory.answer(place.channel_id, answer_id)
        if answer is None:
            raise BadInput(FORGOTTEN)
        if answer.end_reason is EndReason.RUNNING:
            raise BadInput(BEING_WRITTEN)
        if answer.receipt is None:
            raise BadInput(NOT_RECORDED)
        return Details(answer, answer.receipt, await self._lineage.depth(answer.question_id))

    async def repeat(
        self, place: Place, person: Author, answer_id: int, *, waiting: Callable[[int, float | None], None]
    ) -> Repetition:
        """Ask the model for an answer again, exactly as it was asked, when it is one's turn.

        Raises BadInput where that is impossible, and says why; QueueFull and ModelError as asking does.
        """
        details = await self.details(place, answer_id)
        answer, receipt = details.answer, details.receipt
        if not answer.content:
            raise BadInput(NO_TEXT)
        await self._check_model(receipt)
        request = ChatRequest(
            model=receipt.model,
            messages=await self._prompt(place, answer, receipt),
            options=receipt.options,
            keep_alive=receipt.keep_alive,
            think=receipt.think,
        )
        is_whole = answer.end_reason in {EndReason.COMPLETE, EndReason.LENGTH}
        ticket = Ticket(object(), (place.guild_id, place.channel_id, person.id), receipt.model)
        async with self._turns.turn(ticket, tell=waiting):
            thinks = receipt.thought_seconds is not None
            written = _Written(receipt.prompt_estimate, None if is_whole else len(answer.content), thinks)
            try:
                await self._write(request, written)
            finally:
                await unbroken(self._count(person, written))
        return Repetition(answer.content, written.text, is_whole)

    async def _count(self, person: Author, written: _Written) -> None:
        await self._spent(person, written.used_tokens)

    async def _check_model(self, receipt: Receipt) -> None:
        """Raise BadInput where another model answers to the name by now."""
        models = await self._model.models()
        found = next((model for model in models if same_model(model.name, receipt.model)), None)
        if found is None:
            raise BadInput(MODEL_GONE.format(model=receipt.model))
        if receipt.digest and found.digest and found.digest != receipt.digest:
            then, now = short(receipt.digest), short(found.digest)
            raise BadInput(MODEL_CHANGED.format(model=receipt.model, then=then, now=now))

    async def _prompt(self, place: Place, answer: Answer, receipt: Receipt) -> tuple[Message, ...]:
        """What the model read then. Raises BadInput where it can't be put together again."""
        if receipt.prompt_digest is None:
            raise BadInput(NOT_RECORDED)
        *remembered, question = await self._lineage.upto(answer.question_id, receipt.window_start)
        first = remembered[0].id if remembered else None
        if first != receipt.window_start or len(remembered) != receipt.remembered:
            raise BadInput(MESSAGES_GONE)
        pictures = await self._memory.images([message.id for message in (*remembered, question)])
        past = [pictures.get(message.id, ()) for message in remembered]
        can_see = (await self._model.details(receipt.model)).can_see
        for system in await self._system_prompts(place, receipt):
            messages = worded(
                system,
                remembered,
                past if can_see else [() for _ in past],
                author=answer.asker,
                question=question.content,
                images=pictures.get(question.id, ()),
            )
            if fingerprint(messages) == receipt.prompt_digest:
                return messages
        raise BadInput(NOT_THE_SAME)

    async def _system_prompts(self, place: Place, receipt: Receipt) -> list[str]:
        """All that the answer's system prompt may have been: the record of changes has every one that people set."""
        if receipt.persona in BUILT_IN:
            return [BUILT_IN[receipt.persona].prompt]
        if receipt.persona_version and place.guild_id is not None:
            scopes, key = [Scope(ScopeKind.SERVER, place.guild_id)], f"persona:{receipt.persona}"
        else:
            scopes, key = [scope for _, scope in scopes_of(place)], SYSTEM_PROMPT
        changes = [change for it in scopes for change in await self._settings.changes(it, limit=CHANGES, keys=[key])]
        texts = (text for change in changes for text in (change.new, change.old) if text is not None)
        return list(dict.fromkeys(texts))

    async def _write(self, request: ChatRequest, written: _Written) -> None:
        """Let the model write it, to its end or its limit."""
        tags = ThinkTags.of(request, await self._model.details(request.model))
        async with aclosing(self._model.chat(request)) as events:
            async for event in events:
                if isinstance(event, End):
                    written.end = event
                written.take(tags.parts(event))
                if written.is_enough:
                    break
        if written.end is None and written.limit is None:
            raise StreamBroken("The model stopped in the middle of the repetition. Please try again.")
        _keep(tags.flush(), written.pieces)


@dataclass(slots=True)
class _Written:
    """What the model writes in a repetition, and what that takes."""

    prompt_estimate: int | None
    limit: int | None
    """How many characters are wanted; None for all of it, to the model's last word."""
    thinks: bool
    """Whether it thinks first; it may do so in what looks like text, so that none of it counts before that ends."""
    pieces: list[str] = field(default_factory=list)
    came: int = 0
    """How many pieces came, of thoughts as well."""
    end: End | None = None

    def take(self, parts: Sequence[Part]) -> None:
        """Take what came."""
        self.thinks = self.thinks and all(isinstance(part, Text) for part in parts)
        self.came += sum(not isinstance(part, TakenBack) for part in parts)
        _keep(parts, self.pieces)

    @property
    def is_enough(self) -> bool:
        """Whether nothing more is wanted."""
        return self.limit is not None and not self.thinks and sum(map(len, self.pieces)) >= self.limit

    @property
    def text(self) -> str:
        """As much of it as is wanted."""
        return "".join(self.pieces)[: self.limit]

    @property
    def used_tokens(self) -> int:
        """What the repetition took, also where the model's last word was not waited for."""
        return tokens_of(self.end, self.prompt_estimate, self.came)


def _keep(parts: Iterable[Part], pieces: list[str]) -> None:
    """Add what is text; what turns out to have been thoughts goes out again."""
    for part in parts:
        if isinstance(part, Text):
            pieces.append(part.text)
        elif isinstance(part, TakenBack):
            pieces.clear()
