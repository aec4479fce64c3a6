"""Questions that were forgotten on purpose while their messages still stand in Discord: they were not missed.

Functions are called in the transaction that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from bot.storage import state

KEPT = 100
"""Only what was asked a moment ago could be taken for missed, so the newest ones suffice."""

_KEY = "let_go"


def note(connection: Connection, discord_ids: Iterable[int]) -> None:
    """The questions in these messages are forgotten, because they or their answers were deleted."""
    if new := set(discord_ids):
        newest = sorted(recent(connection) | new)[-KEPT:]
        state.put(connection, _KEY, " ".join(map(str, newest)))


def recent(connection: Connection) -> set[int]:
    """The ids of the newest such messages."""
    return set(map(int, (state.value(connection, _KEY) or "").split()))
