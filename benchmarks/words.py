"""Words that are made up, pronounceable, and each of which occurs at one place of one answer only."""

import re

_SYLLABLES = tuple(consonant + vowel for consonant in "bcdfghjklmnprstvwxyz" for vowel in "aeiou")
_IN_WORD = 3
_WORDS: int = len(_SYLLABLES) ** _IN_WORD
_SPREAD = 754_877  # has no divisor in common with _WORDS, so neighbours look different and none occurs twice
_BACK = pow(_SPREAD, -1, _WORDS)
_SHAPE = re.compile(r"\b(?:[bcdfghjklmnprstvwxyz][aeiou]){3}\b")

PER_ANSWER = 4_096
ANSWERS = _WORDS // PER_ANSWER

Place = tuple[int, int]
"""The number of an answer, and of a word in it."""


def word(place: Place) -> str:
    """Return the word that belongs to a place."""
    answer, index = place
    if not (0 <= answer < ANSWERS and 0 <= index < PER_ANSWER):
        raise ValueError(f"There is no word {index} of answer {answer}")
    rest = (answer * PER_ANSWER + index) * _SPREAD % _WORDS
    syllables = []
    for _ in range(_IN_WORD):
        rest, syllable = divmod(rest, len(_SYLLABLES))
        syllables.append(_SYLLABLES[syllable])
    return "".join(syllables)


def places(text: str) -> list[Place]:
    """Return where the words of a text belong, in the order of the text; other words are passed over."""
    return [place for found in _SHAPE.finditer(text) if (place := _place(found[0]))[0] < ANSWERS]


def _place(made_up: str) -> Place:
    number = 0
    for start in range(2 * (_IN_WORD - 1), -1, -2):
        number = number * len(_SYLLABLES) + _SYLLABLES.index(made_up[start : start + 2])
    return divmod(number * _BACK % _WORDS, PER_ANSWER)
