"""Going on in a thread from an answer in its channel."""

from __future__ import annotations

from bot.chat.memory import ConversationStore
from bot.chat.messages import Answer, Author, EndReason, Place
from bot.chat.personas import Personas
from bot.chat.preferences import Preferences
from bot.chat.profiles import Profiles
from bot.chat.receipts import LineageStore
from bot.chat.sharing import Conversations
from bot.errors import BadInput

NO_ANSWER = "There is no answer in this message to go on from: it was private, or it has been forgotten."
NOT_FINISHED = "This answer is still being written; please try again when it is finished."
NO_TEXT = "This answer has no text to go on from."


class Branching:
    """A thread inherits its channel's settings by itself; this gives it the rest: the memory and the persona."""

    def __init__(
        self,
        *,
        memory: ConversationStore,
        lineage: LineageStore,
        conversations: Conversations,
        profiles: Profiles,
        personas: Personas,
        preferences: Preferences,
    ) -> None:
        self._memory = memory
        self._lineage = lineage
        self._conversations = conversations
        self._profiles = profiles
        self._personas = personas
        self._preferences = preferences

    async def answer(self, place: Place, discord_message_id: int) -> Answer:
        """The answer that a message in a channel shows. Raises BadInput where nobody can go on from it."""
        shown = await self._memory.answer_in(place, discord_message_id)
        if shown and shown.end_reason is EndReason.RUNNING:
            raise BadInput(NOT_FINISHED)
        if shown and not shown.content:
            raise BadInput(NO_TEXT)
        answer = await self._memory.answer(place.channel_id, shown.id) if shown else None
        if answer is None:
            raise BadInput(NO_ANSWER)
        return answer

    async def go_on(self, answer: Answer, thread: Place, *, by: Author) -> int:
        """Let a new thread remember all up to the answer, and the same persona speak there.

        Returns how many messages it remembers.
        """
        count = await self._lineage.copy(answer.id, await self._conversations.of(thread, by))
        await self._keep_persona(answer, thread, by)
        return count

    async def _keep_persona(self, answer: Answer, thread: Place, by: Author) -> None:
        """The answer's persona may have been chosen for its question only."""
        wanted = answer.receipt.persona if answer.receipt else None
        speaks = (await self._profiles.resolve(thread)).persona.value.name
        # One that is gone, or a channel's former prompt, can't speak any more.
        if wanted and wanted != speaks and await self._personas.find(thread.guild_id, wanted):
            await self._preferences.use_persona(thread, wanted, by=by)
