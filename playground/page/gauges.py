"""What goes on between bot, Discord and model at a moment, as the page's panel draws it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, takewhile

from playground.discord import Event, EventKind, LoopbackDiscord
from playground.discord.api import Call
from playground.discord.buckets import Level
from playground.discord.model import ChannelKind, CommandKind, Interaction, InteractionKind
from playground.discord.payloads import Payload, utc_now
from playground.discord.settings import Family
from playground.model.exchange import Exchange
from playground.model.tap import Tap
from playground.page.calls import is_edit, words_of
from playground.page.visible import Visible

_RECENT = 5.0
"""Seconds over which calls are averaged."""
_IDLE = 10.0
"""Seconds for which a bucket that is full again is still shown."""
_CALLS = 20
_INTERACTIONS = 10
_ANSWERS = 10
_UNKNOWN = 20
_QUESTION = 80
_OF_MESSAGES = (EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE)

_IN_A_CHANNEL: dict[Family, str] = {
    "message_create": "messages",
    "message_edit": "edits",
    "old_message_edit": "edits of old messages",
    "message_read": "reading",
    "typing": "typing",
    "interaction": "answers to commands",
}


class Gauges:
    """Watches a Discord that is being served, and a tap."""

    def __init__(self, discord: LoopbackDiscord, tap: Tap) -> None:
        self._discord = discord
        self._tap = tap
        self._visible = Visible(discord.messages.get)
        self._interactions: dict[str, str] = {}
        # Set once, so that a call is said to have been at the same moment each time.
        self._clock_began = utc_now() - timedelta(seconds=time.monotonic())
        for event in discord.events:
            self._hear(event)
        discord.feed.listen(self._hear)

    def now(self) -> Payload:
        """Return the `gauges` event."""
        recent = list(self._calls_since(time.monotonic() - _RECENT))
        return {
            "buckets": [self._bucket(level) for level in self._levels()],
            "edits_per_second": round(sum(map(is_edit, recent)) / _RECENT, 1),
            "calls_per_second": round(len(recent) / _RECENT, 1),
            "rate_limit_hits": self._discord.rate_limit_hits,
            "unknown_routes": list(dict.fromkeys(self._discord.unknown_routes))[-_UNKNOWN:],
            "calls": [self._call(call) for call in islice(reversed(self._discord.calls), _CALLS)],
            "answers": self._answers(),
        }

    def prompt(self, n: int) -> Payload | None:
        """Return what the model got with one request, and its answer so far; None for one that is not kept."""
        exchange = next((one for one in self._tap.exchanges if one.number == n), None)
        if exchange is None:
            return None
        return {
            "n": exchange.number,
            "model": exchange.model,
            "at": exchange.at.isoformat(),
            "messages": exchange.messages,
            "options": exchange.options,
            "other": exchange.other,
            "answer": exchange.text,
        }

    def _hear(self, event: Event) -> None:
        message, interaction = event.message, event.interaction
        if event.kind in _OF_MESSAGES and message and message.author_id == self._discord.settings.bot_id:
            self._visible.changed(message.id, event.at)
        elif event.kind is EventKind.INTERACTION_CREATE and interaction:
            self._interactions[interaction.token] = _interaction(interaction)

    def _calls_since(self, earliest: float) -> Iterator[Call]:
        return takewhile(lambda call: call.at >= earliest, reversed(self._discord.calls))

    def _call(self, call: Call) -> Payload:
        return {
            "at": (self._clock_began + timedelta(seconds=call.at)).isoformat(),
            "method": call.method,
            "what": words_of(call),
            "status": call.status,
            "ms": round(call.seconds * 1000),
        }

    def _levels(self) -> list[Level]:
        """Return the buckets of the bot and its channels, then those of the newest interactions, in order of use."""
        levels = self._discord.buckets.levels(idle_for=_IDLE)
        interactions = [level for level in levels if level.families == ("interaction",)]
        return [level for level in levels if level.families != ("interaction",)] + interactions[-_INTERACTIONS:]

    def _bucket(self, level: Level) -> Payload:
        return {
            "what": self._bucket_words(level),
            "limit": level.limit.calls,
            "left": level.left,
            "resets_in": round(level.resets_in, 1),
        }

    def _bucket_words(self, level: Level) -> str:
        if level.families == ("total",):
            return "all calls"
        if level.families == ("interaction",):
            return self._interactions.get(level.resource, "an interaction")
        counted = " and ".join(_IN_A_CHANNEL[family] for family in level.families)
        return f"{counted} {self._place(int(level.resource))}"

    def _place(self, channel_id: int) -> str:
        world = self._discord.world
        channel = world.channels.get(channel_id)
        if channel is None:
            return "in a channel that is gone"
        if channel.kind is ChannelKind.DM:
            recipient = world.users.get(channel.recipient_id or 0)
            return f"in the direct message with {recipient.name}" if recipient else "in a direct message"
        return f"in #{channel.name}"

    def _answers(self) -> list[Payload]:
        newest = list(self._tap.exchanges)[-_ANSWERS:]
        visible = self._visible.tokens(newest)
        return [_answer(exchange, visible[exchange.number]) for exchange in reversed(newest)]


def _interaction(interaction: Interaction) -> str:
    match interaction.kind:
        case InteractionKind.COMMAND:
            is_typed = interaction.data["type"] == CommandKind.CHAT_INPUT
            return f"an interaction of {'/' if is_typed else ''}{interaction.command}"
        case InteractionKind.COMPONENT:
            return "a click on a button or a choice"
        case InteractionKind.MODAL_SUBMIT:
            return "a form that was sent"
        case _:
            return "an interaction"


def _answer(exchange: Exchange, visible: int) -> Payload:
    first, pace = exchange.first_token_at, exchange.tokens_per_second
    return {
        "n": exchange.number,
        "model": exchange.model,
        "generated": len(exchange.tokens),
        "visible": visible,
        "per_second": None if pace is None else round(pace, 1),
        "first_token_ms": None if first is None else round((first - exchange.began) * 1000),
        "prompt_tokens": exchange.prompt_tokens,
        "state": exchange.state,
        "question": " ".join(exchange.question.split())[:_QUESTION],
    }
