"""The models that people may see, choose and download."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from fnmatch import fnmatchcase

from bot.chat.model import LanguageModel, ModelDetails, ModelSummary, PullProgress
from bot.chat.parameters import shown
from bot.chat.sight import require_sight
from bot.errors import BadInput, ModelNotFound, NotAllowed


def same_model(name: str, other: str) -> bool:
    """Whether two names mean one model: Ollama takes a name without a tag as `:latest`."""
    return tagged(name) == tagged(other)


def tagged(name: str) -> str:
    """A model's name in full, by which two names of one model are equal."""
    name = name.strip().casefold()
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _matches(name: str, pattern: str) -> bool:
    """Whether a pattern allows a name. No wildcard crosses a slash: `llama3*` must not allow `llama3.evil.com/x/y`."""
    parts, patterns = name.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


class Models:
    """The Ollama server's models, and the operator's rule on which further ones may be downloaded."""

    def __init__(self, *, model: LanguageModel, pull_allowed: Sequence[str]) -> None:
        """Take the operator's allow-list as shell patterns, such as `llama3*` or `hf.co/*/*`; empty allows nothing."""
        self._model = model
        self._pull_allowed = pull_allowed

    async def all(self) -> list[ModelSummary]:
        """Every model that the Ollama server has, by name."""
        return await self._model.models()

    async def find(self, name: str) -> ModelSummary | None:
        """The Ollama server's model of that name."""
        return next((model for model in await self.all() if same_model(model.name, name)), None)

    async def get(self, name: str) -> ModelSummary:
        """Like `find`, but raises ModelNotFound that lists what there is."""
        if found := await self.find(name):
            return found
        names = ", ".join(f"`{model.name}`" for model in (await self.all())[:20]) or "none yet"
        # As code, because a link or a mention in a person's text must not become one.
        raise ModelNotFound(f"The Ollama server has no model `{shown(name)}`. It has {names}.")

    async def details(self, name: str) -> ModelDetails:
        """What one model can do."""
        return await self._model.details(name)

    async def require_sight(self, name: str) -> None:
        """Raise BadInput, with the models that can, where a model can't see images."""
        await require_sight(self._model, name)

    async def is_loaded(self, name: str) -> bool:
        """Whether a model is in memory now."""
        return any(same_model(loaded, name) for loaded in await self._model.loaded())

    def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model; closing the stream cancels it.

        Raises BadInput for something that is no name, NotAllowed where the operator's list does not have it.
        """
        name = name.strip()
        if not name or len(name) > 200 or any(character.isspace() for character in name):  # noqa: PLR2004
            raise BadInput("A model's name looks like `llama3.2` or `qwen3:4b`.")
        if not any(self._is_allowed(name, pattern) for pattern in self._pull_allowed):
            allowed = ", ".join(f"`{pattern}`" for pattern in self._pull_allowed)
            raise NotAllowed(
                f"The operator allows only these models to be downloaded: {allowed}."
                if allowed
                else "Downloading models is switched off; the operator allows names in OLLAMA_PULL_ALLOW."
            )
        return self._model.pull(name)

    @staticmethod
    def _is_allowed(name: str, pattern: str) -> bool:
        return _matches(name.casefold(), pattern.casefold()) or _matches(tagged(name), tagged(pattern))
