"""Interactions: opened by a user, answered once within three seconds, continued by their token for a while."""

import secrets
import time
from collections.abc import Sequence

from playground.discord.errors import (
    already_acknowledged,
    invalid_form,
    invalid_webhook_token,
    unknown_channel,
    unknown_interaction,
    unknown_message,
    unknown_webhook,
)
from playground.discord.events import Event, EventKind
from playground.discord.messages import Messages
from playground.discord.model import (
    Channel,
    Interaction,
    InteractionKind,
    Message,
    MessageFlag,
    ResponseKind,
    Upload,
    User,
)
from playground.discord.payloads import Payload, as_id
from playground.discord.validation import check_choices, check_modal
from playground.discord.world import World

_SLASH_RESPONSE = 20
_DATA = ("data",)
# Which answers fit which question; a modal's submit may update a message only if a component opened the modal.
_FITTING = {
    InteractionKind.COMMAND: {ResponseKind.MESSAGE, ResponseKind.DEFERRED_MESSAGE, ResponseKind.MODAL},
    InteractionKind.COMPONENT: {
        ResponseKind.MESSAGE,
        ResponseKind.DEFERRED_MESSAGE,
        ResponseKind.DEFERRED_UPDATE,
        ResponseKind.UPDATE,
        ResponseKind.MODAL,
    },
    InteractionKind.AUTOCOMPLETE: {ResponseKind.CHOICES},
    InteractionKind.MODAL_SUBMIT: {
        ResponseKind.MESSAGE,
        ResponseKind.DEFERRED_MESSAGE,
        ResponseKind.DEFERRED_UPDATE,
        ResponseKind.UPDATE,
    },
}


class Interactions:
    """The store of interactions and the rules of answering them."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        data: Payload,
        *,
        command: str = "",
        source_id: int | None = None,
    ) -> Interaction:
        """Tell the bot that a user did something."""
        interaction = Interaction(
            id=self._world.ids.next(),
            token=secrets.token_urlsafe(32),
            kind=kind,
            user_id=user.id,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            data=data,
            opened=time.monotonic(),
            command=command,
            source_id=source_id,
        )
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        self._world.feed.publish(Event(kind=EventKind.INTERACTION_CREATE, interaction=interaction))
        return interaction

    def get(self, interaction_id: int | None) -> Interaction | None:
        """Return an interaction, answered or not."""
        return self._by_id.get(interaction_id or 0)

    def respond(self, interaction_id: int, token: str, body: Payload, files: Sequence[Upload]) -> Interaction:
        """Take the first answer."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise unknown_interaction()
        if interaction.response is not None:
            raise already_acknowledged()
        if time.monotonic() - interaction.opened > self._world.settings.answer_within:
            raise unknown_interaction()
        kind = self._response_kind(interaction, body)
        data = body.get("data") or {}
        self._carry_out(interaction, kind, data, files)
        interaction.response = kind
        interaction.response_data = data
        event = Event(
            kind=EventKind.INTERACTION_RESPONSE,
            interaction=interaction,
            message=self._messages.get(interaction.original_id),
            data={"type": int(kind), "data": data},
        )
        self._world.feed.publish(event)
        return interaction

    def _response_kind(self, interaction: Interaction, body: Payload) -> ResponseKind:
        fitting = _FITTING[interaction.kind]
        if interaction.kind is InteractionKind.MODAL_SUBMIT and interaction.source_id is None:
            fitting = fitting - {ResponseKind.DEFERRED_UPDATE, ResponseKind.UPDATE}
        if body.get("type") not in fitting:
            named = ", ".join(str(int(kind)) for kind in sorted(fitting))
            raise invalid_form(["type"], "UNION_TYPE_CHOICES", f"Value of field must be in ({named}).")
        return ResponseKind(body["type"])

    def _carry_out(self, interaction: Interaction, kind: ResponseKind, data: Payload, files: Sequence[Upload]) -> None:
        ephemeral = bool(int(data.get("flags") or 0) & MessageFlag.EPHEMERAL)
        if kind is ResponseKind.MESSAGE:
            interaction.original_id = self._post(interaction, data, files, path=_DATA).id
            interaction.ephemeral = ephemeral
        elif kind is ResponseKind.DEFERRED_MESSAGE:
            interaction.ephemeral = ephemeral
            seen_by = interaction.user_id if ephemeral else None
            channel = self._channel(interaction)
            placeholder = self._messages.think(channel, interaction.id, _kind_of(interaction), seen_by=seen_by)
            interaction.original_id = placeholder.id
        elif kind is ResponseKind.DEFERRED_UPDATE:
            interaction.original_id = interaction.source_id
        elif kind is ResponseKind.UPDATE:
            self._messages.edit(self._source(interaction), data, files, path=_DATA, by_webhook=True)
            interaction.original_id = interaction.source_id
        elif kind is ResponseKind.CHOICES:
            check_choices(data.get("choices"))
        else:
            check_modal(data)

    # By token

    def by_token(self, token: str) -> Interaction:
        """Return the interaction of a token that was answered and still lives."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.response is None:
            raise unknown_webhook()
        if time.monotonic() - interaction.opened > self._world.settings.token_lifetime:
            raise invalid_webhook_token()
        return interaction

    def message(self, interaction: Interaction, reference: str) -> Message:
        """Return `@original` or one of the interaction's other messages."""
        message_id = interaction.original_id if reference == "@original" else as_id(reference)
        message = self._messages.get(message_id)
        if message is None or message.id not in {interaction.original_id, *interaction.followup_ids}:
            raise unknown_message()
        return message

    def follow_up(self, interaction: Interaction, body: Payload, files: Sequence[Upload]) -> Message:
        """Send one more message; the first after a deferral fills the placeholder and takes its visibility."""
        original = self._messages.get(interaction.original_id)
        if original and original.thinking:
            return self._messages.edit(original, body, files, by_webhook=True)
        message = self._post(interaction, body, files)
        interaction.followup_ids.append(message.id)
        return message

    def edit(self, message: Message, body: Payload, files: Sequence[Upload]) -> Message:
        """Change one of an interaction's messages."""
        return self._messages.edit(message, body, files, by_webhook=True)

    def channel_of(self, token: str) -> str:
        """Return the id of the channel in which an interaction began; empty for an unknown token."""
        interaction = self._by_token.get(token)
        return str(interaction.channel_id) if interaction else ""

    def expire(self, interaction: Interaction) -> None:
        """Let the token die now."""
        interaction.opened -= self._world.settings.token_lifetime

    def _post(
        self, interaction: Interaction, data: Payload, files: Sequence[Upload], *, path: tuple[str, ...] = ()
    ) -> Message:
        ephemeral = int(data.get("flags") or 0) & MessageFlag.EPHEMERAL
        return self._messages.create(
            self._channel(interaction),
            self._world.bot,
            data,
            files,
            path=path,
            by_webhook=True,
            kind=_kind_of(interaction),
            interaction_id=interaction.id,
            seen_by=interaction.user_id if ephemeral else None,
        )

    def _channel(self, interaction: Interaction) -> Channel:
        channel = self._world.channels.get(interaction.channel_id)
        if channel is None:
            raise unknown_channel()
        return channel

    def _source(self, interaction: Interaction) -> Message:
        source = self._messages.get(interaction.source_id)
        if source is None:
            raise unknown_message()
        return source


def _kind_of(interaction: Interaction) -> int:
    return _SLASH_RESPONSE if interaction.kind is InteractionKind.COMMAND else 0
