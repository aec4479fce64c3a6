"""All rate-limit buckets that answers are written through, by the names that Discord tells them apart with."""

from __future__ import annotations

from collections.abc import Hashable
from weakref import WeakValueDictionary

from bot.delivery.budget import Budget, Lane

GLOBAL_CALLS = 45
"""Of the 50 calls a second that Discord allows a bot; the rest is for commands and buttons."""


class Budgets:
    """Hands out lanes; a bucket that no lane holds any more is forgotten."""

    def __init__(self, *, unlimited: bool = False) -> None:
        """`unlimited` is for servers without rate limits, which real Discord is not."""
        self._unlimited = unlimited
        self._everywhere = self._new(GLOBAL_CALLS, 1.0)
        self._known: WeakValueDictionary[Hashable, Budget] = WeakValueDictionary()

    def edits(self, channel_id: int) -> Lane:
        """Editing messages through their channel."""
        return Lane("channel", (self._budget(("edit", channel_id)), self._everywhere))

    def messages(self, channel_id: int) -> Lane:
        """Sending messages to a channel."""
        return Lane("send", (self._budget(("send", channel_id)), self._everywhere))

    def token(self, token: str) -> Lane:
        """Everything through an interaction's token, which Discord does not count globally."""
        return Lane("token", (self._budget(("token", token)),))

    def _budget(self, key: Hashable) -> Budget:
        budget = self._known.get(key)
        if budget is None:
            budget = self._known[key] = self._new()
        return budget

    def _new(self, *numbers: float) -> Budget:
        if self._unlimited:
            return Budget(calls=10**9, seconds=0.001)
        return Budget(int(numbers[0]), numbers[1]) if numbers else Budget()
