from __future__ import annotations

import pytest

from benchmarks.results import Run, summaries
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.targets import CPU, FAULTS, Check, Limit, checks
from tests.benchmarks.made_up import answer, run

NAMED = {scenario.name: scenario for scenario in SCENARIOS}


def check(figure: str, *runs: Run) -> Check:
    """The check of the figure in the first run's scenario."""
    made = checks(summaries(runs))
    return next(one for one in made if (one.scenario, one.figure) == (runs[0].scenario, figure))


def of(
    scenario: str | Scenario, late: float = 0.05, *, bot: str = "llampost", stale: float = 0.1, cpu: float = 0.2
) -> Run:
    chosen = NAMED[scenario] if isinstance(scenario, str) else scenario
    return run(answer(late, stale, fences=0), bot=bot, scenario=chosen, cpu=cpu, hits=0)


@pytest.mark.parametrize(
    ("scenario", "figure", "most"),
    [
        ("ask-1", "first text", 0.15),
        ("ask-50", "last text", 0.15),
        ("ask-1", "staleness mean", 0.35),
        ("long-1", "staleness max", 0.8),
        ("mention-1", "staleness mean", 0.6),
        ("mention-1", "staleness max", 1.4),
        ("mention-50", CPU, 0.25),
        ("ask-200", FAULTS, 0.0),
    ],
)
def test_each_scenario_has_its_limits(scenario: str, figure: str, most: float) -> None:
    assert check(figure, of(scenario)).limit == Limit(most)


def test_what_has_no_limit_is_not_checked() -> None:
    assert {one.figure for one in checks(summaries([of("ask-200")]))} == {FAULTS}
    assert {one.figure for one in checks(summaries([of("mention-5-one-channel")]))} == {FAULTS}
    assert not checks(summaries([of("ask-1", bot="naive")]))


def test_the_naive_bot_is_a_limit_everywhere() -> None:
    found = check("last text", of("ask-200", 0.5), of("ask-200", 0.3, bot="naive"))
    assert not found.met
    assert str(found) == "target <= 0.32 (naive + 0.02): 0.50 MISSED"
    assert check("last text", of("ask-200", 0.31), of("ask-200", 0.3, bot="naive")).met


def test_the_naive_bots_cpu_is_a_limit_at_fifty_answers_only() -> None:
    assert not check(CPU, of("ask-50", cpu=0.2), of("ask-50", bot="naive", cpu=0.1)).met
    assert CPU not in {one.figure for one in checks(summaries([of("ask-1"), of("ask-1", bot="naive")]))}


def test_the_strictest_limit_decides() -> None:
    runs = of("ask-50", 0.13), of("ask-1", 0.1), of("ask-50", 0.3, bot="naive")
    assert str(check("last text", *runs)) == "target <= 0.12 (one alone + 20 %): 0.13 MISSED"
    assert check("first text", *runs).limit.most == 0.15


def test_fifty_mentions_are_compared_with_one_mention() -> None:
    assert (
        check("staleness mean", of("mention-50", stale=0.3), of("mention-1", stale=0.2), of("ask-1")).limit.most == 0.24
    )


def test_a_bot_that_never_got_there_is_no_limit() -> None:
    never = run(answer(None), bot="naive", scenario=NAMED["ask-200"])
    assert "last text" not in {one.figure for one in checks(summaries([of("ask-200"), never]))}


def test_what_never_happened_is_missed() -> None:
    found = check("last text", run(answer(None), scenario=NAMED["ask-1"]))
    assert str(found) == "target <= 0.15: never MISSED"


def test_a_figure_is_met_as_it_is_printed() -> None:
    assert check("last text", of("ask-1", 0.1549)).met
    assert not check("last text", of("ask-1", 0.156)).met


def test_every_kind_of_fault_counts() -> None:
    assert str(check(FAULTS, of("ask-200"))) == "target <= 0: 0 met"
    faulty = run(answer(fences=2), answer(fences=1), scenario=NAMED["ask-200"], hits=4)
    assert str(check(FAULTS, faulty)) == "target <= 0: 7 MISSED"
