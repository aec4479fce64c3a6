"""Puts the last results where readers of the project find them: a table into README, a picture into docs."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.picture import Panel, panel, picture
from benchmarks.raw import read
from benchmarks.report import overview
from benchmarks.results import Summary, summaries
from benchmarks.targets import DELAYS, MEASURED, REFERENCE

PICTURE = "docs/benchmark.svg"
_SHOWN = ("ask-1", "ask-50")
"""The scenarios that the picture shows."""
_TITLE = "How far an answer in Discord lags behind the model"
_PLACE = re.compile(r"(<!-- benchmark: [^\n]*-->\n).*?(?=<!-- end of benchmark -->)", re.DOTALL)


class NothingToPublishError(Exception):
    """The results lack what is to be shown, or README a place for it."""


def publish(results: Path, root: Path) -> None:
    """Write README's table between its two comments, and the picture.

    Raises NothingToPublishError, before anything is written, where that is not possible.
    """
    if not results.exists():
        raise NothingToPublishError(f"There is no {results.name} yet: measure first.")
    kept = read(results.read_text())
    found = summaries(kept.runs)
    panels = [_panel(name, found) for name in _SHOWN]
    description = _description(panels)
    text = f"![{_TITLE}. {description}]({PICTURE})\n\n{overview(kept.machine, found)}"
    readme = root / "README.md"
    written, count = _PLACE.subn(lambda place: f"{place[1]}\n{text}\n\n", readme.read_text())
    if count != 1:
        raise NothingToPublishError(f"README needs one place for the benchmark, not {count}.")
    readme.write_text(written)
    (root / PICTURE).write_text(picture(_TITLE, description, panels))


def _panel(name: str, found: Sequence[Summary]) -> Panel:
    chosen = [one for bot in (MEASURED, REFERENCE) for one in found if (one.bot, one.scenario.name) == (bot, name)]
    if [one.bot for one in chosen] != [MEASURED, REFERENCE]:
        raise NothingToPublishError(f"Scenario {name} was not measured with both bots.")
    answers = chosen[0].scenario.answers
    title = "One answer alone" if answers == 1 else f"One of {answers} answers at once"
    lags = [(one.name, DELAYS["staleness mean"](one)) for one in chosen]
    note = ", ".join(f"{name} {lag:.2f} s" for name, lag in lags if lag is not None)
    return panel(chosen, title, f"behind on average: {note}")


def _description(panels: Sequence[Panel]) -> str:
    """The picture in words."""
    shown = " ".join(f"{one.title}: {one.note}." for one in panels)
    return f"Tokens written by the model and tokens visible in Discord, over time. {shown}"
