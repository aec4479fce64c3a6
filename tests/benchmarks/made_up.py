"""Results that nobody measured."""

from __future__ import annotations

from benchmarks.figures import AnswerFigures, Staleness
from benchmarks.machine import Machine
from benchmarks.replay import Story, Verdict
from benchmarks.results import Answer, Lateness, Load, Run
from benchmarks.scenarios import Scenario

MACHINE = Machine("2026-01-01 00:00 UTC", "A CPU", 2, 0.5, "Linux", "3.11", {"discord.py": "2.7.1"}, "abc123")
SCENARIO = Scenario(name="two", answers=2)
LOAD = Load(
    bot=0.1, discord=0.2, ollama=0.3, others=None, tokens_late=Lateness(0.001, 0.002), discord_late=Lateness(0, 0)
)


def answer(
    first_text: float | None = 0.1, stale: float = 0.5, verdict: Verdict | None = None, *, fences: int = 1
) -> Answer:
    """One whose last text comes as late as its first, and which the model was asked for after 0.06 s."""
    story = Story(((10.0, 5), (11.0, 20)), 7, 0, fences, 0, verdict or Verdict())
    figures = AnswerFigures(to_model=0.06, first_text=first_text, staleness=Staleness(stale, 1.0), last_text=first_text)
    return Answer(tokens=20, figures=figures, story=story, first_token=9.0, times_asked=1)


def run(
    *answers: Answer,
    bot: str = "llampost",
    repeat: int = 1,
    scenario: Scenario = SCENARIO,
    cpu: float = 0.25,
    hits: int = 1,
) -> Run:
    """One with a rate limit met, unless told otherwise."""
    return Run(
        scenario=scenario,
        bot=bot,
        repeat=repeat,
        seconds=10.0,
        answers=answers,
        rate_limit_hits=hits,
        failed_calls=hits,
        cpu_ms_per_token=cpu,
        peak_memory=100 * 1024 * 1024,
        load=LOAD,
    )
