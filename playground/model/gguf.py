"""What a model file says of itself: the head of a GGUF, as Ollama's `/api/show` tells it."""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_MAGIC = b"GGUF"
# Before version 2, lengths were numbers of 32 bits.
_OLDEST = 2
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# The most common of llama.cpp's file types; others are shown as "unknown", as Ollama does.
_QUANTIZATIONS = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 15: "Q4_K_M", 17: "Q5_K_M"}
_UNITS = ((1e9, "B", 1), (1e6, "M", 2), (1e3, "K", 0))

Value = int | float | bool | str | None


class NotAModelError(Exception):
    """A file is no model in GGUF; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class ModelHead:
    """A model's own description."""

    info: dict[str, Value]
    """Metadata by name; None stands for a list, since nobody reads 49,000 tokens."""
    parameter_count: int

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the head of a file. Raises NotAModelError."""
        try:
            with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return cls(*_Cursor(data).head())
        except OSError as wrong:
            raise NotAModelError(f"The model {file} can't be read: {wrong.strerror}.") from wrong
        except (ValueError, struct.error, KeyError) as wrong:
            raise NotAModelError(f"{file} is not a model in the GGUF format, or only a part of one.") from wrong

    @property
    def architecture(self) -> str:
        """The family of models that it belongs to, such as "llama"."""
        return str(self.info.get("general.architecture", "unknown"))

    @property
    def name(self) -> str:
        """The name that Ollama's library would give it, such as "smollm2:135m"."""
        family = self.info.get("general.basename") or self.info.get("general.name") or "model"
        size = self.info.get("general.size_label") or "latest"
        return "-".join(f"{family}:{size}".lower().split())

    @property
    def trained_context(self) -> int:
        """How many tokens it was trained to look back on."""
        return int(self.info.get(f"{self.architecture}.context_length") or 0)

    @property
    def parameter_size(self) -> str:
        """The number of its parameters for people, such as "134.52M"."""
        for unit, letter, digits in _UNITS:
            if self.parameter_count >= unit:
                return f"{self.parameter_count / unit:.{digits}f}{letter}"
        return str(self.parameter_count)

    @property
    def quantization(self) -> str:
        """How its parameters are stored, such as "Q4_1"."""
        kind = self.info.get("general.file_type")
        return _QUANTIZATIONS.get(kind, "unknown") if isinstance(kind, int) else "unknown"


class _Cursor:
    """Reads one thing after another from the beginning."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def head(self) -> tuple[dict[str, Value], int]:
        if self._take(len(_MAGIC)) != _MAGIC or int(self._number("I")) < _OLDEST:
            raise ValueError(_MAGIC)
        tensors, entries = self._length(), self._length()
        info = {self._string(): self._value(int(self._number("I"))) for _ in range(entries)}
        return info, sum(self._tensor() for _ in range(tensors))

    def _take(self, size: int) -> bytes:
        self._skip(size)
        return self._data[self._at - size : self._at]

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._data):
            raise ValueError("The file ends too early.")

    def _number(self, code: str) -> int | float | bool:
        number: int | float | bool
        (number,) = struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))
        # Shortest form of a 32-bit number: 0.00001 instead of 9.999999747378752e-06.
        return float(f"{number:.7g}") if code == "f" else number

    def _length(self) -> int:
        return int(self._number("Q"))

    def _string(self) -> str:
        return self._take(self._length()).decode("utf-8")

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            self._skip_array()
            return None
        return self._number(_NUMBERS[kind])

    def _skip_array(self) -> None:
        kind, length = int(self._number("I")), self._length()
        if kind in _NUMBERS:
            self._skip(length * struct.calcsize(f"<{_NUMBERS[kind]}"))
            return
        for _ in range(length):
            self._value(kind)

    def _tensor(self) -> int:
        """How many parameters the next tensor holds."""
        self._string()
        shape = [self._length() for _ in range(int(self._number("I")))]
        self._skip(struct.calcsize("<IQ"))
        return math.prod(shape)
