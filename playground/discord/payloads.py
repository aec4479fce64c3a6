"""The JSON that travels on the wire, and the ids in it."""

import time
from datetime import UTC, datetime
from typing import Any, TypeAlias

Payload: TypeAlias = dict[str, Any]

# A snowflake counts milliseconds since the first second of 2015 above 22 bits of worker and sequence (API reference).
_EPOCH_MS = 1_420_070_400_000
_TIME_SHIFT = 22
_LARGEST_ID = 2**64 - 1
_DIGITS = len(str(_LARGEST_ID))


class Snowflakes:
    """Ids that carry the time and always grow, as discord.py reads creation and expiry times from them."""

    def __init__(self) -> None:
        self._last = 0

    @property
    def last(self) -> int:
        """The newest id; 0 before the first."""
        return self._last

    def next(self) -> int:
        """Return an id greater than all before it."""
        now = (int(time.time() * 1000) - _EPOCH_MS) << _TIME_SHIFT
        self._last = max(now, self._last + 1)
        return self._last

    def resume(self, last: int, *, margin: float = 0.0) -> None:
        """Go on after an id of an earlier run; `margin` leaves out the ids of so many seconds behind it."""
        self._last = max(self._last, last + (int(margin * 1000) << _TIME_SHIFT))


def utc_now() -> datetime:
    """Return the time as stored in messages."""
    return datetime.now(UTC)


def utf16_length(text: str) -> int:
    """Count as JavaScript and Discord do: a character beyond the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def as_id(value: object) -> int | None:
    """Read a snowflake from JSON, where it is a string or, from some clients, a number."""
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= _DIGITS else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value
    return None
