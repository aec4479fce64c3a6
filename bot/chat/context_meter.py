"""How full the context window of a conversation is: what of the memory goes to the model now, and what does not."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.answers import Question
from bot.chat.memory import ConversationStore, Summary
from bot.chat.messages import Author, Place, StoredMessage
from bot.chat.model import LanguageModel, ModelDetails
from bot.chat.profiles import Profile, Profiles
from bot.chat.prompt import Prompt
from bot.chat.request import Preparation
from bot.errors import ModelError, PromptTooLong

NEWEST = 5
"""How many messages are shown, if they fit into one of Discord's with all that is said of the window."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is remembered of a conversation, and what a person's next question would take along of it."""

    remembered: Summary
    profile: Profile
    num_ctx: int
    """The context window in tokens."""
    is_models_own: bool
    """Whether the model takes no more; else the operator decided."""
    prompt: Prompt | None
    """As it is built for a question without a word; None where the system prompt leaves no room even for that."""
    first: StoredMessage | None
    """Where what goes to the model begins; None where nothing goes."""
    first_shown_at: int | None
    """The Discord message that shows it."""
    trouble: ModelError | None
    """Why the model could not be asked how much it takes."""

    @property
    def sent(self) -> int:
        """How many of the remembered messages go to the model."""
        return self.prompt.remembered if self.prompt else 0

    @property
    def left_out(self) -> int:
        """How many of them don't."""
        return self.remembered.total - self.sent


class ContextMeter:
    """Builds the prompt that the next question would have, by what builds every prompt, and looks at it."""

    def __init__(
        self, *, model: LanguageModel, profiles: Profiles, memory: ConversationStore, preparation: Preparation
    ) -> None:
        self._model = model
        self._profiles = profiles
        self._memory = memory
        self._preparation = preparation

    async def read(self, place: Place, person: Author) -> Reading:
        """How it is in a conversation for somebody who asks next. Never fails for a model that can't be asked."""
        profile = await self._profiles.resolve(place)
        remembered = await self._memory.summary(place, newest=NEWEST)
        details, trouble = await self._details(profile.model.value)
        num_ctx = self._preparation.num_ctx(details)
        try:
            prompt = await self._preparation.fit(Question(place, person, ""), remembered.window, profile, details)
        except PromptTooLong:
            prompt = None
        first = remembered.window[prompt.left_out] if prompt and prompt.remembered else None
        return Reading(
            remembered=remembered,
            profile=profile,
            num_ctx=num_ctx,
            is_models_own=num_ctx < self._preparation.num_ctx(None),
            prompt=prompt,
            first=first,
            first_shown_at=await self._memory.shown_at(first.id) if first else None,
            trouble=trouble,
        )

    async def _details(self, name: str) -> tuple[ModelDetails | None, ModelError | None]:
        try:
            return await self._model.details(name), None
        except ModelError as error:
            return None, error
