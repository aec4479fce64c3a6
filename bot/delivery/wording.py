"""What is said around an answer: the line while it grows, the footer at its end. Whole sentences, in one place."""

from __future__ import annotations

import math
import re

from bot.chat.answers import Finished, Limit, Step
from bot.chat.messages import EndReason
from bot.errors import BadInput, explain

_MINUTES, _HOURS = 120, 7200
"""Seconds from which on a guess is said in minutes, and in hours."""

HEADER_LENGTH = 300
"""Characters of a question that are repeated above the answer to a slash command, which shows no question itself."""

WRITING = "-# Writing…"

WRITING_FILE = "-# Writing… What does not fit here comes as a file."

FILE = "answer.md"

IN_FILE = f"-# The whole answer is in the file `{FILE}`."

CONTINUED = "-# Continued below, because Discord no longer lets this message change."

OUT_OF_TIME = "⚠️ Discord lets this message change for 15 minutes only, so the answer was cut off here."

REFUSED = (
    "⚠️ Discord does not let this text stand here; perhaps a rule of the server forbids it. "
    "“Save answer as file”, in this message's Apps menu, gives you what there is of the answer."
)

TAKEN_BACK = "-# Thoughts of the model stood here, which are no part of its answer."

INTERRUPTED = "⚠️ Interrupted by a restart of the bot."

BROKE_OFF = "⚠️ This answer broke off, because something failed while it was written."

PUT_OFF = "-# Waiting: the bot is being restarted. It answers this when it is back."

NOT_REACHED = "The bot was restarted before it came to this question. Please ask it again."

_READY = "Your answer is ready: "

_URL = re.compile(r"(https?://[^\s<>]{4,})")
_DIRECTIONS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Invisible characters that turn the direction of what follows: one could write that somebody else asked."""


def is_shortened(question: str) -> bool:
    """Whether the header can't repeat the whole question."""
    return len(" ".join(question.split())) > HEADER_LENGTH


def header(name: str, question: str) -> str:
    """The line above an answer that says who asked what, since Discord does not show a slash command's options."""
    shortened = is_shortened(question)
    question = " ".join(question.split())[: HEADER_LENGTH - 1 if shortened else None] + ("…" if shortened else "")
    return f"-# {_plain(' '.join(name.split()))} asked: {_plain(question)}"


def is_header(line: str) -> bool:
    """Whether a line says who asked what."""
    return line.startswith("-# ") and " asked: " in line


def without_status(content: str) -> str:
    """A message without the line at its end that says what goes on, if it has one."""
    text, _, last = content.rpartition("\n")
    return text if last.startswith("-# ") and not is_header(last) else content


def bare(content: str) -> str:
    """A message of an answer without what stands above and below its text, as far as that can be told apart."""
    first, _, rest = content.partition("\n")
    return without_status(rest if is_header(first) else content)


def _plain(text: str) -> str:
    """Text that stands for itself: nothing in it is Markdown, only addresses stay as they are."""
    parts = _URL.split(text.translate(_DIRECTIONS))
    return "".join(part if index % 2 else _escaped(part) for index, part in enumerate(parts))


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\*_~|`<>[]()#" else character for character in text)


def waiting(ahead: int, seconds: float | None = None) -> str:
    """The line while other answers come first, for about so long where that is known."""
    first = "one other answer comes" if ahead == 1 else f"{ahead} other answers come"
    return f"-# Waiting: {first} first{'' if seconds is None else f', about {_roughly(seconds)}'}."


def _roughly(seconds: float) -> str:
    """A guess, no finer than it is worth."""
    if seconds < _MINUTES:
        return f"{max(math.ceil(seconds / 5), 1) * 5} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < _HOURS else f"{math.ceil(seconds / 3600)} h"


def step(current: Step, model: str, seconds: int = 0) -> str:
    """The line while there is no text yet, for so many seconds where that is known."""
    return {
        Step.STARTING: "-# One moment…",
        Step.LOADING: f"-# Loading {model} into memory… this can take a minute the first time.",
        Step.READING: f"-# {model} is busy reading…",
        Step.THINKING: f"-# Thinking… {lasting(seconds)}" if seconds else "-# Thinking…",
    }[current]


def lasting(seconds: int) -> str:
    """A stretch of time, such as "12 s" or "2 min 5 s"."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def ready(url: str) -> str:
    """The message that says that an answer is ready."""
    return f"{_READY}{url}"


def is_ready(content: str) -> bool:
    """Whether a message says that an answer is ready."""
    return _READY in content


def nothing_said(finished: Finished) -> str:
    """What stands in place of an answer without any text."""
    thought = finished.thought_seconds is not None
    if finished.reason is EndReason.LENGTH:
        why = "on thinking" if thought else "most likely on thinking"
        return (
            f"*The model used up the room for its answer, {why}, and said nothing. "
            "Please ask again, or ask something simpler.*"
        )
    if thought:
        return "*The model thought, but gave no answer. Please ask again, or ask it differently.*"
    return "*The model said nothing. Please ask again, or ask it differently.*"


def silence(finished: Finished) -> BadInput | None:
    """The same as an error, where the model itself came to an end."""
    came_to_its_end = finished.reason in {EndReason.COMPLETE, EndReason.LENGTH}
    return BadInput(nothing_said(finished).strip("*")) if came_to_its_end else None


def footer(finished: Finished) -> str:
    """What stands below a finished answer: why it ended if it did not end by itself, then who answered."""
    lines = [line for line in (_trouble(finished), _signature(finished)) if line]
    return "\n".join(lines)


def _trouble(finished: Finished) -> str:
    match finished.reason:
        case EndReason.FAILED:
            # Of an answer that is shown once more nobody knows what it was.
            return f"⚠️ {explain(finished.error)}" if finished.error else BROKE_OFF
        case EndReason.INTERRUPTED:
            return interrupted(finished)
    return f"⚠️ {explain(finished.error)}" if finished.error else ""


def interrupted(finished: Finished) -> str:
    """What stands below an answer that a restart cut off, for as long as it is there; it names the buttons it has."""
    if finished.is_put_off:
        return PUT_OFF
    if not finished.is_kept:
        return f"{INTERRUPTED} Please ask again."
    return f"{INTERRUPTED} {'Continue goes on from here, ' if finished.has_text else ''}Regenerate begins anew."


def _signature(finished: Finished) -> str:
    parts = [part for part in (finished.model, finished.persona) if part]
    if finished.thought_seconds is not None:
        parts.append(f"thought for {lasting(max(int(finished.thought_seconds), 1))}")
    if finished.reason is EndReason.STOPPED:
        parts.append(
            f"stopped by {_plain(' '.join(finished.stopped_by.split()))}" if finished.stopped_by else "stopped"
        )
    if finished.limit is Limit.NUM_PREDICT and finished.num_predict:
        button = "Continue goes on, " if finished.is_kept and finished.has_text else ""
        parts.append(
            f"cut off at the token limit of {finished.num_predict}; {button}"
            f"`/settings set parameter:num_predict value:{finished.num_predict * 2}` allows more"
        )
    if finished.limit is Limit.CONTEXT_WINDOW:
        parts.append(
            "cut off because this conversation is as long as the model can read; "
            "`/history clear` forgets it and makes room"
        )
    if finished.left_out:
        parts.append("this conversation is longer than the model can read, so it no longer sees the oldest messages")
    return f"-# {' · '.join(parts)}" if parts else ""
