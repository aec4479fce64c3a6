"""The one model as Ollama's lists and descriptions show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from playground.model.engine import WINDOW
from playground.model.gguf import ModelHead

_FOREVER = "2318-01-01T00:00:00Z"
# Ollama leaves these out, too: it has fields of their own for them.
_HIDDEN = ("tokenizer.chat_template", "general.name")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What there is to say about the model that is served."""

    file: Path
    head: ModelHead
    size: int
    digest: str
    modified_at: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """Read a model's file whole, which takes a fifth of a second. Raises NotAModelError."""
        head = ModelHead.read(file)
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stat = file.stat()
        modified_at = timestamp(datetime.fromtimestamp(stat.st_mtime, UTC))
        return cls(file, head, stat.st_size, digest, modified_at)

    @property
    def name(self) -> str:
        """The name that requests have to give."""
        return self.head.name

    @property
    def window(self) -> int:
        """How many tokens of context there are: the engine's share for one answer, or what the model was trained on."""
        return min(self.head.trained_context or WINDOW, WINDOW)

    def listed(self) -> Json:
        """Its entry in /api/tags."""
        return self._brief() | {"modified_at": self.modified_at}

    def loaded(self) -> Json:
        """Its entry in /api/ps: it stays loaded."""
        return self._brief() | {"expires_at": _FOREVER, "size_vram": 0, "context_length": self.window}

    def shown(self) -> Json:
        """/api/show."""
        info = {name: value for name, value in sorted(self.head.info.items()) if name not in _HIDDEN}
        # Not the length that it was trained on: who sends as much as is said here shall get an answer.
        window = {f"{self.head.architecture}.context_length": self.window}
        return {
            "modelfile": f"FROM {self.file}\nPARAMETER num_ctx {self.window}\n",
            "parameters": f"{'num_ctx':<30} {self.window}",
            "template": self.head.info.get("tokenizer.chat_template") or "",
            "details": self._details(),
            "model_info": info | window | {"general.parameter_count": self.head.parameter_count},
            "capabilities": ["completion"],
            "modified_at": self.modified_at,
        }

    def _brief(self) -> Json:
        return {
            "name": self.name,
            "model": self.name,
            "size": self.size,
            "digest": self.digest,
            "details": self._details(),
        }

    def _details(self) -> Json:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.head.architecture,
            "families": [self.head.architecture],
            "parameter_size": self.head.parameter_size,
            "quantization_level": self.head.quantization,
        }


def timestamp(at: datetime) -> str:
    """A time in the form that Ollama writes."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
