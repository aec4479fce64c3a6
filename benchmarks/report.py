"""The figures as Markdown."""

from collections.abc import Callable, Sequence

from benchmarks.machine import Machine
from benchmarks.results import Answer, Lateness, Run, Summary
from benchmarks.scenarios import MODEL_DELAY, ROUND_TRIP

_MIB = 1024 * 1024

_FIGURES = (
    "scenario",
    "bot",
    "question to model",
    "first token to first text",
    "staleness mean / max",
    "last token to full text",
    "429s",
    "exact answers",
    "torn frames / open fences / left over",
    "edits an answer",
    "CPU ms a token",
    "peak MiB",
)
_HARNESS = (
    "scenario",
    "bot",
    "tokens late 99 % / worst",
    "Discord late 99 % / worst",
    "CPU cores: bot",
    "Discord",
    "model",
    "others",
)

_WORDS = f"""\
Times in seconds. Each figure is the median of the runs, a run's the median of its answers; in brackets is the worst
answer of all runs. Counts are of all runs.
Simulated round trip {ROUND_TRIP * 1000:.0f} ms, half of it before Discord acts; 5 calls per 5 s and bucket, 50 a second
in all. The model begins {MODEL_DELAY:g} s after it is asked and then writes each token at its time. All questions of a
scenario are asked at the same moment, after one short answer as a warm-up. *naive* edits once a second from within the
loop that reads the model.

- Answers are up to 5 % longer or shorter than the scenario says, so that no bot's rhythm fits their end by chance.
- *Question to model* plus *first token to first text* is the time to the first text beyond the model's own delay.
- *Staleness*: (tokens written - tokens visible) / rate, from the first token written to the last; mean and maximum.
- *Exact*: the final messages give the model's text, to the character, apart from whitespace where two messages join.
- *Torn frames*: states that do not show the text from its beginning on; *open fences*: states in which a code block
  is not closed; *left over*: final messages with a cursor or a line that says that more is to come.
- *CPU* is that of the bot's process, user and system, from the first question to the last answer's end."""

_PUNCTUALITY = """\
How late tokens left the scripted model and how late the loopback Discord's event loop was, in milliseconds; and how
many cores everybody used. Trust the times of runs in which tokens were punctual and the others idle."""


def report(machine: Machine, found: Sequence[Summary]) -> str:
    """Write everything."""
    repeats = max((len(summary.runs) for summary in found), default=0)
    parts = [
        "# Benchmark",
        _about(machine, repeats),
        table(_FIGURES, [_figures(summary) for summary in found]),
        _WORDS,
        "## The harness itself",
        _PUNCTUALITY,
        table(_HARNESS, [_harness(summary) for summary in found]),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _about(machine: Machine, repeats: int) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in machine.libraries.items())
    return (
        f"{machine.date}; {machine.cores} cores of {machine.cpu}, load {machine.load:.1f} at the beginning; "
        f"{machine.system}; Python {machine.python}, {libraries}; Llampost {machine.revision}; "
        f"{repeats} {'run' if repeats == 1 else 'runs'} each."
    )


def _figures(summary: Summary) -> list[str]:
    run = summary.runs[0]
    mean = summary.median(lambda answer: answer.figures.staleness.mean)
    most = summary.median(lambda answer: answer.figures.staleness.worst)
    faults = (
        summary.total(lambda answer: answer.story.torn_frames),
        summary.total(lambda answer: answer.story.open_fences),
        summary.total(lambda answer: answer.story.left_over),
    )
    return [
        run.scenario.title,
        run.bot,
        _seconds(summary.median(lambda answer: answer.figures.to_model)),
        _with_worst(summary, lambda answer: answer.figures.first_text),
        f"{_seconds(mean)} / {_seconds(most)}",
        _with_worst(summary, lambda answer: answer.figures.last_text),
        str(sum(run.rate_limit_hits for run in summary.runs)),
        _exact(summary),
        " / ".join(map(str, faults)),
        _number(summary.median(lambda answer: answer.story.frames), 0),
        _number(summary.middle(lambda run: run.cpu_ms_per_token), 2),
        _number(summary.middle(lambda run: None if run.peak_memory is None else run.peak_memory / _MIB), 0),
    ]


def _with_worst(summary: Summary, figure: Callable[[Answer], float | None]) -> str:
    return f"{_seconds(summary.median(figure))} ({_seconds(summary.most(figure))})"


def _exact(summary: Summary) -> str:
    """How many answers are exact, and what is wrong with the others, in words of text."""
    asked = sum(len(run.answers) for run in summary.runs)
    told = f"{asked - sum(run.wrong for run in summary.runs)} of {asked}"
    counts = {
        "lost": summary.total(lambda answer: answer.story.verdict.lost),
        "doubled": summary.total(lambda answer: answer.story.verdict.doubled),
        "reordered": summary.total(lambda answer: answer.story.verdict.reordered),
        "foreign": summary.total(lambda answer: answer.story.verdict.foreign),
        "altered": summary.total(lambda answer: answer.story.verdict.altered),
    }
    wrong = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{told} ({wrong})" if wrong else told


def _harness(summary: Summary) -> list[str]:
    run = summary.runs[0]
    return [
        run.scenario.title,
        run.bot,
        _late([one.load.tokens_late for one in summary.runs]),
        _late([one.load.discord_late for one in summary.runs]),
        _number(summary.middle(lambda one: one.load.bot), 2),
        _number(summary.middle(lambda one: one.load.discord), 2),
        _number(summary.middle(lambda one: one.load.ollama), 2),
        _number(summary.middle(lambda one: one.load.others), 2),
    ]


def _late(found: Sequence[Lateness]) -> str:
    return f"{max(one.most for one in found) * 1000:.1f} / {max(one.worst for one in found) * 1000:.1f}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"


def _number(value: float | None, digits: int) -> str:
    return "?" if value is None else f"{value:.{digits}f}"


def line(run: Run) -> str:
    """One run in one line, for somebody who waits."""
    staleness = run.median(lambda answer: answer.figures.staleness.mean)
    return (
        f"{run.scenario.name} {run.bot} {run.repeat}: {run.seconds:.1f} s, "
        f"first text {_seconds(run.median(lambda answer: answer.figures.first_text))}, "
        f"staleness {_seconds(staleness)}, last {_seconds(run.median(lambda answer: answer.figures.last_text))}, "
        f"{run.rate_limit_hits} 429s, {len(run.answers) - run.wrong} of {len(run.answers)} exact"
    )
