"""Errors whose text may be shown to the person who caused or met them.

LlampostError               one plain sentence: what is wrong and what to do; no secrets, no library's own text
├── SettingError            a setting in .env or the environment is missing or wrong
├── StorageError            the database can't be opened, is newer than the bot or locked; its backup can't be written
│   ├── DatabaseMissing     there is none yet, and nobody wanted one made
│   └── DatabaseDamaged     what is in the file can't be used; waiting does not help
├── BadInput                what a person gave is not allowed; the sentence says what is
│   └── PromptTooLong       the question can't fit into the model's context window
├── NotAllowed              the person lacks the Discord permission for it
├── QueueFull               too many questions are waiting already
├── LimitReached            the person asked, or used, as much as they may for now
└── ModelError              the model gave no (complete) answer
    ├── ModelUnreachable    no Ollama answers at OLLAMA_HOST
    ├── ModelNotFound       Ollama does not have this model
    ├── ModelBusy           Ollama refuses more work for now
    ├── ModelOutOfMemory    the machine can't hold the model
    ├── ModelStalled        nothing came for longer than the time limit
    ├── StreamBroken        the connection ended, or brought garbage, in the middle of an answer
    └── ModelFailed         anything else that Ollama reported
"""

import logging
import secrets

__all__ = [
    "BadInput",
    "DatabaseDamaged",
    "DatabaseMissing",
    "LimitReached",
    "LlampostError",
    "ModelBusy",
    "ModelError",
    "ModelFailed",
    "ModelNotFound",
    "ModelOutOfMemory",
    "ModelStalled",
    "ModelUnreachable",
    "NotAllowed",
    "PromptTooLong",
    "QueueFull",
    "SettingError",
    "StorageError",
    "StreamBroken",
    "explain",
]

log = logging.getLogger(__name__)


class LlampostError(Exception):
    """Base of all errors whose text is safe to show."""


class SettingError(LlampostError):
    """A setting is missing or wrong; the text names the variable."""


class StorageError(LlampostError):
    """The database can't be used as it is."""


class DatabaseMissing(StorageError):
    """There is no database yet, but there could be one."""


class DatabaseDamaged(StorageError):
    """The file is no database (any more); trying again does not help."""


class BadInput(LlampostError):
    """What a person gave is not allowed; the text says what is."""


class PromptTooLong(BadInput):
    """The question alone is larger than the context window leaves room for."""


class NotAllowed(LlampostError):
    """The person lacks a Discord permission; the text names it."""


class QueueFull(LlampostError):
    """Too many questions wait already."""


class LimitReached(LlampostError):
    """A person has to wait; the text says for how long."""

    def __init__(self, why: str, until: str, seconds: float) -> None:
        super().__init__(f"{why} {until}")
        self.why = why
        """Which limit that is, in a sentence that stays the same until it is another one."""
        self.seconds = seconds


class ModelError(LlampostError):
    """The model gave no answer, or no complete one."""


class ModelUnreachable(ModelError):
    """No Ollama answers at the configured address."""


class ModelNotFound(ModelError):
    """Ollama does not have the model."""


class ModelBusy(ModelError):
    """Ollama refuses more work for now (HTTP 503)."""


class ModelOutOfMemory(ModelError):
    """The machine can't hold the model or its context."""


class ModelStalled(ModelError):
    """Nothing came from the model within the time limit."""


class StreamBroken(ModelError):
    """The answer's stream ended in the middle or brought something unreadable."""


class ModelFailed(ModelError):
    """Ollama reported a failure of its own."""


def explain(error: BaseException | None) -> str:
    """The sentence for people. An error that is none of ours is logged in full with an id, and only the id is shown."""
    if isinstance(error, LlampostError):
        return str(error)
    error_id = secrets.token_hex(4)
    log.error("Unexpected error %s", error_id, exc_info=error)
    return f"Something unexpected went wrong. The operator finds it in the log as error {error_id}."
