"""What is asked, how, and what goes wrong with the model meanwhile: all of it follows from a seed and a number."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from enum import StrEnum, auto

from benchmarks.text import compose

VARIETY = 240
"""So many different texts there are; an answer's first words tell it from all others."""

_QUESTION = re.compile(r"Question (\d+)\.")


class Way(StrEnum):
    """How a question is asked."""

    COMMAND = auto()
    WITH_FILE = auto()
    PRIVATE = auto()
    MENTION = auto()
    REPLY = auto()
    DIRECT = auto()


class Deed(StrEnum):
    """What a person does in the middle of an answer, or once it is there."""

    STOP = auto()
    REGENERATE = auto()
    CONTINUE = auto()
    DELETE = auto()
    DELETE_QUESTION = auto()
    DELETE_ANSWER = auto()
    DELETE_PLACE = auto()
    HIDE_PLACE = auto()
    EXPIRE = auto()
    """The command's token dies, as after 15 minutes."""


MEANWHILE = {
    Deed.STOP,
    Deed.DELETE_QUESTION,
    Deed.DELETE_ANSWER,
    Deed.DELETE_PLACE,
    Deed.HIDE_PLACE,
    Deed.EXPIRE,
}
DELETIONS = {Deed.DELETE_QUESTION, Deed.DELETE_ANSWER}
"""After them nothing of the answer is left."""

ENDS_THE_PLACE = {Deed.DELETE_PLACE, Deed.HIDE_PLACE}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure of Ollama (docs of its API, and what 0.9.3 really answers)."""

    name: str
    said: str = ""
    """What the bot must say of it; nothing where the answer is whole all the same."""
    status: int | None = None
    error: str = ""
    times: int = 9
    """How many requests in a row are refused with the status."""
    line: bytes | None = None
    """What comes in the stream in the middle of the answer."""
    hangs_up: bool = False
    ends: bool = False
    """Without the last line."""
    pause: float = 0.0
    """Seconds without a word, in the middle."""
    at_start: bool = False
    """Before the first word instead of in the middle."""
    done_reason: str = "stop"
    says_nothing: bool = False
    thinks: bool = False


_BROKE_OFF = "broke off before its end"
_NO_MEMORY = "can't hold"
FIRST_WORD, NEXT_WORD = 5.0, 3.0
"""Seconds that the bot waits for a word of the model; settings of the run."""

TROUBLES = (
    Trouble("no such model", "does not have the model", status=404, error="model 'x' not found"),
    Trouble("an option's type", "refuses one of the parameters", status=500, error='option "seed" must be of type int'),
    Trouble("an unreadable request", "Ollama failed at this", status=400, error="invalid character 'n' in literal"),
    Trouble("no thinking", "can't think the way", status=400, error='"x" does not support thinking'),
    Trouble("no sight", "can't read this image", status=500, error="image input is not supported - hint: mmproj"),
    Trouble("something new", "Ollama failed at this", status=500, error="something new"),
    Trouble("no memory", _NO_MEMORY, status=500, error="model requires more system memory (9 GiB) than is available"),
    Trouble("the runner died", _NO_MEMORY, status=500, error="llama-server process has terminated: exit status 2"),
    Trouble("busy for a moment", status=503, error="server busy, please try again.", times=1),
    Trouble("busy", "has too much to do", status=503, error="server busy, please try again."),
    Trouble("credentials", "refuses the bot's credentials", status=401, error="unauthorized"),
    Trouble("a proxy without Ollama", "finds no Ollama behind it", status=502, error="<html>502 Bad Gateway</html>"),
    Trouble("an impatient proxy", "gave up waiting for Ollama", status=504, error="<html>504</html>"),
    Trouble("hangs up before the first word", _BROKE_OFF, hangs_up=True, at_start=True),
    Trouble("never begins", "did not begin to answer", pause=60, at_start=True),
    Trouble("begins late", pause=2.5, at_start=True),
    Trouble(
        "an error for a first line",
        "Ollama failed at this",
        line=b'{"error":"an error was encountered while running the model"}\n',
        at_start=True,
    ),
    Trouble("says nothing", "said nothing", says_nothing=True),
    Trouble("an error line", "Ollama failed at this", line=b'{"error":"an error was encountered"}\n'),
    Trouble(
        "the model is unloaded",
        _NO_MEMORY,
        line=b'{"error":"model runner has unexpectedly stopped, this may be due to resource limitations"}\n',
    ),
    Trouble("out of memory in the middle", _NO_MEMORY, line=b'{"error":"CUDA error: out of memory"}\n'),
    Trouble("no last line", _BROKE_OFF, ends=True),
    Trouble("a proxy's page", _BROKE_OFF, line=b"<html>502 Bad Gateway</html>\n"),
    Trouble("half a line", _BROKE_OFF, line=b'{"message":\n'),
    Trouble("a list", _BROKE_OFF, line=b"[]\n"),
    Trouble("no text at all", _BROKE_OFF, line=b"\xff\xfe\x00\n"),
    Trouble("a wrong type", _BROKE_OFF, line=b'{"message": 1}\n'),
    Trouble("hangs up", _BROKE_OFF, hangs_up=True),
    Trouble("stands still", "stood still for", pause=60),
    Trouble("rests", pause=1.5),
    Trouble("the token limit", done_reason="length"),
    Trouble("the token limit, so that it can go on", done_reason="length"),
    Trouble("thinks first", thinks=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One question with all that is meant to happen to it."""

    number: int
    way: Way
    tokens: int
    code_heavy: bool
    rate: float
    trouble: Trouble | None
    deed: Deed | None

    @property
    def question(self) -> str:
        """What the person writes."""
        return f"Question {self.number}. Please answer it."


