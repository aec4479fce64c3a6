"""All results as JSON, written and read: whatever the tables leave out is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from benchmarks.machine import Machine
from benchmarks.results import Answer, Run


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was found; moments are seconds from each answer's first token."""

    machine: Machine
    runs: list[Run]


_RESULTS = TypeAdapter(Results)


def raw(machine: Machine, runs: Sequence[Run]) -> str:
    """Write results down."""
    relative = [replace(run, answers=tuple(_relative(answer) for answer in run.answers)) for run in runs]
    return _RESULTS.dump_json(Results(machine, relative), indent=1).decode() + "\n"


def read(text: str) -> Results:
    """Take up what `raw` wrote."""
    return _RESULTS.validate_json(text)


def _relative(answer: Answer) -> Answer:
    steps = tuple((round(at, 4), seen) for at, seen in answer.curve)
    return replace(answer, first_token=0.0, story=replace(answer.story, steps=steps))
