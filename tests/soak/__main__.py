"""`python -m tests.soak`: see `make soak` in CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from .soak import Outcome, Wish, soak


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    parser.add_argument("--answers", type=int, default=500, help="how many questions to ask (500)")
    parser.add_argument("--seed", type=int, help="what chance begins with; a failing run prints its own")
    parser.add_argument("--people", type=int, default=24, help="how many people ask at once (24)")
    parser.add_argument("--share", type=float, default=0.1, help="how many calls to Discord meet a fault (0.1)")
    parser.add_argument("--crashes", type=int, default=0, help="how often the bot is killed and started again (0)")
    parser.add_argument("--in-process", action="store_true", help="run the bot in this process, and count its tasks")
    parser.add_argument("--keep", type=Path, help="a folder for the bot's log and database (a temporary one)")
    return parser.parse_args()


def main() -> int:
    """Run it, and print what came of it."""
    options = _arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    # After a crash it is another process, which can't be compared with the one before.
    plateaus = () if options.crashes else (options.answers // 10, options.answers // 2, options.answers)
    wish = Wish(
        answers=options.answers,
        seed=seed,
        people=options.people,
        share=options.share,
        crashes=options.crashes,
        in_process=options.in_process,
        plateaus=plateaus,
    )
    begun = time.monotonic()
    sys.stderr.write(f"{wish.answers} answers with faults, seed {seed}; the bot's log is {folder / 'bot.log'}\n")
    outcome = asyncio.run(soak(wish, folder, say=lambda text: _say(begun, text)))
    _print(outcome, seed, folder)
    return 1 if outcome.problems else 0


def _say(begun: float, text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {text}\n")


def _print(outcome: Outcome, seed: int, folder: Path) -> None:
    lines = [f"{count:5} {name}" for name, count in sorted(outcome.strikes.items(), key=lambda it: -it[1])]
    lines += [
        "",
        *(f"{count:5} answers: {name}" for name, count in sorted(outcome.ends.items(), key=lambda it: -it[1])),
    ]
    lines += ["", *map(str, outcome.plateaus)]
    lines += [f"its tasks: {dict(tasks)}" for tasks in outcome.tasks if tasks]
    lines += [f"{outcome.seconds:.0f} s, {outcome.calls} calls to Discord, {sum(outcome.strikes.values())} faults"]
    if outcome.problems:
        lines += ["", f"{len(outcome.problems)} problems with seed {seed}:", *(f"- {it}" for it in outcome.problems)]
        lines += ["", f"Look at {folder / 'bot.log'} and at {folder / 'llampost.db'} for the numbers of the questions."]
    else:
        lines += ["Nothing lost, nothing doubled, nothing leaked, no unexpected error."]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
