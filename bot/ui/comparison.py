"""Whether a repetition gave the same text, in plain words. No I/O."""

from __future__ import annotations

import difflib

from bot.chat.receipts import Repetition
from bot.ui.responses import plain

DIFFERENCE = "difference.diff"

_BEFORE, _AFTER = 20, 80
"""Characters shown before and after the first one that differs."""


def verdict(repetition: Repetition) -> str:
    """Identical, or from where on not."""
    then, now = repetition.before, repetition.now
    if repetition.is_identical:
        reach = "" if repetition.is_whole else ", as far as it was written then"
        return (
            f"**Identical.** The same model, options, seed and prompt gave the same text again{reach}: "
            f"all {len(then):,} characters."
        )
    place = next((at for at, pair in enumerate(zip(then, now, strict=False)) if pair[0] != pair[1]), None)
    place = min(len(then), len(now)) if place is None else place
    return (
        f"**Different** from character {place + 1:,} on. The same model, options, seed and prompt were used.\n"
        f"- Then: {_excerpt(then, place)}\n"
        f"- Now: {_excerpt(now, place)}\n"
        "-# The same request can come out differently: Ollama's figures change a little with what it has in its cache, "
        "with what else it answers at the same time, and with its version and hardware. "
        f"All differences are in `{DIFFERENCE}`."
    )


def difference(repetition: Repetition) -> str:
    """What was written then and what now, line by line, for programs and people that read such files."""
    lines = difflib.unified_diff(
        repetition.before.splitlines(), repetition.now.splitlines(), "then", "now", lineterm=""
    )
    return "\n".join([*lines, ""])


def _excerpt(text: str, place: int) -> str:
    if place >= len(text):
        return "it ends here"
    start = max(place - _BEFORE, 0)
    words = plain(text[start : place + _AFTER])
    return f"“{'…' if start else ''}{words}{'…' if place + _AFTER < len(text) else ''}”"
