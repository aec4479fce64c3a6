"""How an answer came to be, in plain words, and the two buttons that lead there. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Self

import discord

from bot.chat.messages import EndReason, Receipt
from bot.chat.parameters import REGISTRY, display
from bot.chat.profiles import MODEL, PERSONA
from bot.chat.receipts import Details, short
from bot.ui.responses import plain

DETAILS, REPLAY = "details", "replay"

LABELS = {DETAILS: "Details", REPLAY: "Replay"}

_ENDS = {
    EndReason.COMPLETE: "the model ended it",
    EndReason.STOPPED: "somebody stopped it",
    EndReason.INTERRUPTED: "interrupted, because the bot was restarted",
    EndReason.FAILED: "something failed while it was written",
}

_LOADED = 0.1
"""Seconds of loading that are not worth a word: the model was in memory."""

_ONE_DIGIT = 10


class DetailsButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"(?P<action>details|replay):(?P<answer_id>[0-9]{1,18})",
):
    """Works after a restart too, since its id says which answer it is about.

    A press becomes the bot's event `details_pressed` or `replay_pressed`, with the interaction and the answer's id.
    """

    def __init__(self, answer_id: int, action: str = DETAILS) -> None:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=LABELS[action], style=discord.ButtonStyle.secondary, custom_id=f"{action}:{answer_id}"
        )
        super().__init__(button)
        self._action = action
        self._answer_id = answer_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003  # discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
        /,
    ) -> Self:
        """The button that somebody pressed."""
        return cls(int(match["answer_id"]), match["action"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Pass it on."""
        interaction.client.dispatch(f"{self._action}_pressed", interaction, self._answer_id)


def details_text(details: Details) -> str:
    """Everything that is known of how an answer came to be, one line for each thing."""
    receipt = details.receipt
    lines = {
        "Model": f"{plain(receipt.model)}{_from(receipt, MODEL)}, digest `{short(receipt.digest)}`",
        "Persona": _persona(receipt) + _from(receipt, PERSONA),
        "Options": ", ".join(_options(receipt)),
        "Left to the model": ", ".join(_left(receipt)),
        "Tokens": _tokens(receipt),
        "Time": _time(receipt),
        "Memory": _memory(details),
        "End": _end(details),
    }
    head = f"**Details of this answer**{_version(details)}"
    return "\n".join([head, *(f"- **{name}:** {text}" for name, text in lines.items() if text)])


def _version(details: Details) -> str:
    count = len(details.answer.versions)
    return f", version {details.answer.version} of {count}" if count > 1 else ""


def _persona(receipt: Receipt) -> str:
    version = f", version {receipt.persona_version}" if receipt.persona_version else ""
    return plain(receipt.persona) + version


def _from(receipt: Receipt, name: str) -> str:
    source = receipt.sources.get(name)
    return f" ({source})" if source else ""


def _options(receipt: Receipt) -> Iterator[str]:
    sent = receipt.options | {"keep_alive": receipt.keep_alive, "think": _think(receipt.think)}
    for name in (*REGISTRY, "num_ctx"):
        value = sent.get(name)
        if isinstance(value, float | int | str | list):
            shown = display(value).replace("`", "'")
            yield f"{name} `{shown}`{_from(receipt, name)}"


def _think(think: bool | str | None) -> str | None:
    if isinstance(think, bool):
        return "on" if think else "off"
    return think


def _left(receipt: Receipt) -> list[str]:
    return [name for name, entry in REGISTRY.items() if entry.is_option and name not in receipt.options]


def _tokens(receipt: Receipt) -> str:
    if receipt.prompt_tokens is None:
        return "not counted, because the answer did not come to its end"
    if receipt.answer_tokens is None:
        return f"{receipt.prompt_tokens:,} in; those out were not counted before the answer went on"
    rate = receipt.answer_tokens / receipt.writing_seconds if receipt.writing_seconds else None
    speed = f", {_rounded(rate)} a second" if rate else ""
    return f"{receipt.prompt_tokens:,} in, {receipt.answer_tokens:,} out{speed}"


def _time(receipt: Receipt) -> str:
    if receipt.total_seconds is None:
        return ""
    total = f"{_rounded(receipt.total_seconds)} s in all"
    parts = []
    if receipt.waited_seconds is not None and receipt.waited_seconds >= _LOADED:
        parts.append(f"{_rounded(receipt.waited_seconds)} s waiting in line")
    if receipt.load_seconds is not None:
        is_slow = receipt.load_seconds >= _LOADED
        loading = f"{_rounded(receipt.load_seconds)} s loading the model" if is_slow else "the model was loaded already"
        parts.append(loading)
    of_it = f" ({', '.join(parts)})" if parts else ""
    if receipt.first_text_seconds is None:
        return f"{total}{of_it}"
    return f"first words after {_rounded(receipt.first_text_seconds)} s{of_it}, {total}"


def _memory(details: Details) -> str:
    sent, before = details.receipt.remembered, details.before
    match sent:
        case None:
            return ""
        case 0 if not before:
            return "nothing had been said before"
        case 0:
            return f"none of the {before} earlier messages fitted into the context window"
        case _ if sent == before:
            return f"all {before} earlier messages fitted into the context window"
        case _ if sent < before:
            return f"the newest {sent} of {before} earlier messages fitted into the context window"
    return f"{sent} earlier messages fitted into the context window; some of them are forgotten by now"


def _end(details: Details) -> str:
    reason = details.answer.end_reason
    if reason is EndReason.LENGTH:
        return f"cut off at the limit of {details.receipt.options.get('num_predict', '?')} tokens"
    return _ENDS.get(reason, reason.value)


def _rounded(number: float) -> str:
    return f"{number:.1f}" if number < _ONE_DIGIT else f"{number:,.0f}"
