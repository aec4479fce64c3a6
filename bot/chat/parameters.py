"""The registry of model parameters that people may set.

One entry per parameter drives the `/settings` command, its autocomplete, the validation, the operator's environment
variables and the tables in the documentation. Everything is checked here because Ollama checks nothing: it takes
temperature -1 or top_p 5 without a word, and answers a wrong type with an internal error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import BadInput, SettingError

Value = float | int | str | list[str]
"""A parameter's value as Ollama takes it."""

RANDOM = "random"
MAX_SHOWN = 60
"""Characters of a wrong value that an error repeats."""

_MAX_SEED = 2**31 - 1
_MAX_STOPS = 4
_MAX_STOP_LENGTH = 40
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what it is called, what it takes, what it does."""

    name: str
    allowed: str
    """The allowed values in words; completes the sentence "temperature takes …"."""
    help: str
    """What it does, in one short sentence for people."""
    parse: Callable[[str], Value]
    """Turns a person's text into the value; raises ValueError."""
    examples: tuple[str, ...]
    """Values offered by autocomplete."""
    default: str | None = None
    """What the bot sends where nobody set anything; None leaves it to the model."""
    is_option: bool = True
    """Whether it travels in Ollama's `options`; keep_alive and think are fields of their own."""

    @property
    def variable(self) -> str:
        """The environment variable with which an operator sets the default."""
        return f"OLLAMA_{self.name.upper()}"

    def read(self, text: str) -> Value:
        """The value that a text stands for. Raises BadInput with the allowed values."""
        try:
            return self.parse(text.strip())
        except ValueError:
            raise BadInput(f"`{self.name}` takes {self.allowed}, not “{shown(text)}”.") from None


def shown(text: str) -> str:
    """A person's text, short and on one line, fit to be repeated inside a sentence."""
    text = " ".join(text.split()).replace("`", "'")
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        value = float(text.replace(",", "."))
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
            raise ValueError(text)
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def _seed(text: str) -> int | str:
    return RANDOM if text.casefold() == RANDOM else _integer(0, _MAX_SEED)(text)


def _stop(text: str) -> list[str]:
    r"""Sequences as a JSON list, or separated by `|`; `\n` in the second form stands for a line break."""
    stops = _json_list(text)
    if stops is None:
        stops = [part.strip().replace("\\n", "\n") for part in text.split("|")]
    if not 1 <= len(stops) <= _MAX_STOPS:
        raise ValueError(text)
    if not all(isinstance(stop, str) and 1 <= len(stop) <= _MAX_STOP_LENGTH for stop in stops):
        raise ValueError(text)
    "".join(stops).encode()  # half a surrogate pair can't be sent; UnicodeEncodeError is a ValueError
    return stops


def _json_list(text: str) -> list[Any] | None:
    """The elements of a JSON list; None for a text that only looks like one, such as `[INST]`."""
    if not text.startswith("["):
        return None
    try:
        return list(json.loads(text))
    except json.JSONDecodeError:
        if text.startswith('["'):
            raise
        return None
    except RecursionError as error:
        raise ValueError(text) from error


def _keep_alive(text: str) -> str:
    """A duration as Go writes it, 0, or -1 for ever; the server refuses anything else with a 400."""
    if text == "-1" or re.fullmatch(r"[0-9]{1,7}", text):
        return text
    if not re.fullmatch(r"(?:[0-9]{1,4}h)?(?:[0-9]{1,4}m)?(?:[0-9]{1,5}s)?", text) or not text:
        raise ValueError(text)
    return text


def _think(text: str) -> str:
    if (level := text.casefold()) not in {"off", "on", "low", "medium", "high"}:
        raise ValueError(text)
    return level


