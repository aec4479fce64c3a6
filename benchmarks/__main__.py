"""`python -m benchmarks`: measure, print the table, keep table, raw results and pictures in a folder.

Ends with 1 where an answer of the bot was not exact; no figure, however slow, is a failure.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.arena import BOTS
from benchmarks.machine import Machine, this_machine
from benchmarks.picture import Curve, picture, typical
from benchmarks.raw import raw
from benchmarks.report import line, report
from benchmarks.results import Run, Summary, summaries
from benchmarks.run import run
from benchmarks.scenarios import SCENARIOS, Scenario
from playground.bot_process import BotFailedError

_OUT = Path(__file__).resolve().parent / "results"
_REPEATS = 3
_MEASURED = "llampost"
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure how often, and where to put it."""

    scenarios: tuple[Scenario, ...]
    bots: tuple[str, ...]
    repeats: int
    out: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, measure, and return the exit code."""
    plan = planned(parser().parse_args(arguments))
    try:
        runs = asyncio.run(measure(plan, this_machine()))
    except BotFailedError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped. What was measured is in {plan.out}.\n")
        return _INTERRUPTED
    sys.stdout.write((plan.out / "results.md").read_text())
    wrong = [one for one in runs if one.bot == _MEASURED and one.wrong]
    for one in wrong:
        sys.stderr.write(f"NOT EXACT: {line(one)}\n")
    return 1 if wrong else 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=names, help="only this one; may be given again")
    parser.add_argument("--bot", action="append", choices=list(BOTS), help="only this one; may be given again")
    parser.add_argument("--quick", action="store_true", help="a few scenarios, once: about two minutes")
    parser.add_argument("--repeat", type=int, metavar="N", help=f"how often; default {_REPEATS}")
    parser.add_argument("--tokens", type=int, metavar="N", help="other answers than the scenarios': N tokens long")
    parser.add_argument("--out", type=Path, default=_OUT, metavar="FOLDER", help="where the results go")
    return parser


def planned(options: argparse.Namespace) -> Plan:
    """Turn the command line into a plan."""
    wanted = [
        scenario
        for scenario in SCENARIOS
        if (scenario.name in options.scenario if options.scenario else scenario.quick or not options.quick)
    ]
    if options.tokens:
        wanted = [replace(scenario, tokens=options.tokens) for scenario in wanted]
    repeats = options.repeat or (1 if options.quick else _REPEATS)
    return Plan(tuple(wanted), tuple(options.bot or BOTS), repeats, options.out)


async def measure(plan: Plan, machine: Machine) -> list[Run]:
    """Run everything, the bots in turn so that a busy moment meets both; results are kept after each scenario."""
    plan.out.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    for scenario in plan.scenarios:
        for repeat in range(1, plan.repeats + 1):
            for bot in plan.bots:
                runs.append(await run(scenario, bot, repeat))
                sys.stderr.write(f"{line(runs[-1])}\n")
        keep(plan.out, machine, runs)
    return runs


def keep(out: Path, machine: Machine, runs: Sequence[Run]) -> None:
    """Write table, raw results and one picture a scenario."""
    found = summaries(runs)
    (out / "results.md").write_text(report(machine, found))
    (out / "results.json").write_text(raw(machine, runs))
    for name in {summary.runs[0].scenario.name for summary in found}:
        (out / f"{name}.svg").write_text(_drawn([one for one in found if one.runs[0].scenario.name == name]))


def _drawn(found: Sequence[Summary]) -> str:
    scenario = found[0].runs[0].scenario
    # The same answer of each bot, so that one line of written tokens holds for all.
    place, number = typical(found[0])
    answers = [(summary.runs[place].bot, summary.runs[place].answers[number]) for summary in found]
    curves = [Curve(bot, answer.curve) for bot, answer in answers]
    return picture(scenario.title, tokens=answers[0][1].tokens, rate=scenario.rate, curves=curves)


if __name__ == "__main__":
    sys.exit(main())
