"""What the error replies of Ollama, or of a proxy before it, mean: their texts and HTTP statuses.

The wording changes from version to version, so texts are matched loosely.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from bot.errors import (
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNotFound,
    ModelOutOfMemory,
    ModelStalled,
    ModelUnreachable,
)

__all__ = ["BUSY", "CHECK", "FAILED", "from_reply"]

CHECK = "Ask the operator to check it; `python -m bot check` tells more."
BUSY = "Ollama has too much to do and takes no more work for now. Ask again in a minute."
FAILED = "Ollama failed at this. Ask again; if it happens often, ask the operator to look into the bot's log."
_REDIRECT = "{address} sends the bot to another address. Ask the operator to set OLLAMA_HOST to that one."
_NOT_OLLAMA = "What answers at {address} is not Ollama. " + CHECK
_REFUSED = (
    "Ollama at {address} refuses the bot's credentials. "
    "Ask the operator to check the user name and password in OLLAMA_HOST."
)
_NO_MEMORY = (
    "The machine that runs Ollama can't hold “{model}”; most likely it lacks memory. "
    "Pick a smaller model with `/model use`, or ask the operator to lower OLLAMA_NUM_CTX."
)
_GATEWAY_TIMEOUT = (
    "The proxy at {address} gave up waiting for Ollama. "
    "Ask again; if it happens often, ask the operator to raise the proxy's read timeout."
)
_TOO_LONG = (
    "The conversation does not fit into the context window of “{model}”. "
    "Begin anew with `/history clear`, or ask the operator to raise OLLAMA_NUM_CTX."
)
_NOT_FOUND = (
    "Ollama does not have the model “{model}”. "
    "Pick one with `/model use`, or ask a server manager to run `/model pull {model}`."
)

_BY_STATUS: dict[int, tuple[type[ModelError], str]] = {
    401: (ModelUnreachable, _REFUSED),
    403: (ModelUnreachable, _REFUSED),
    404: (ModelUnreachable, _NOT_OLLAMA),
    405: (ModelUnreachable, _NOT_OLLAMA),
    407: (ModelUnreachable, _REFUSED),
    429: (ModelBusy, BUSY),
    502: (ModelUnreachable, "The proxy at {address} finds no Ollama behind it. " + CHECK),
    503: (ModelBusy, BUSY),
    504: (ModelStalled, _GATEWAY_TIMEOUT),
}


def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Texts of Ollama 0.9.3 as measured, and of later versions from their source and from users' reports.
_BY_TEXT: tuple[tuple[re.Pattern[str], type[ModelError], str], ...] = (
    (
        _text(r"pull model manifest.*(not exist|not found|404)|manifest unknown"),
        ModelNotFound,
        "Ollama's library has no model “{model}”. Look up its name at <https://ollama.com/library>.",
    ),
    (
        _text(r"invalid model (name|path)|model is required"),
        ModelNotFound,
        "“{model}” can't be a model's name. `/model list` shows those that there are.",
    ),
    (_text(r"model\b.*\bnot found|try pulling"), ModelNotFound, _NOT_FOUND),
    (
        _text(r"support thinking|\bthink\b.*\b(type bool|invalid|value)|think value"),
        ModelFailed,
        "“{model}” can't think the way it is asked to; `/settings set parameter:think value:off` always works.",
    ),
    (
        _text(
            r"support (image|vision)|image input|illegal base64|unable to decode image|failed to process (image|input)"
        ),
        ModelFailed,
        "“{model}” can't read this image. Ask without it, or pick a model that sees with `/model use`.",
    ),
    (_text(r"support tools"), ModelFailed, "“{model}” can't use tools. Pick another with `/model use`."),
    (
        _text(r"requires a subscription"),
        ModelFailed,
        "“{model}” runs in Ollama's cloud, for those who pay for it. Pick another with `/model use`.",
    ),
    (
        _text(r"does not support (chat|generate|completion)"),
        ModelFailed,
        "“{model}” can't chat. Pick another with `/model use`.",
    ),
    (
        _text(r"longer than the context|exceeds? the (available )?context|context length exceeded"),
        ModelFailed,
        _TOO_LONG,
    ),
    (
        _text(r"unknown model architecture|unsupported (model|architecture)|newer version of ollama"),
        ModelFailed,
        "This Ollama is too old for “{model}”. Pick another with `/model use`, or ask the operator to update Ollama.",
    ),
    (
        _text(r"\boption\b.*must be|unknown (unit|option)|invalid (duration|option)|missing unit"),
        ModelFailed,
        "Ollama refuses one of the parameters. Look at them with `/settings show`; `/settings reset` takes them back.",
    ),
    (
        _text(
            r"out of memory|(requires?|needs?) more .*memory|(not enough|insufficient|cannot allocate) .*memory"
            r"|(unable|failed) to (re)?(allocate|reserve)|cudamalloc|\boom\b|resource limitations|signal: killed"
            r"|(runner|llama-server) process (has terminated|no longer running)|unexpectedly stopped"
        ),
        ModelOutOfMemory,
        _NO_MEMORY,
    ),
    (_text(r"server busy|maximum pending requests|overloaded"), ModelBusy, BUSY),
    (
        _text(r"no space left"),
        ModelFailed,
        "The disk of the machine that runs Ollama is full. Ask the operator to make room.",
    ),
)


def from_reply(status: int, text: str, *, model: str, address: str) -> ModelError:
    """The error that a reply stands for: its text decides first, since one status has many causes.

    The status is -1 where the text came as a line in the middle of a stream (ollama 0.6.3).
    """
    kind, sentence = _BY_STATUS.get(status, (ModelFailed, FAILED))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        kind, sentence = ModelUnreachable, _REDIRECT
    if not text.lstrip().startswith("<"):  # a proxy's page may hold any word
        meanings = ((kind, sentence) for pattern, kind, sentence in _BY_TEXT if pattern.search(text))
        kind, sentence = next(meanings, (kind, sentence))
    return kind(sentence.format(model=model, address=address))
