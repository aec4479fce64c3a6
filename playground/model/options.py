"""Ollama's options as the engine's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from playground.model.engine import WINDOW


class WrongOptionError(Exception):
    """An option is of another type than Ollama takes; the text is Ollama's own."""


class _Option(NamedTuple):
    kind: Literal["float32", "integer", "array"]
    default: object
    name: str
    """The engine's name; empty for what is fixed when the model is loaded."""


# Defaults of Ollama 0.9.3. Ranges are not checked, as there.
_OPTIONS: dict[str, _Option] = {
    "temperature": _Option("float32", 0.8, "temperature"),
    "top_k": _Option("integer", 40, "top_k"),
    "top_p": _Option("float32", 0.9, "top_p"),
    "min_p": _Option("float32", 0.0, "min_p"),
    "typical_p": _Option("float32", 1.0, "typical_p"),
    "repeat_penalty": _Option("float32", 1.1, "repeat_penalty"),
    "repeat_last_n": _Option("integer", 64, "repeat_last_n"),
    "presence_penalty": _Option("float32", 0.0, "presence_penalty"),
    "frequency_penalty": _Option("float32", 0.0, "frequency_penalty"),
    "seed": _Option("integer", -1, "seed"),
    "stop": _Option("array", [], "stop"),
    "num_predict": _Option("integer", -1, "max_tokens"),
    "num_ctx": _Option("integer", WINDOW, ""),
}


def sampling(options: Mapping[str, object]) -> dict[str, object]:
    """What the engine is to be told; unknown options are left out, as Ollama does. Raises WrongOptionError."""
    values = {name: _value(name, option, options.get(name)) for name, option in _OPTIONS.items()}
    # 0 and any negative number mean: until the model ends, or the context window is full.
    values["num_predict"] = max(_int(values["num_predict"]), 0) or -1
    values["repeat_last_n"] = WINDOW if _int(values["repeat_last_n"]) < 0 else values["repeat_last_n"]
    # The engine's seed has 32 bits without a sign; -1 becomes the one that stands for "any".
    values["seed"] = _int(values["seed"]) & 0xFFFFFFFF
    return {option.name: values[name] for name, option in _OPTIONS.items() if option.name}


def _value(name: str, option: _Option, given: object) -> object:
    if given is None:
        return option.default
    if option.kind == "array":
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return given
    elif isinstance(given, int | float) and not isinstance(given, bool):
        return int(given) if option.kind == "integer" else float(given)
    raise WrongOptionError(f'option "{name}" must be of type {option.kind}')


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
