"""What the figures ought to be, and whether they are. A target that is missed fails nothing: machines are shared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.results import Summary
from benchmarks.scenarios import How, Scenario

MEASURED = "llampost"
REFERENCE = "naive"

Figure = Callable[[Summary], float | None]

DELAYS: dict[str, Figure] = {
    "first text": lambda summary: summary.median(lambda answer: answer.figures.wait),
    "staleness mean": lambda summary: summary.median(lambda answer: answer.figures.staleness.mean),
    "staleness max": lambda summary: summary.median(lambda answer: answer.figures.staleness.worst),
    "last text": lambda summary: summary.median(lambda answer: answer.figures.last_text),
}
"""Seconds: of the medians that the report gives."""

CPU = "CPU ms a token"
FAULTS = "faults"
FIGURES: dict[str, Figure] = DELAYS | {
    CPU: lambda summary: summary.middle(lambda run: run.cpu_ms_per_token),
    FAULTS: lambda summary: summary.faults,
}

_MANY = 50
"""Answers at once that are to be no slower than one: Discord allows a bot 50 calls a second."""
_SLOWER = 1.2
_NOISE = 0.02
"""Seconds by which the delays of two runs of the same thing differ on a quiet machine."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must not exceed, and why, where that is another figure."""

    most: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One figure beside the strictest of its limits."""

    scenario: Scenario
    figure: str
    found: float | None
    limit: Limit

    @property
    def met(self) -> bool:
        """Whether it is within the limit, as precisely as both are printed."""
        return self.found is not None and round(self.found, 2) <= round(self.limit.most, 2)

    def __str__(self) -> str:
        found = "never" if self.found is None else f"{self.found:.{0 if self.figure == FAULTS else 2}f}"
        reason = f" ({self.limit.reason})" if self.limit.reason else ""
        return f"target <= {self.limit.most:g}{reason}: {found} {'met' if self.met else 'MISSED'}"


def checks(found: Sequence[Summary]) -> list[Check]:
    """Compare everything that was measured of the bot with its targets."""
    made = []
    for summary in found:
        if summary.bot != MEASURED:
            continue
        for name, figure in FIGURES.items():
            limits = list(_limits(summary, name, found))
            if limits:
                strictest = min(limits, key=lambda limit: limit.most)
                made.append(Check(summary.scenario, name, figure(summary), strictest))
    return made


def _limits(summary: Summary, name: str, found: Sequence[Summary]) -> Iterator[Limit]:
    scenario = summary.scenario
    absolute = _absolute(scenario).get(name)
    if absolute is not None:
        yield Limit(absolute)
    naive = _figure(found, REFERENCE, scenario.name, name)
    if naive is not None and name in DELAYS:
        yield Limit(round(naive + _NOISE, 2), f"{REFERENCE} + {_NOISE}")
    if naive is not None and name == CPU and scenario.answers == _MANY:
        yield Limit(round(naive, 2), REFERENCE)
    alone = _figure(found, MEASURED, f"{scenario.how.name.lower()}-1", name)
    if alone is not None and name in DELAYS and scenario.answers == _MANY:
        yield Limit(round(alone * _SLOWER, 2), "one alone + 20 %")


def _absolute(scenario: Scenario) -> dict[str, float]:
    limits = {FAULTS: 0.0}
    # Answers that share one channel share what Discord allows there, and can't all be prompt.
    shares = scenario.one_channel and scenario.how is How.MENTION
    if scenario.answers <= _MANY and not shares:
        limits |= {"first text": 0.15, "last text": 0.15}
    if scenario.answers == 1 and scenario.how is How.ASK:
        limits |= {"staleness mean": 0.35, "staleness max": 0.8}
    if scenario.answers == 1 and scenario.how is How.MENTION:
        limits |= {"staleness mean": 0.6, "staleness max": 1.4}
    if scenario.answers == _MANY:
        limits |= {CPU: 0.25}
    return limits


def _figure(found: Sequence[Summary], bot: str, scenario: str, name: str) -> float | None:
    """Return another one's figure; None where it was not measured, or never got there."""
    other = next((one for one in found if (one.bot, one.scenario.name) == (bot, scenario)), None)
    return FIGURES[name](other) if other else None