def plan(seed: int, number: int) -> Plan:
    """Question `number` of a run, whatever happened before."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311  # no secret: the same each time
    way = rng.choices(list(Way), weights=[30, 4, 8, 30, 14, 14])[0]
    tokens = rng.choice([12, 40, 80, 150, 300, 600, 1000] if rng.random() < 0.8 else [1400, 2600])
    trouble = rng.choice(TROUBLES) if rng.random() < 0.33 else None
    deed = _deed(rng, way, trouble) if rng.random() < 0.4 else None
    return Plan(number, way, tokens, rng.random() < 0.3, rng.choice([120.0, 250.0, 600.0]), trouble, deed)


def _deed(rng: random.Random, way: Way, trouble: Trouble | None) -> Deed | None:
    if way is Way.PRIVATE:
        return Deed.STOP if rng.random() < 0.5 else None  # it has no other button
    if trouble:
        return rng.choice([Deed.CONTINUE, Deed.REGENERATE, Deed.DELETE])
    deeds = [Deed.STOP, Deed.STOP, Deed.REGENERATE, Deed.REGENERATE, Deed.REGENERATE, Deed.DELETE, Deed.DELETE_ANSWER]
    if way in {Way.COMMAND, Way.MENTION}:
        deeds += ENDS_THE_PLACE
    deeds += [Deed.EXPIRE] if way is Way.COMMAND else []
    deeds += [Deed.DELETE_QUESTION] if way is Way.MENTION else []
    return rng.choice(deeds)


def tokens_of(it: Plan, attempt: int) -> tuple[str, ...]:
    """What the model writes when it is asked for the first time, the second time and so on."""
    text = compose((it.number * 7 + attempt * 61) % VARIETY, it.tokens, code_heavy=it.code_heavy)
    return (f"Answer {it.number}.", f"{attempt}: ", *text.tokens)


def number_in(prompt: str) -> int | None:
    """Which question a prompt ends with."""
    found = _QUESTION.findall(prompt)
    return int(found[-1]) if found else None
