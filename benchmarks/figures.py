"""From what happened to numbers: each answer's figures, and the medians of several runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.replay import Step


@dataclass(frozen=True, slots=True)
class Staleness:
    """How far what was visible lagged behind what was written, in seconds of writing."""

    mean: float
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFigures:
    """One answer; seconds. None for what never happened."""

    to_model: float
    """From the question to the model's being asked."""
    first_text: float | None
    """From the first token written to the first visible."""
    staleness: Staleness
    last_text: float | None
    """From the last token written to the full text."""

    @property
    def wait(self) -> float | None:
        """From the question to the first text, without the model's own delay."""
        return None if self.first_text is None else self.to_model + self.first_text


def staleness(written: Sequence[float], steps: Sequence[Step], rate: float) -> Staleness:
    """Integrate (tokens written - tokens visible) / rate from the first token to the last, exactly."""
    first, last = written[0], written[-1]
    changes = sorted([(at, False, number) for number, at in enumerate(written, 1)] + [(at, True, n) for at, n in steps])
    area, worst, generated, visible, since = 0.0, 0, 0, 0, first
    for at, shown, number in changes:
        if at > last:
            break
        area += (generated - visible) * max(at - since, 0.0)
        since = max(at, first)
        generated, visible = (generated, number) if shown else (number, visible)
        worst = max(worst, generated - visible)
    return Staleness(area / (last - first) / rate if last > first else 0.0, worst / rate)


def answer_figures(
    *, asked: float, model_asked: float, written: Sequence[float], steps: Sequence[Step], rate: float
) -> AnswerFigures:
    """Work out one answer's figures."""
    first = next((at for at, seen in steps if seen), None)
    whole = next((at for at, seen in steps if seen == len(written)), None)
    return AnswerFigures(
        to_model=model_asked - asked,
        first_text=None if first is None else first - written[0],
        staleness=staleness(written, steps, rate),
        last_text=None if whole is None else whole - written[-1],
    )


def middle(values: Sequence[float | None]) -> float | None:
    """Return the median; what never happened counts as later than everything."""
    if not values:
        return None
    found = median(math.inf if value is None else value for value in values)
    return None if math.isinf(found) else found
