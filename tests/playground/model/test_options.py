"""Ollama's options on their way to the engine, and what the machine must have."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.model.engine import WINDOW
from playground.model.machine import has_avx2
from playground.model.options import WrongOptionError, sampling

FLOATS = ["temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"]


def test_without_options_ollamas_defaults_hold() -> None:
    assert sampling({}) == {
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_penalty": 1.1,
        "repeat_last_n": 64,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": 0xFFFFFFFF,
        "stop": [],
        "max_tokens": -1,
    }


@given(name=st.sampled_from(FLOATS), value=st.floats(-10, 10))
def test_numbers_pass_as_they_are(name: str, value: float) -> None:
    assert sampling({name: value})[name] == value


@given(name=st.sampled_from([*FLOATS, "seed", "num_predict", "num_ctx", "top_k"]), value=st.text() | st.booleans())
def test_a_wrong_type_is_refused_in_ollamas_words(name: str, value: object) -> None:
    with pytest.raises(WrongOptionError, match=f'^option "{name}" must be of type (float32|integer)$'):
        sampling({name: value})


@pytest.mark.parametrize(
    ("option", "given_value", "engine", "expected"),
    [
        ("num_predict", 1.7, "max_tokens", 1),
        ("num_predict", 0, "max_tokens", -1),
        ("num_predict", -2, "max_tokens", -1),
        ("repeat_last_n", -1, "repeat_last_n", WINDOW),
        ("repeat_last_n", 0, "repeat_last_n", 0),
        ("seed", 42, "seed", 42),
        ("seed", 2**32 + 5, "seed", 5),
        ("stop", ["."], "stop", ["."]),
        ("temperature", None, "temperature", 0.8),
        ("top_k", 3.9, "top_k", 3),
    ],
)
def test_options_become_what_the_engine_takes(option: str, given_value: object, engine: str, expected: object) -> None:
    assert sampling({option: given_value})[engine] == expected


def test_unknown_options_are_left_out() -> None:
    assert sampling({"num_gpu": 5, "mirostat": 1}) == sampling({})


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("flags\t\t: fpu sse4_2 avx avx2 bmi2\n", True),
        ("flags\t\t: fpu sse4_2 avx\n", False),
        ("Features\t: fp asimd\n", True),
        (None, True),
    ],
)
def test_a_processor_without_avx2_is_found_out(tmp_path: Path, text: str | None, fits: bool) -> None:
    if text:
        (tmp_path / "cpuinfo").write_text(text)

    assert has_avx2(tmp_path / "cpuinfo") is fits
