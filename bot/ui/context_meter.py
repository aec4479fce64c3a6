"""What is remembered of a conversation and what of it goes to the model, in words that can be read aloud. No I/O."""

from __future__ import annotations

import discord

from bot.chat.context_meter import Reading
from bot.chat.history import speaker
from bot.chat.messages import Place, StoredMessage
from bot.chat.prompt import Prompt
from bot.delivery.pages import LIMIT
from bot.delivery.text import units
from bot.ui.responses import first_words, plain

OWN = "-# Each person has a conversation of their own here; this is yours."

SHOWN = 80
"""Characters of a message that are shown."""

_FEW = 20
"""Tokens that hardly any question has less of."""


def described(reading: Reading, place: Place) -> str:
    """The whole answer to `/history show`."""
    lines = [_reach(reading, place), *_window(reading)]
    if reading.trouble:
        lines.append(
            f"These figures are for the window that the operator set; a model that takes less gets fewer messages. "
            f"The model itself could not be asked: {reading.trouble}"
        )
    recent = [
        f"- **{plain(speaker(message))}**: {first_words(message.content, SHOWN)}"
        for message in reading.remembered.newest
    ]
    if recent:
        lines.append("The last messages:")
    own = [] if place.owner_id is None else [OWN]
    while recent and units("\n".join([*lines, *recent, *own])) > LIMIT:
        recent.pop(0)
    return "\n".join([*lines, *recent, *own])


def _reach(reading: Reading, place: Place) -> str:
    """How many messages go to the model, from which one on, why not all of them, and what helps."""
    total = reading.remembered.total
    if not total:
        return "Nothing is remembered of this conversation yet."
    if not reading.left_out:
        return f"{total} messages are remembered here. All of them go to the model with your next question."
    if reading.first:
        first = _linked(reading.first, reading.first_shown_at, place)
        goes = f"With your next question the newest {reading.sent} go to the model, from {first} on."
        rest = f"The {reading.left_out} before no longer go, because the context window was full; they"
    else:
        goes = "None of them goes to the model with your next question, because they don't fit into the context window."
        rest = "They"
    return (
        f"{total} messages are remembered here. {goes}\n{rest} stay remembered and in `/history export`. "
        f"{_help(reading)}, or begin anew with `/history clear`."
    )


def _linked(message: StoredMessage, shown_at: int | None, place: Place) -> str:
    """A message's first words, with a link to it where Discord has it."""
    words = f"**{plain(speaker(message))}**: “{first_words(message.content, SHOWN)}”"
    if shown_at is None:
        return words
    where = discord.MessageReference(message_id=shown_at, channel_id=place.channel_id, guild_id=place.guild_id)
    return f"{words} ({where.jump_url})"


def _help(reading: Reading) -> str:
    if reading.is_models_own:
        return "More fit into a model with a larger window: choose one with `/model use`"
    return "More fit into a larger window: ask the operator to raise `OLLAMA_NUM_CTX`"


def _window(reading: Reading) -> list[str]:
    """The context window, and what takes how much of it."""
    whose = "the most that this model takes" if reading.is_models_own else "as the operator set it"
    head = (
        f"The context window of **{plain(reading.profile.model.value)}** holds {reading.num_ctx:,} tokens, {whose}"
        " (a token is about ¾ of an English word)"
    )
    persona = plain(reading.profile.persona.value.name)
    if reading.prompt is None:
        alone = f"The system prompt of {persona} alone is too long for it, so no question can be answered."
        return [f"{head}. {alone} A shorter one helps (`/persona set`), or a larger window."]
    prompt = reading.prompt
    free = f"about {reading.num_ctx - prompt.beside_question:,}, of which the answer may take {prompt.num_predict:,}"
    return [
        f"{head}:",
        f"- system prompt of {persona}: about {prompt.system:,}",
        f"- remembered messages: about {prompt.beside_question - prompt.system:,}",
        f"- free for your question and the answer: {free}",
        _room(prompt),
    ]


def _room(prompt: Prompt) -> str:
    """How long a question may be so that what is said above holds."""
    if not prompt.remembered:
        return f"Your question can have up to about {prompt.room:,} tokens, files included."
    if prompt.room < _FEW:
        return "Your next question leaves out the older half of these messages, unless it is only a word or two."
    return (
        f"A question of up to about {prompt.room:,} tokens, files included, takes all these messages along; "
        "with a longer one, older messages are left out."
    )