REGISTRY: Final[Mapping[str, Parameter]] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "temperature",
            "a number from 0 to 2",
            "How freely the model chooses its words: 0 is the same answer every time, 1 and above is inventive.",
            _number(0, 2),
            ("0", "0.2", "0.7", "1", "1.5"),
        ),
        Parameter(
            "seed",
            f"a whole number from 0 to {_MAX_SEED}, or random",
            "The same seed and the same question give the same answer; random gives another one each time.",
            _seed,
            (RANDOM, "42", "1", "7"),
            default=RANDOM,
        ),
        Parameter(
            "num_predict",
            "a whole number from 1 to 1000000",
            "The most tokens that an answer may have before it is cut off (a token is about ¾ of an English word).",
            _integer(1, 1_000_000),
            ("50", "256", "512", "1024", "2048"),
            default="1024",
        ),
        Parameter(
            "top_k",
            "a whole number from 0 to 1000",
            "Choose each word among the k likeliest only; 0 means among all.",
            _integer(0, 1000),
            ("0", "10", "40", "100"),
        ),
        Parameter(
            "top_p",
            "a number from 0 to 1",
            "Choose each word among the likeliest that together have this probability; 1 means among all.",
            _number(0, 1),
            ("0.5", "0.9", "0.95", "1"),
        ),
        Parameter(
            "min_p",
            "a number from 0 to 1",
            "Leave out words that are less likely than this share of the likeliest one; 0 leaves out none.",
            _number(0, 1),
            ("0", "0.05", "0.1"),
        ),
        Parameter(
            "repeat_penalty",
            "a number from 0 to 2",
            "Above 1 the model avoids words that it has just used; 1 means no penalty.",
            _number(0, 2),
            ("1", "1.1", "1.3"),
        ),
        Parameter(
            "repeat_last_n",
            "a whole number from -1 to 8192",
            "How many tokens back repetition is looked for; 0 means off, -1 the whole context window.",
            _integer(-1, 8192),
            ("0", "64", "256", "-1"),
        ),
        Parameter(
            "presence_penalty",
            "a number from -2 to 2",
            "Above 0 the model moves on to new words; below 0 it stays with those it has used.",
            _number(-2, 2),
            ("0", "0.5", "1"),
        ),
        Parameter(
            "frequency_penalty",
            "a number from -2 to 2",
            "Above 0 a word becomes less likely each time it is used.",
            _number(-2, 2),
            ("0", "0.5", "1"),
        ),
        Parameter(
            "stop",
            f"1 to {_MAX_STOPS} texts of at most {_MAX_STOP_LENGTH} characters, separated by | (or a JSON list)",
            "The answer ends as soon as the model writes one of these texts.",
            _stop,
            ("###", "\\n\\n", "User:|Question:"),
        ),
        Parameter(
            "keep_alive",
            "a duration such as 30s, 5m or 1h30m, a number of seconds, 0 to unload at once, or -1 for ever",
            "How long the model stays in memory after an answer, so that the next one starts quickly.",
            _keep_alive,
            ("5m", "30m", "2h", "-1", "0"),
            is_option=False,
        ),
        Parameter(
            "think",
            "off, on, low, medium or high",
            "Whether a thinking model thinks before it answers, and how hard.",
            _think,
            ("off", "on", "low", "medium", "high"),
            default="off",
            is_option=False,
        ),
    )
}


def parameter(name: str, among: Mapping[str, Parameter] = REGISTRY) -> Parameter:
    """The parameter of that name. Raises BadInput that lists all, or says whose num_ctx is."""
    key = name.strip().casefold().replace("-", "_").replace(" ", "_")
    if key in among:
        return among[key]
    if key == "num_ctx":
        raise BadInput(
            "`num_ctx` is one value for everybody, because each change reloads the model: "
            "the operator sets it as OLLAMA_NUM_CTX."
        )
    raise BadInput(f"There is no parameter “{shown(name)}”. There are {', '.join(f'`{key}`' for key in among)}.")


def operator_defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """The texts of all parameters that the operator's environment sets. Raises SettingError for a wrong one."""
    defaults = {}
    for entry in REGISTRY.values():
        if text := environment.get(entry.variable, "").strip():
            try:
                entry.parse(text)
            except ValueError:
                raise SettingError(f"{entry.variable} takes {entry.allowed}, not “{shown(text)}”.") from None
            defaults[entry.name] = text
    return defaults


def display(value: Value) -> str:
    """A value as people write it; `read` gives it back."""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
