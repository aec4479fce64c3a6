"""The figures as Markdown."""

from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.machine import Machine
from benchmarks.results import Answer, Lateness, Run, Summary
from benchmarks.scenarios import MODEL_DELAY, ROUND_TRIP, USUAL_RATE, USUAL_TOKENS
from benchmarks.targets import CPU, DELAYS, FAULTS, FIGURES, Check, checks

_MIB = 1024 * 1024

_OVERVIEW = (
    "answers at once",
    "bot",
    "first text",
    "staleness mean / max",
    "last text",
    "429s",
    "exact",
    "CPU ms a token",
)
_DETAILS = (
    "scenario",
    "bot",
    "question to model",
    "first token to first text (worst)",
    "last token to full text (worst)",
    "torn frames / open fences / left over",
    "edits an answer",
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

_COLUMNS = f"""\
Seconds; medians of the runs, each the median of its answers; the numbers of 429s and of exact answers are of all runs.
Answers have about {USUAL_TOKENS} tokens at {USUAL_RATE:g} a second where nothing else is said.
*First text*: from the question to the first visible text, without the model's own delay.
*Staleness*: how far what is visible lags behind what the model has written.
*Last text*: from the last token written to the full text."""

_WORDS = f"""\
In brackets is the worst answer of all runs; counts are of all runs.
Simulated round trip {ROUND_TRIP * 1000:.0f} ms, half of it before Discord acts; 5 calls per 5 s and bucket, 50 a second
in all. The model begins {MODEL_DELAY:g} s after it is asked and then writes each token at its time. All questions of a
scenario are asked at the same moment, after one short answer as a warm-up. *Naive* edits once a second from within the
loop that reads the model. What all this means is in docs/benchmark.md.

- *Question to model* plus *first token to first text* is *first text* of the table above.
- *Torn frames*: states that do not show the text from its beginning on; *open fences*: states in which a code block
  is not closed; *left over*: final messages with a cursor or a line that says that more is to come.
- *CPU* is that of the bot's process, user and system, from the first question to the last answer's end."""

_TARGETS = """\
Each figure beside the strictest of its limits: a number, the naive bot's figure in the same run, or, for 50 answers,
that of one answer alone and 20 % more. Faults are 429s, answers that are not exact, open fences and messages that were
left looking unfinished."""

_PUNCTUALITY = """\
How late tokens left the scripted model and how late the loopback Discord's event loop was, in milliseconds; and how
many cores everybody used. Trust the times of runs in which tokens were punctual and the others idle."""


def report(machine: Machine, found: Sequence[Summary]) -> str:
    """Write everything."""
    made = checks(found)
    parts = [
        "# Benchmark",
        overview(machine, found),
        "## Targets",
        _TARGETS,
        f"{sum(check.met for check in made)} of {len(made)} are met.",
        _verdicts(made),
        "## Details",
        table(_DETAILS, [_details(summary) for summary in found]),
        _WORDS,
        "## The harness itself",
        _about(machine),
        _PUNCTUALITY,
        table(_HARNESS, [_harness(summary) for summary in found]),
    ]
    return "\n\n".join(parts) + "\n"


def overview(machine: Machine, found: Sequence[Summary]) -> str:
    """Write the figures that matter to somebody who wants to use the bot, and on what they were measured."""
    measured = (
        f"{machine.date}, {machine.cores} cores of {machine.cpu}, Python {machine.python}, "
        f"discord.py {machine.libraries.get('discord.py', '?')}; {_repeats(found)}."
    )
    return "\n\n".join([table(_OVERVIEW, [_row(summary) for summary in found]), f"{_COLUMNS}\n{measured}"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _repeats(found: Sequence[Summary]) -> str:
    """How often it was measured, and what was measured less or more often than most."""
    counts = {summary.scenario.label: len(summary.runs) for summary in found}
    usual = Counter(counts.values()).most_common(1)[0][0] if counts else 0
    others = "".join(f", {count} of {label}" for label, count in counts.items() if count != usual)
    return f"{usual} {'run' if usual == 1 else 'runs'} each{others}"


def _about(machine: Machine) -> str:
    libraries = ", ".join(f"{name} {number}" for name, number in machine.libraries.items())
    return f"Load {machine.load:.1f} at the beginning; {machine.system}; {libraries}; Llampost {machine.revision}."


def _row(summary: Summary) -> list[str]:
    first, mean, most, last = (_seconds(figure(summary)) for figure in DELAYS.values())
    return [
        summary.scenario.label,
        summary.name,
        first,
        f"{mean} / {most}",
        last,
        str(sum(run.rate_limit_hits for run in summary.runs)),
        _exact(summary),
        _number(FIGURES[CPU](summary), 2),
    ]


def _verdicts(made: Sequence[Check]) -> str:
    rows: dict[str, dict[str, str]] = {}
    for check in made:
        rows.setdefault(check.scenario.label, {})[check.figure] = str(check)
    names = [*DELAYS, CPU, FAULTS]
    return table(["scenario", *names], [[label, *(row.get(name, "") for name in names)] for label, row in rows.items()])


def _details(summary: Summary) -> list[str]:
    faults = (
        summary.total(lambda answer: answer.story.torn_frames),
        summary.total(lambda answer: answer.story.open_fences),
        summary.total(lambda answer: answer.story.left_over),
    )
    return [
        summary.scenario.title,
        summary.name,
        _seconds(summary.median(lambda answer: answer.figures.to_model)),
        _with_worst(summary, lambda answer: answer.figures.first_text),
        _with_worst(summary, lambda answer: answer.figures.last_text),
        " / ".join(map(str, faults)),
        _number(summary.median(lambda answer: answer.story.frames), 0),
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
    return [
        summary.scenario.title,
        summary.name,
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
        f"first text {_seconds(run.median(lambda answer: answer.figures.wait))}, "
        f"staleness {_seconds(staleness)}, last {_seconds(run.median(lambda answer: answer.figures.last_text))}, "
        f"{run.rate_limit_hits} 429s, {len(run.answers) - run.wrong} of {len(run.answers)} exact"
    )
