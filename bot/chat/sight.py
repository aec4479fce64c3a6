"""Images go only to models that can see them: the others make something up, or fail."""

from __future__ import annotations

import asyncio

from humanize import natural_list

from bot.chat.model import LanguageModel
from bot.chat.parameters import shown
from bot.errors import BadInput, ModelError

_MOST_NAMES = 20


async def require_sight(model: LanguageModel, name: str) -> None:
    """Raise BadInput, with the models that can, where the model of that name can't see images.

    Raises ModelError where it can't be asked.
    """
    if (await model.details(name)).can_see:
        return
    names = [summary.name for summary in await model.models()]
    can = await asyncio.gather(*(_can_see(model, other) for other in names))
    seeing = [f"`{other}`" for other, it_can in zip(names, can, strict=True) if it_can][:_MOST_NAMES]
    if not seeing:
        raise BadInput(f"“{shown(name)}” can't see images, and no other model of this Ollama server can.")
    raise BadInput(
        f"“{shown(name)}” can't see images, but {natural_list(seeing)} can. "
        "Whoever manages this channel can choose another model with `/model use`."
    )


async def _can_see(model: LanguageModel, name: str) -> bool:
    try:
        return (await model.details(name)).can_see
    except ModelError:  # one that fails is no help
        return False
