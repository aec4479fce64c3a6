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
from benchmarks.picture import panel, picture
from benchmarks.publish import NothingToPublishError, publish
from benchmarks.raw import raw
from benchmarks.report import line, report
from benchmarks.results import Run, Summary, summaries
from benchmarks.run import run
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.targets import MEASURED
from playground.bot_process import BotFailedError

_ROOT = Path(__file__).resolve().parent.parent
_OUT = _ROOT / "benchmarks" / "results"
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure how often, and where to put it."""

    scenarios: tuple[Scenario, ...]
    bots: tuple[str, ...]
    repeats: int | None
    """How often, where that is not left to each scenario."""
    out: Path
    profile: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, measure, and return the exit code."""
    options = parser().parse_args(arguments)
    if options.publish:
        return _published(options.out)
    plan = planned(options)
    try:
        runs = asyncio.run(measure(plan, this_machine()))
    except BotFailedError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped. What was measured is in {plan.out}.\n")
        return _INTERRUPTED
    sys.stdout.write((plan.out / "results.md").read_text())
    wrong = [one for one in runs if one.bot == MEASURED and one.wrong]
    for one in wrong:
        sys.stderr.write(f"NOT EXACT: {line(one)}\n")
    return 1 if wrong else 0


def _published(out: Path) -> int:
    try:
        publish(out / "results.json", _ROOT)
    except NothingToPublishError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=names, help="only this one; may be given again")
    parser.add_argument("--bot", action="append", choices=list(BOTS), help="only this one; may be given again")
    parser.add_argument("--quick", action="store_true", help="a few scenarios, once: about two minutes")
    parser.add_argument("--repeat", type=int, metavar="N", help="how often; default as its scenario says")
    parser.add_argument("--tokens", type=int, metavar="N", help="other answers than the scenarios': N tokens long")
    parser.add_argument("--out", type=Path, default=_OUT, metavar="FOLDER", help="where the results go")
    parser.add_argument("--profile", action="store_true", help="also note where the bots' CPU time goes")
    parser.add_argument("--publish", action="store_true", help="measure nothing; put the last results into README")
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
    repeats = options.repeat or (1 if options.quick else None)
    return Plan(tuple(wanted), tuple(options.bot or BOTS), repeats, options.out, options.profile)


async def measure(plan: Plan, machine: Machine) -> list[Run]:
    """Run everything, the bots in turn so that a busy moment meets both; results are kept after each scenario."""
    plan.out.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    for scenario in plan.scenarios:
        for repeat in range(1, (plan.repeats or scenario.repeats) + 1):
            for bot in plan.bots:
                runs.append(await run(scenario, bot, repeat, profile_to=plan.out if plan.profile else None))
                sys.stderr.write(f"{line(runs[-1])}\n")
        keep(plan.out, machine, runs)
    return runs


def keep(out: Path, machine: Machine, runs: Sequence[Run]) -> None:
    """Write table, raw results and one picture a scenario."""
    found = summaries(runs)
    (out / "results.md").write_text(report(machine, found))
    (out / "results.json").write_text(raw(machine, runs))
    for name in {summary.scenario.name for summary in found}:
        (out / f"{name}.svg").write_text(_drawn([one for one in found if one.scenario.name == name]))


def _drawn(found: Sequence[Summary]) -> str:
    title = found[0].scenario.title
    return picture(title, "Tokens written and tokens visible over time.", [panel(found, "A typical answer")])


if __name__ == "__main__":
    sys.exit(main())
