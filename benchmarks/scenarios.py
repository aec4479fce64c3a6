"""What is measured."""

import math
from dataclasses import dataclass
from enum import StrEnum

ROUND_TRIP = 0.08
"""Seconds from the bot to Discord and back."""
MODEL_DELAY = 0.25
"""Seconds from a question to the model's first token."""
USUAL_TOKENS = 400
USUAL_RATE = 40.0
"""Tokens of an answer, and tokens a second, of most scenarios."""

_SPREAD = 0.05
"""By what part of its length an answer may be longer or shorter."""
_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread over a range more evenly than chance does


class How(StrEnum):
    """How people ask."""

    ASK = "/ask"
    PRIVATE = "/ask, private"
    MENTION = "a mention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """So many people ask at the same moment."""

    name: str
    answers: int = 1
    tokens: int = USUAL_TOKENS
    rate: float = USUAL_RATE
    how: How = How.ASK
    one_channel: bool = False
    code_heavy: bool = False
    repeats: int = 3
    """How often a whole run measures it; less where it takes long and changes little."""
    quick: bool = False
    """Whether a short look at the figures includes it."""

    def lengths(self, repeat: int) -> tuple[int, ...]:
        """How many tokens each answer has: about as many as asked for, and differently each time.

        A bot that edits at intervals comes early or late to an answer's end by chance; lengths that are spread evenly
        over a range keep that chance from deciding a figure.
        """
        first = repeat * self.answers
        return tuple(
            round(self.tokens * (1 + _SPREAD * (2 * (number * _GOLDEN % 1) - 1)))
            for number in range(first, first + self.answers)
        )

    @property
    def label(self) -> str:
        """What sets it apart from the others, for a table that says what they have in common."""
        parts = [f"{self.answers} by {self.how}"]
        if self.one_channel:
            parts.append("one channel")
        if self.code_heavy:
            parts.append("mostly code")
        if self.tokens != USUAL_TOKENS:
            parts.append(f"{self.tokens:,} tokens")
        if self.rate != USUAL_RATE:
            parts.append(f"{self.rate:g}/s")
        return ", ".join(parts)

    @property
    def title(self) -> str:
        """What happens, in a few words."""
        where = (
            " in one channel" if self.one_channel else " in its channel" if self.answers == 1 else " in own channels"
        )
        answers = "1 answer" if self.answers == 1 else f"{self.answers} answers"
        kind = ", mostly code" if self.code_heavy else ""
        return f"{answers}{where} by {self.how}, about {self.tokens:,} tokens at {self.rate:g}/s{kind}"


SCENARIOS = (
    Scenario(name="ask-1", quick=True),
    Scenario(name="ask-10", answers=10, quick=True),
    Scenario(name="ask-50", answers=50),
    Scenario(name="ask-200", answers=200),
    Scenario(name="mention-1", how=How.MENTION, quick=True),
    Scenario(name="mention-50", answers=50, how=How.MENTION),
    # In one channel the bot answers one question after another: these five stand in line.
    Scenario(name="mention-5-one-channel", answers=5, how=How.MENTION, one_channel=True),
    # Private answers see nothing of each other, so they alone are written at once in one channel.
    Scenario(name="private-5-one-channel", answers=5, how=How.PRIVATE, one_channel=True),
    Scenario(name="code-1", code_heavy=True),
    Scenario(name="fast-1", rate=150.0, quick=True),
    Scenario(name="long-1", tokens=4_000, repeats=2),
    Scenario(name="long-fast-1", tokens=4_000, rate=150.0),
)
