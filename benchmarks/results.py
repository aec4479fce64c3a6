"""What a run found, and what several runs of the same thing come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import AnswerFigures, middle
from benchmarks.replay import Step, Story
from benchmarks.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Lateness:
    """How much later than planned things happened, in seconds."""

    most: float
    """99 % were no later than this."""
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Lateness":
        """Sum up."""
        ordered = sorted(values) or [0.0]
        return cls(ordered[int(0.99 * (len(ordered) - 1))], ordered[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a run."""

    tokens: int
    figures: AnswerFigures
    story: Story
    first_token: float
    times_asked: int
    """How often the model was asked for it."""

    @property
    def curve(self) -> tuple[Step, ...]:
        """The steps in seconds from the first token."""
        return tuple((at - self.first_token, seen) for at, seen in self.story.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Who used the machine during a run (CPU seconds a second), and how punctual the harness was."""

    bot: float | None
    discord: float
    """The loopback Discord with the harness around it."""
    ollama: float
    others: float | None
    """Everything else on this machine."""
    tokens_late: Lateness
    discord_late: Lateness


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One bot, once through one scenario."""

    scenario: Scenario
    bot: str
    repeat: int
    seconds: float
    """From the first question to the last answer's end."""
    answers: tuple[Answer, ...]
    rate_limit_hits: int
    failed_calls: int
    """Calls that Discord answered with an error, rate limits included."""
    cpu_ms_per_token: float | None
    peak_memory: int | None
    load: Load

    def median(self, figure: Callable[[Answer], float | None]) -> float | None:
        """Return the middle answer's figure."""
        return middle([figure(answer) for answer in self.answers])

    def total(self, count: Callable[[Answer], int]) -> int:
        """Add up over all answers."""
        return sum(count(answer) for answer in self.answers)

    @property
    def wrong(self) -> int:
        """How many answers do not read as the model wrote them."""
        return self.total(lambda answer: not answer.story.verdict.exact)


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one bot through one scenario."""

    runs: tuple[Run, ...]

    @property
    def scenario(self) -> Scenario:
        """What was done."""
        return self.runs[0].scenario

    @property
    def bot(self) -> str:
        """Who did it, as the command line says."""
        return self.runs[0].bot

    @property
    def name(self) -> str:
        """Who did it, for readers."""
        return self.bot.capitalize()

    @property
    def faults(self) -> int:
        """Rate limits met, answers that are not exact, states with a broken fence, messages that look unfinished."""
        hits = sum(run.rate_limit_hits + run.wrong for run in self.runs)
        return hits + self.total(lambda answer: answer.story.open_fences + answer.story.left_over)

    def median(self, figure: Callable[[Answer], float | None]) -> float | None:
        """Return the middle run's middle answer's figure."""
        return middle([run.median(figure) for run in self.runs])

    def most(self, figure: Callable[[Answer], float | None]) -> float | None:
        """Return the worst answer's figure of all runs; None where one has none."""
        found = [figure(answer) for run in self.runs for answer in run.answers]
        return None if None in found else max(value for value in found if value is not None)

    def middle(self, figure: Callable[[Run], float | None]) -> float | None:
        """Return the middle run's figure."""
        return middle([figure(run) for run in self.runs])

    def total(self, count: Callable[[Answer], int]) -> int:
        """Add up over all answers of all runs."""
        return sum(run.total(count) for run in self.runs)


def summaries(runs: Sequence[Run]) -> list[Summary]:
    """Put the runs of the same bot and scenario together, in the order in which they were begun."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.scenario.name, run.bot), []).append(run)
    return [Summary(tuple(group)) for group in groups.values()]
