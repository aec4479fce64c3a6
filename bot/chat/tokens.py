"""How many tokens a text has, before a model has counted it.

Ollama reports the exact size of each prompt afterwards (`prompt_eval_count`), but has no way to ask before. The raw
estimate errs upwards on purpose, for English by more than half: an estimate too low lets the server cut the prompt
silently, one too high only remembers a little less. What a model reported then scales the estimate for it.
"""

from __future__ import annotations

import re

MESSAGE_OVERHEAD = 8
"""Tokens that a chat template puts around a message: role, markers, line breaks; and its share of the answer's head."""

IMAGE_TOKENS = 1_400
"""Tokens of an image of a megapixel, in squares of 28 pixels as the hungriest of the usual models sees it."""

_PIECES = re.compile(
    r"[A-Za-z0-9+/]{32,}"  # keys, hashes, encoded data
    r"|[A-Z]?[a-z]+|[A-Z]+"
    r"|[\r\n]+|[ \t]{2,}|\t"
    r"| (?=[0-9])"  # elsewhere a single space belongs to what follows it
    r"|[^\sA-Za-z]|[^\S \t\r\n]"
)
_SHORT_WORD = 3
_UNBROKEN = 32
_LOWEST_RATIO = 0.75
"""The next text may be in another language than the last: what a quarter of the window, kept free, makes up for."""
_HIGHEST_RATIO = 1.5
_MARGIN = 1.1


def estimate(text: str) -> int:
    """Tokens of a text by its shape, seldom less than what byte-pair vocabularies really need.

    Short words count one, longer ones one token for every two letters begun, as foreign ones do (English ones need
    fewer); digits and signs one each, as in most vocabularies; what is not ASCII one per UTF-8 byte, the worst case.
    """
    return sum(map(_piece, _PIECES.findall(text)))


def _piece(piece: str) -> int:
    if not piece.isascii():
        return len(piece.encode("utf-8", "replace"))
    size = len(piece)
    if size >= _UNBROKEN and not piece.isspace():
        return size
    if piece[0] in "\r\n":
        return (size + 1) // 2
    if piece.isspace():
        return (size + 3) // 4
    if size <= _SHORT_WORD and not piece.isupper():
        return 1
    return (size * 2 + 2) // 3 if piece.isupper() else (size + 1) // 2


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
