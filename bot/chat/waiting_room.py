"""From a question to its turn: where it stands in line, and whether it joins the one before it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.chat.answers import AnswerView, Control, Question
from bot.chat.fairness import Ticket
from bot.chat.joining import Asked, Joining
from bot.chat.messages import EndReason
from bot.chat.turns import Turns


class Turn:
    """What one question has while it is its turn."""

    def __init__(self, question: Question, ticket: Ticket) -> None:
        self.question = question
        """With the one before it, where the two were joined."""
        self.ticket = ticket


class WaitingRoom:
    """Gives questions their turns."""

    def __init__(self, turns: Turns, *, default_model: str, clock: Callable[[], float]) -> None:
        self._turns = turns
        self._joining = Joining(clock)
        self._default_model = default_model
        self._models: dict[int, str] = {}
        """Which model answered last in each channel: the one to expect, without a look into the database."""

    @asynccontextmanager
    async def turn(
        self, question: Question, view: AnswerView, control: Control, *, has_words: Callable[[], bool], joins: bool
    ) -> AsyncGenerator[Turn, None]:
        """Wait for a question's turn and hold it. Raises QueueFull where the line is full.

        One that `joins` takes up what the same person asked just before, unless that one's answer `has_words`.
        """
        ticket, earlier = self._ticket(question), None
        if joins:
            question, earlier = self._joining.ask(question, ticket, control, has_words)
        control.is_in_line.set()
        instead_of = earlier.ticket if earlier else None
        try:
            async with self._turns.turn(
                ticket, tell=view.waiting, instead_of=instead_of, joined=lambda: _hand_over(earlier, control)
            ):
                yield Turn(control.take(question), ticket)
        finally:
            self._joining.forget(question, ticket)

    def over(self, turn: Turn, model: str | None) -> None:
        """The answer has come to its end, also if not yet its turn; `model` gave it, if one was asked at all."""
        self._joining.forget(turn.question, turn.ticket)
        if model:
            turn.ticket.model = self._models[turn.question.place.channel_id] = model

    def _ticket(self, question: Question) -> Ticket:
        place = question.place
        return Ticket(
            # A private answer changes nothing that others wait for, so it waits only for a free place.
            conversation=object() if question.private else (place.channel_id, place.owner_id),
            path=(place.guild_id, place.channel_id, question.author.id),
            model=self._models.get(place.channel_id, self._default_model),
        )


def _hand_over(earlier: Asked | None, control: Control) -> None:
    """End the earlier question in favour of the one with this control."""
    if earlier:
        earlier.control.heir = control
        earlier.control.stop(EndReason.JOINED)
