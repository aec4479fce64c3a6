from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.publish import PICTURE, NothingToPublishError, publish
from benchmarks.raw import raw
from benchmarks.results import Run
from benchmarks.scenarios import SCENARIOS
from tests.benchmarks.made_up import MACHINE, answer, run

README = "# A project\n\n<!-- benchmark: by a command -->\nold\n<!-- end of benchmark -->\n\nMore.\n"
CHOSEN = [scenario for scenario in SCENARIOS if scenario.name in {"ask-1", "ask-50"}]
RUNS = [run(answer(stale=0.2), bot=bot, scenario=one) for one in CHOSEN for bot in ("llampost", "naive")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def kept(root: Path, runs: list[Run]) -> Path:
    path = root / "results.json"
    path.write_text(raw(MACHINE, runs))
    return path


def test_table_and_picture_go_between_the_two_comments(root: Path) -> None:
    publish(kept(root, RUNS), root)
    written = (root / "README.md").read_text()
    head, _, rest = written.partition("<!-- benchmark: by a command -->\n\n")
    between, _, tail = rest.partition("\n\n<!-- end of benchmark -->")
    assert (head, tail) == ("# A project\n\n", "\n\nMore.\n")
    assert between.startswith("![How far")
    assert (
        "One of 50 answers at once: behind on average: Llampost 0.20 s, Naive 0.20 s.](docs/benchmark.svg)" in between
    )
    assert "| 50 by /ask | Naive | 0.16 | 0.20 / 1.00 |" in between
    assert "One of 50 answers at once" in (root / PICTURE).read_text()


def test_publishing_twice_changes_nothing(root: Path) -> None:
    results = kept(root, RUNS)
    publish(results, root)
    once = (root / "README.md").read_text()
    publish(results, root)
    assert (root / "README.md").read_text() == once


@pytest.mark.parametrize(
    ("runs", "readme", "said"),
    [
        (RUNS[:3], README, "Scenario ask-50 was not measured with both bots"),
        (RUNS, "# A project\n", "one place for the benchmark, not 0"),
        (RUNS, README + README, "one place for the benchmark, not 2"),
    ],
)
def test_nothing_is_written_where_something_is_missing(root: Path, runs: list[Run], readme: str, said: str) -> None:
    (root / "README.md").write_text(readme)
    with pytest.raises(NothingToPublishError, match=said):
        publish(kept(root, runs), root)
    assert (root / "README.md").read_text() == readme
    assert not (root / PICTURE).exists()


def test_without_results_there_is_nothing_to_publish(root: Path) -> None:
    with pytest.raises(NothingToPublishError, match="measure first"):
        publish(root / "results.json", root)
