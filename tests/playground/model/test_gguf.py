"""Reading a model's own description."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.model.gguf import ModelHead, NotAModelError


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def string(name: str, value: str) -> bytes:
    return entry(name, 8, text(value))


def number(name: str, value: int) -> bytes:
    return entry(name, 4, struct.pack("<I", value))


def gguf(*entries: bytes, shapes: tuple[tuple[int, ...], ...] = ()) -> bytes:
    tensors = b"".join(
        text(f"t{n}") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0) for n, shape in enumerate(shapes)
    )
    return b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(entries)) + b"".join(entries) + tensors


WHOLE = gguf(
    string("general.architecture", "llama"),
    string("general.basename", "Tiny Talker"),
    string("general.size_label", "1.5B"),
    number("general.file_type", 15),
    number("llama.context_length", 2048),
    entry("llama.epsilon", 6, struct.pack("<f", 1e-5)),
    entry("tokenizer.tokens", 9, struct.pack("<IQ", 8, 3) + text("a") + text("ł") + text("")),
    entry("tokenizer.types", 9, struct.pack("<IQii", 5, 2, 1, -1)),
    entry("tokenizer.add", 7, b"\1"),
    shapes=((500, 1000, 3), (43_000,)),
)


def head_of(folder: Path, data: bytes) -> ModelHead:
    file = folder / "model.gguf"
    file.write_bytes(data)
    return ModelHead.read(file)


def test_a_model_tells_what_it_is(tmp_path: Path) -> None:
    head = head_of(tmp_path, WHOLE + b"weights")

    assert head.name == "tiny-talker:1.5b"
    assert (head.architecture, head.trained_context, head.quantization) == ("llama", 2048, "Q4_K_M")
    assert (head.parameter_count, head.parameter_size) == (1_543_000, "1.54M")
    assert head.info["llama.epsilon"] == 0.00001
    assert head.info["tokenizer.tokens"] is None
    assert head.info["tokenizer.add"] is True


@pytest.mark.parametrize(
    ("shape", "shown"), [((999,), "999"), ((5_000,), "5K"), ((134_515_008,), "134.52M"), ((8_030_261_248,), "8.0B")]
)
def test_sizes_are_shown_as_ollama_does(tmp_path: Path, shape: tuple[int], shown: str) -> None:
    assert head_of(tmp_path, gguf(shapes=(shape,))).parameter_size == shown


def test_a_model_that_tells_little_has_a_name_all_the_same(tmp_path: Path) -> None:
    head = head_of(tmp_path, gguf())

    assert (head.name, head.architecture, head.trained_context, head.quantization) == (
        "model:latest",
        "unknown",
        0,
        "unknown",
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, len(WHOLE) - 1))
def test_no_part_of_a_model_is_taken_for_one(tmp_path: Path, length: int) -> None:
    with pytest.raises(NotAModelError, match="not a model"):
        head_of(tmp_path, WHOLE[:length])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(4, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_damaged_model_never_crashes_the_reader(tmp_path: Path, at: int, byte: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] = byte
    with suppress(NotAModelError):
        head_of(tmp_path, bytes(damaged))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAModelError, match=r"gone\.gguf can't be read: No such file"):
        ModelHead.read(tmp_path / "gone.gguf")
