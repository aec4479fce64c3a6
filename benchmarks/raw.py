"""All results as JSON: whatever the table leaves out is there."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.machine import Machine
from benchmarks.results import Answer, Run


def raw(machine: Machine, runs: Sequence[Run]) -> str:
    """Write down everything that was found; moments are seconds from each answer's first token."""
    return json.dumps({"machine": asdict(machine), "runs": [_run(run) for run in runs]}, indent=1) + "\n"


def _run(run: Run) -> dict[str, Any]:
    return asdict(run) | {"answers": [_answer(answer) for answer in run.answers]}


def _answer(answer: Answer) -> dict[str, Any]:
    story = asdict(answer.story) | {"steps": [[round(at, 4), seen] for at, seen in answer.curve]}
    return {"tokens": answer.tokens, "times_asked": answer.times_asked} | asdict(answer.figures) | story
