"""All rate-limit buckets that answers are written through, by the names that Discord tells them apart with."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from weakref import WeakValueDictionary

from bot.delivery.budget import Budget
from bot.delivery.lane import Lane
from bot.delivery.rate import Rate

GLOBAL_CALLS = 48
"""Of the 50 calls a second that Discord allows a bot; the rest is for commands and buttons."""


RECENT = 256
"""Buckets that are remembered although no lane holds them any more."""


class Budgets:
    """Hands out lanes; a bucket that no lane has held for long is forgotten."""

    def __init__(self, *, unlimited: bool = False) -> None:
        """`unlimited` is for servers without rate limits, which real Discord is not."""
        self._unlimited = unlimited
        self._everywhere = Rate(GLOBAL_CALLS, 1.0)
        self._known: WeakValueDictionary[Hashable, Budget] = WeakValueDictionary()
        self._hashes: dict[str, str] = {}
        self._lately: deque[Budget] = deque(maxlen=RECENT)
        """Held on to, because the next answer in a channel may begin in the same window."""

    def edits(self, channel_id: int) -> Lane:
        """Editing messages through their channel."""
        return self._lane("channel", self._budget(("edit", channel_id)), self._everywhere)

    def messages(self, channel_id: int) -> Lane:
        """Sending messages to a channel; counted with its edits where Discord's responses say so.

        The responses of one channel say it for all. Lanes that were handed out before stay as they are.
        """
        hashed = self._hashes.get("send")
        kind = "edit" if hashed and hashed == self._hashes.get("channel") else "send"
        return self._lane("send", self._budget((kind, channel_id)), self._everywhere)

    def token(self, token: str) -> Lane:
        """Everything through an interaction's token, which Discord does not count globally."""
        return self._lane("token", self._budget(("token", token)))

    def _lane(self, name: str, route: Budget, total: Rate | None = None) -> Lane:
        return Lane(name) if self._unlimited else Lane(name, route, total, self._hashes)

    def _budget(self, key: Hashable) -> Budget:
        budget = self._known.get(key)
        if budget is None:
            budget = self._known[key] = Budget()
        self._lately.append(budget)
        return budget
