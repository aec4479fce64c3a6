from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import Plan, keep, parser, planned
from benchmarks.machine import this_machine
from benchmarks.raw import read
from benchmarks.replay import Verdict
from benchmarks.report import line, report, table
from benchmarks.results import Lateness, summaries
from benchmarks.scenarios import SCENARIOS
from tests.benchmarks.made_up import MACHINE, SCENARIO, answer, run


def test_a_table_escapes_what_would_end_a_cell() -> None:
    assert table(["a", "b"], [["1|2", "3"]]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"


def test_the_runs_of_each_bot_are_put_together() -> None:
    runs = [run(bot="llampost"), run(bot="naive"), run(bot="llampost", repeat=2)]
    assert [(one.runs[0].bot, len(one.runs)) for one in summaries(runs)] == [("llampost", 2), ("naive", 1)]


def test_the_report_gives_medians_of_runs_and_counts_of_all() -> None:
    runs = [run(answer(0.1), answer(0.3)), run(answer(0.5), answer(0.5)), run(answer(9.0), answer(9.0))]
    told = report(MACHINE, summaries(runs))
    assert "2026-01-01 00:00 UTC, 2 cores of A CPU, Python 3.11, discord.py 2.7.1; 3 runs each." in told
    overview, details, harness = (line.split(" | ") for line in told.splitlines() if "| Llampost |" in line)
    assert overview == ["| 2 by /ask", "Llampost", "0.56", "0.50 / 1.00", "0.50", "3", "6 of 6", "0.25 |"]
    assert details == [
        "| 2 answers in own channels by /ask, about 400 tokens at 40/s",
        "Llampost",
        "0.06",
        "0.50 (9.00)",
        "0.50 (9.00)",
        "0 / 6 / 0",
        "7",
        "100 |",
    ]
    assert harness[2:] == ["1.0 / 2.0", "0.0 / 0.0", "0.10", "0.20", "0.30", "? |"]


def test_what_was_measured_less_often_is_named() -> None:
    long = replace(SCENARIO, name="long", tokens=4_000)
    runs = [run(answer()), run(answer(), repeat=2), run(answer(), scenario=long), run(answer(), bot="naive")]
    told = report(MACHINE, summaries([*runs, run(answer(), bot="naive", repeat=2)]))
    assert "2 runs each, 1 of 2 by /ask, 4,000 tokens." in told


def test_the_report_says_what_was_wrong_with_answers() -> None:
    told = report(MACHINE, summaries([run(answer(None, verdict=Verdict(lost=3, doubled=1)), answer(None))]))
    assert "| never (never) |" in told
    assert "target <= 0.15: never MISSED" in told
    assert "target <= 0: 4 MISSED" in told
    assert "1 of 2 (3 lost, 1 doubled)" in told
    assert "1 run each" in told


def test_a_run_in_one_line() -> None:
    assert line(run(answer(), answer(verdict=Verdict(lost=1)))) == (
        "two llampost 1: 10.0 s, first text 0.16, staleness 0.50, last 0.10, 1 429s, 1 of 2 exact"
    )


def test_lateness_tells_most_from_the_worst() -> None:
    assert Lateness.of([*([0.001] * 199), 0.5]) == Lateness(0.001, 0.5)
    assert Lateness.of([]) == Lateness(0.0, 0.0)


def test_everything_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, MACHINE, [run(answer(), answer()), run(answer(), answer(), bot="naive")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.md", "two.svg"]
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["machine"]["revision"] == "abc123"
    assert kept["runs"][1]["bot"] == "naive"
    assert kept["runs"][0]["answers"][0]["story"]["steps"] == [[1.0, 5], [2.0, 20]]


def test_what_was_kept_is_read_as_it_was(tmp_path: Path) -> None:
    runs = [run(answer(), answer(None, verdict=Verdict(lost=2)), repeat=2)]
    keep(tmp_path, MACHINE, runs)
    kept = read((tmp_path / "results.json").read_text())
    assert kept.machine == MACHINE
    assert report(kept.machine, summaries(kept.runs)) == (tmp_path / "results.md").read_text()
    assert kept.runs[0].answers[0].curve == runs[0].answers[0].curve


def test_this_machine_names_no_place() -> None:
    told = str(this_machine())
    assert "/" not in told.replace("UTC", "")
    assert this_machine().cores >= 1


def plan(*arguments: str) -> Plan:
    return planned(parser().parse_args(arguments))


def test_without_arguments_everything_is_measured_as_often_as_it_says() -> None:
    assert plan().scenarios == SCENARIOS
    assert (plan().repeats, plan().bots) == (None, ("llampost", "naive"))
    assert {one.repeats for one in SCENARIOS if one.name != "long-1"} == {3}


def test_the_command_line_chooses() -> None:
    assert [one.name for one in plan("--quick").scenarios] == [one.name for one in SCENARIOS if one.quick]
    assert plan("--quick").repeats == 1
    assert plan("--quick", "--repeat", "2").repeats == 2
    assert plan("--scenario", "ask-10", "--tokens", "50").scenarios == (replace(SCENARIOS[1], tokens=50),)
    assert plan("--bot", "naive").bots == ("naive",)
    assert plan("--profile").profile


def test_a_scenario_that_is_not_there_is_refused() -> None:
    with pytest.raises(SystemExit):
        plan("--scenario", "ask-3")


def test_lengths_differ_evenly_around_what_was_asked_for() -> None:
    lengths = [length for repeat in range(3) for length in SCENARIOS[1].lengths(repeat)]
    assert 380 <= min(lengths) < 385
    assert 415 < max(lengths) <= 420
    assert sum(lengths) / len(lengths) == pytest.approx(400, abs=2)
    assert SCENARIOS[1].lengths(1) == SCENARIOS[1].lengths(1)


def test_a_label_says_what_is_unusual() -> None:
    labels = {one.name: one.label for one in SCENARIOS}
    assert labels["ask-200"] == "200 by /ask"
    assert labels["mention-5-one-channel"] == "5 by a mention, one channel"
    assert labels["code-1"] == "1 by /ask, mostly code"
    assert labels["long-fast-1"] == "1 by /ask, 4,000 tokens, 150/s"
    assert len(set(labels.values())) == len(SCENARIOS)
