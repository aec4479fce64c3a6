"""The whole thing, small."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import measure, parser, planned
from benchmarks.machine import this_machine


@pytest.mark.wire
async def test_both_bots_are_measured_and_lose_nothing(tmp_path: Path) -> None:
    arguments = ["--scenario", "fast-1", "--tokens", "60", "--repeat", "1", "--profile", "--out", str(tmp_path)]
    plan = planned(parser().parse_args(arguments))

    runs = await measure(plan, this_machine())

    assert [run.bot for run in runs] == ["llampost", "naive"]
    for run in runs:
        assert (run.wrong, run.rate_limit_hits, run.failed_calls) == (0, 0, 0)
        [answer] = run.answers
        assert answer.times_asked == 1
        assert answer.story.steps[-1][1] == plan.scenarios[0].lengths(1)[0]
        assert answer.story.left_over == 0
        assert answer.figures.to_model > 0.04  # the question's way to the bot
        assert answer.figures.first_text is not None
        assert answer.figures.last_text is not None
        assert 0 < answer.figures.staleness.mean <= answer.figures.staleness.worst
    assert "1 answer in its channel by /ask" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "fast-1.svg").exists()
    for bot in plan.bots:
        assert " tokens, " in (tmp_path / f"fast-1-{bot}-1.md").read_text()
        assert (tmp_path / f"fast-1-{bot}-1.folded").exists()
