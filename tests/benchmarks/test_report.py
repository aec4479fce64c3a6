from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import Plan, keep, parser, planned
from benchmarks.figures import AnswerFigures, Staleness
from benchmarks.machine import Machine, this_machine
from benchmarks.picture import Curve, picture, typical
from benchmarks.replay import Story, Verdict
from benchmarks.report import line, report, table
from benchmarks.results import Answer, Lateness, Load, Run, Summary, summaries
from benchmarks.scenarios import SCENARIOS, Scenario

MACHINE = Machine("2026-01-01 00:00 UTC", "A CPU", 2, 0.5, "Linux", "3.11", {"discord.py": "2.7.1"}, "abc123")
SCENARIO = Scenario(name="two", answers=2)
LOAD = Load(
    bot=0.1, discord=0.2, ollama=0.3, others=None, tokens_late=Lateness(0.001, 0.002), discord_late=Lateness(0, 0)
)


def answer(first_text: float | None = 0.1, stale: float = 0.5, verdict: Verdict | None = None) -> Answer:
    story = Story(((10.0, 5), (11.0, 20)), 7, 0, 1, 0, verdict or Verdict())
    figures = AnswerFigures(to_model=0.06, first_text=first_text, staleness=Staleness(stale, 1.0), last_text=first_text)
    return Answer(tokens=20, figures=figures, story=story, first_token=9.0, times_asked=1)


def run(*answers: Answer, bot: str = "llampost", repeat: int = 1) -> Run:
    return Run(
        scenario=SCENARIO,
        bot=bot,
        repeat=repeat,
        seconds=10.0,
        answers=answers,
        rate_limit_hits=1,
        failed_calls=1,
        cpu_ms_per_token=0.25,
        peak_memory=100 * 1024 * 1024,
        load=LOAD,
    )


def test_a_table_escapes_what_would_end_a_cell() -> None:
    assert table(["a", "b"], [["1|2", "3"]]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"


def test_the_runs_of_each_bot_are_put_together() -> None:
    runs = [run(bot="llampost"), run(bot="naive"), run(bot="llampost", repeat=2)]
    assert [(one.runs[0].bot, len(one.runs)) for one in summaries(runs)] == [("llampost", 2), ("naive", 1)]


def test_the_report_gives_medians_of_runs_and_counts_of_all() -> None:
    runs = [run(answer(0.1), answer(0.3)), run(answer(0.5), answer(0.5)), run(answer(9.0), answer(9.0))]
    told = report(MACHINE, summaries(runs))
    assert "2026-01-01 00:00 UTC; 2 cores of A CPU" in told
    assert "3 runs each" in told
    row = next(line for line in told.splitlines() if "| llampost |" in line)
    assert row.split(" | ") == [
        "| 2 answers in own channels by /ask, about 400 tokens at 40/s",
        "llampost",
        "0.06",
        "0.50 (9.00)",
        "0.50 / 1.00",
        "0.50 (9.00)",
        "3",
        "6 of 6",
        "0 / 6 / 0",
        "7",
        "0.25",
        "100 |",
    ]
    assert "| 1.0 / 2.0 | 0.0 / 0.0 | 0.10 | 0.20 | 0.30 | ? |" in told


def test_the_report_says_what_was_wrong_with_answers() -> None:
    told = report(MACHINE, summaries([run(answer(None, verdict=Verdict(lost=3, doubled=1)), answer(None))]))
    assert "| never (never) |" in told
    assert "1 of 2 (3 lost, 1 doubled)" in told
    assert "1 run each" in told


def test_a_run_in_one_line() -> None:
    assert line(run(answer(), answer(verdict=Verdict(lost=1)))) == (
        "two llampost 1: 10.0 s, first text 0.10, staleness 0.50, last 0.10, 1 429s, 1 of 2 exact"
    )


def test_lateness_tells_most_from_the_worst() -> None:
    assert Lateness.of([*([0.001] * 199), 0.5]) == Lateness(0.001, 0.5)
    assert Lateness.of([]) == Lateness(0.0, 0.0)


def test_the_typical_answer_is_the_one_in_the_middle() -> None:
    answers = [answer(stale=stale) for stale in (0.9, 0.1, 0.4, 0.5)]
    assert typical(Summary((run(*answers[:2]), run(*answers[2:])))) == (1, 0)


def test_a_picture_is_sound_xml_with_a_curve_for_each_bot() -> None:
    drawn = picture(
        "a <title>", tokens=20, rate=10.0, curves=[Curve("one & only", ((0.5, 5), (2.5, 20))), Curve("b", ())]
    )
    root = ET.fromstring(drawn)  # noqa: S314  # it is ours
    paths = [path.get("class") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert paths == ["written", "bot0", "bot1", "written", "bot0", "bot1"]
    assert {"a <title>", "visible, one & only", "written by the model", "20"} <= set(texts)


def test_stairs_go_right_and_then_up() -> None:
    drawn = picture("x", tokens=10, rate=10.0, curves=[Curve("one", ((1.0, 10),))])
    path = next(part for part in drawn.splitlines() if 'class="bot0"' in part and "h26" not in part)
    x0, y0, x1, y1, x2, y2 = map(float, path.split('d="M')[1].split('"')[0].replace("L", " ").split())
    assert (y1, x2) == (y0, x1)
    assert x1 > x0
    assert y2 < y1


def test_everything_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, MACHINE, [run(answer(), answer()), run(answer(), answer(), bot="naive")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.md", "two.svg"]
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["machine"]["revision"] == "abc123"
    assert kept["runs"][1]["bot"] == "naive"
    assert kept["runs"][0]["answers"][0]["steps"] == [[1.0, 5], [2.0, 20]]


def test_this_machine_names_no_place() -> None:
    told = str(this_machine())
    assert "/" not in told.replace("UTC", "")
    assert this_machine().cores >= 1


def plan(*arguments: str) -> Plan:
    return planned(parser().parse_args(arguments))


def test_without_arguments_everything_is_measured_three_times() -> None:
    assert plan().scenarios == SCENARIOS
    assert (plan().repeats, plan().bots) == (3, ("llampost", "naive"))


def test_the_command_line_chooses() -> None:
    assert [one.name for one in plan("--quick").scenarios] == [one.name for one in SCENARIOS if one.quick]
    assert plan("--quick").repeats == 1
    assert plan("--quick", "--repeat", "2").repeats == 2
    assert plan("--scenario", "ask-10", "--tokens", "50").scenarios == (replace(SCENARIOS[1], tokens=50),)
    assert plan("--bot", "naive").bots == ("naive",)


def test_a_scenario_that_is_not_there_is_refused() -> None:
    with pytest.raises(SystemExit):
        plan("--scenario", "ask-3")


def test_lengths_differ_evenly_around_what_was_asked_for() -> None:
    lengths = [length for repeat in range(3) for length in SCENARIOS[1].lengths(repeat)]
    assert 380 <= min(lengths) < 385
    assert 415 < max(lengths) <= 420
    assert sum(lengths) / len(lengths) == pytest.approx(400, abs=2)
    assert SCENARIOS[1].lengths(1) == SCENARIOS[1].lengths(1)
