"""How many tokens a text has, before a model has counted it.

Ollama reports the exact size of each prompt afterwards (`prompt_eval_count`), but has no way to ask before. The raw
estimate errs upwards on purpose: an estimate too low lets the server cut the prompt silently, one too high only
remembers a little less. What a model reported then scales the estimate for it.
"""

from __future__ import annotations

import re

MESSAGE_OVERHEAD = 6
"""Tokens that a chat template puts around a message: role, markers, line breaks."""

_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[ \t]{2,}|\n+|[^\sA-Za-z]|[^\S \t\n]")
_LONG_WORD = 15
_LOWEST_RATIO = 0.6
_HIGHEST_RATIO = 1.5
_MARGIN = 1.1


def estimate(text: str) -> int:
    """Tokens of a text by its shape, seldom less than what byte-pair vocabularies really need.

    English words count one token for every five letters begun; long unbroken runs (keys, encoded data) one for two;
    digits and signs one each, as in most vocabularies; everything else one per UTF-8 byte, the worst case.
    """
    return sum(map(_piece, _PIECES.findall(text)))


def _piece(piece: str) -> int:
    if not piece.isascii():
        return len(piece.encode("utf-8", "replace"))
    if not piece.isalpha():
        return 1
    if piece.isupper() or len(piece) > _LONG_WORD:
        return (len(piece) + 1) // 2
    return (len(piece) + 4) // 5


class Estimator:
    """Estimates for one model, scaled by what it reported for an earlier prompt."""

    def __init__(self, observed: tuple[int, int] | None = None) -> None:
        """Take an earlier prompt's raw estimate and the tokens that it really had."""
        self._ratio = 1.0
        if observed and observed[0] > 0:
            ratio = observed[1] / observed[0] * _MARGIN
            self._ratio = min(max(ratio, _LOWEST_RATIO), _HIGHEST_RATIO)

    def message(self, text: str) -> int:
        """Tokens of one message in the prompt, its template included."""
        return round(estimate(text) * self._ratio) + MESSAGE_OVERHEAD
