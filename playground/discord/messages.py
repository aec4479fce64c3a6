"""Messages: creating, editing and deleting them as Discord does, with what each would ping."""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from urllib.parse import quote, urlsplit

from playground.discord.errors import entity_too_large, invalid_form, unknown_message
from playground.discord.events import Event, EventKind
from playground.discord.mentions import Audience, pings
from playground.discord.model import (
    Attachment,
    Channel,
    InteractionKind,
    Message,
    MessageFlag,
    Pings,
    Upload,
    Used,
    User,
)
from playground.discord.payloads import Payload, as_id, utc_now
from playground.discord.permissions import Permission
from playground.discord.validation import check_message, check_not_empty, texts_of
from playground.discord.world import World

_SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS | MessageFlag.EPHEMERAL | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
)
_REPLY = 19


class Messages:
    """The store of messages; its changes are the events of the same name."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Where files are served; known once the port is.
        self.cdn = ""
        self._by_id: dict[int, Message] = {}
        self._nonces: dict[tuple[int, int, str], int] = {}
        self._used: dict[int, Used] = {}
        self.files: dict[int, Attachment] = {}
        world.feed.listen(self._remember_use)

    def restore(self, messages: Iterable[Message]) -> None:
        """Replace all messages by those of an earlier run; their files are served where this run serves files."""
        in_order = sorted(messages, key=lambda message: message.id)
        kept = [replace(one, attachments=tuple(map(self._served_here, one.attachments))) for one in in_order]
        self._by_id = {message.id: message for message in kept}
        self.files = {file.id: file for message in kept for file in message.attachments}
        self._nonces = {_nonce_key(message): message.id for message in kept if message.nonce is not None}

    def newest_first(self) -> Iterator[Message]:
        """Yield the messages of all channels, ephemeral ones included; they were stored as their ids grew."""
        return reversed(self._by_id.values())

    def get(self, message_id: int | None) -> Message | None:
        """Return the newest state of a message, ephemeral or not."""
        return self._by_id.get(message_id or 0)

    def in_channel(self, channel: Channel, message_id: int) -> Message:
        """Return a message as the channel's endpoints see it: an ephemeral one is not there."""
        message = self._by_id.get(message_id)
        if message is None or message.channel_id != channel.id or message.ephemeral:
            raise unknown_message()
        return message

    def history(self, channel_id: int, *, hidden: bool = False) -> list[Message]:
        """Return a channel's messages, oldest first; `hidden` includes ephemeral ones."""
        found = [message for message in self._by_id.values() if message.channel_id == channel_id]
        return sorted((one for one in found if hidden or not one.ephemeral), key=lambda message: message.id)

    def create(
        self,
        channel: Channel,
        author: User,
        body: Payload,
        files: Sequence[Upload] = (),
        *,
        path: tuple[str, ...] = (),
        by_webhook: bool = False,
        kind: int = 0,
        interaction_id: int | None = None,
        seen_by: int | None = None,
    ) -> Message:
        """Post a message; only interactions set the last three, and only their messages can be ephemeral."""
        check_message(body, path)
        if body.get("enforce_nonce") and (known := self._known(channel, author, body.get("nonce"))):
            return known
        blank = self._blank(channel, author, kind, interaction_id, seen_by)
        flags = int(body.get("flags") or 0) & _SETTABLE & ~(0 if seen_by else MessageFlag.EPHEMERAL)
        message = replace(blank, nonce=body.get("nonce"), flags=flags)
        message = self._with_reply(message, channel, body)
        message = self._with_body(message, body, files)
        _check_visible(message)
        message = replace(message, pings=self._pings(message, channel, body, by_webhook=by_webhook))
        self._add(channel, message)
        return message

    def think(self, channel: Channel, interaction_id: int, kind: int, *, seen_by: int | None) -> Message:
        """Post the "is thinking" placeholder of a deferred response."""
        blank = self._blank(channel, self._world.bot, kind, interaction_id, seen_by)
        message = replace(blank, flags=int(MessageFlag.LOADING | (MessageFlag.EPHEMERAL if seen_by else 0)))
        self._add(channel, message)
        return message

    def edit(
        self,
        message: Message,
        body: Payload,
        files: Sequence[Upload] = (),
        *,
        path: tuple[str, ...] = (),
        by_webhook: bool = False,
    ) -> Message:
        """Change what the body names and leave the rest; V2 can be switched on, never off."""
        sticky = message.flags & MessageFlag.COMPONENTS_V2
        check_message(body | {"flags": int(body.get("flags") or 0) | sticky}, path)
        changed = self._with_body(message, body, files)
        if (flags := body.get("flags")) is not None:
            mutable = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2
            changed = replace(changed, flags=message.flags & ~mutable | int(flags) & mutable | sticky)
        changed = replace(
            changed,
            flags=changed.flags & ~MessageFlag.LOADING,
            edited_at=None if message.thinking else utc_now(),
            edits=message.edits + 1,
        )
        _check_visible(changed)
        if "content" in body or ("components" in body and changed.flags & MessageFlag.COMPONENTS_V2):
            # Only a new text is read for mentions anew (API reference, edit message).
            channel = self._world.channels[message.channel_id]
            changed = replace(changed, pings=self._pings(changed, channel, body, by_webhook=by_webhook))
        self._by_id[message.id] = changed
        self._world.feed.publish(Event(kind=EventKind.MESSAGE_UPDATE, message=changed))
        return changed

    def delete(self, message: Message) -> None:
        """Remove a message."""
        del self._by_id[message.id]
        self._world.feed.publish(Event(kind=EventKind.MESSAGE_DELETE, message=message))

    def forget_channel(self, channel_id: int) -> None:
        """Drop the messages of a channel that is gone; Discord announces only the channel."""
        for message in self.history(channel_id, hidden=True):
            del self._by_id[message.id]

    def is_old(self, message: Message) -> bool:
        """Whether edits of it are limited more strictly."""
        return (utc_now() - message.created_at).total_seconds() > self._world.settings.old_after

    def age(self, message_id: int, seconds: float) -> None:
        """Let a message be older by so many seconds; its id still tells when it was made."""
        message = self._by_id[message_id]
        self._by_id[message_id] = replace(message, created_at=message.created_at - timedelta(seconds=seconds))

    def store_file(self, channel_id: int, upload: Upload) -> Attachment:
        """Give a file an id and a place on the CDN."""
        if len(upload.data) > self._world.settings.max_file_bytes:
            raise entity_too_large()
        file_id = self._world.ids.next()
        path = f"/attachments/{channel_id}/{file_id}/{quote(upload.filename, safe='')}"
        content_type = _content_type(upload.filename)
        attachment = Attachment(
            file_id, upload.filename, upload.data, self.cdn + path, content_type, upload.description
        )
        self.files[file_id] = attachment
        return attachment

    def _served_here(self, attachment: Attachment) -> Attachment:
        """The port may be another one than before."""
        return replace(attachment, url=self.cdn + urlsplit(attachment.url).path)

    def _remember_use(self, event: Event) -> None:
        """Messages know their interaction by its id only; who used what is told once, before any of them."""
        done = event.interaction
        if event.kind is EventKind.INTERACTION_CREATE and done and done.kind is not InteractionKind.AUTOCOMPLETE:
            self._used[done.id] = Used(done.kind, done.user_id, done.command, done.source_id)

    def _known(self, channel: Channel, author: User, nonce: object) -> Message | None:
        """The message that a nonce was used for in the last minutes."""
        message = self._by_id.get(self._nonces.get((channel.id, author.id, str(nonce)), 0))
        lifetime = timedelta(seconds=self._world.settings.nonce_lifetime)
        return message if message and utc_now() - message.created_at <= lifetime else None

    def _add(self, channel: Channel, message: Message) -> None:
        self._by_id[message.id] = message
        if message.nonce is not None:
            self._nonces[_nonce_key(message)] = message.id
        channel.last_message_id = message.id
        self._world.feed.publish(Event(kind=EventKind.MESSAGE_CREATE, message=message))

    def _blank(
        self, channel: Channel, author: User, kind: int, interaction_id: int | None, seen_by: int | None
    ) -> Message:
        return Message(
            id=self._world.ids.next(),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            author_id=author.id,
            author_name=author.name,
            kind=kind,
            interaction_id=interaction_id,
            used=self._used.get(interaction_id or 0),
            seen_by=seen_by,
        )

    def _with_reply(self, message: Message, channel: Channel, body: Payload) -> Message:
        reference = body.get("message_reference")
        if not reference:
            return message
        target = self._by_id.get(as_id(reference.get("message_id")) or 0)
        if target is None or target.channel_id != channel.id or target.ephemeral:
            if reference.get("fail_if_not_exists", True):
                raise invalid_form(["message_reference"], "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return message
        return replace(message, reply_to=target.id, kind=_REPLY)

    def _with_body(self, message: Message, body: Payload, files: Sequence[Upload]) -> Message:
        changed = message
        if "content" in body:
            content = body["content"] or ""
            # Discord stores no space around a message; a bot that splits text there loses it.
            changed = replace(changed, content=content.strip() if self._world.settings.trim_content else content)
        if "embeds" in body:
            changed = replace(changed, embeds=tuple({"type": "rich", **embed} for embed in body["embeds"] or []))
        if "components" in body:
            changed = replace(changed, components=_numbered(body["components"] or []))
        if files or "attachments" in body:
            changed = replace(changed, attachments=self._attachments(message, body, files))
        return changed

    def _attachments(self, message: Message, body: Payload, files: Sequence[Upload]) -> tuple[Attachment, ...]:
        """Keep those that the list names; without a list, all of them."""
        listed = body.get("attachments")
        kept = message.attachments
        if listed is not None:
            named = {as_id(entry.get("id")) for entry in listed}
            kept = tuple(attachment for attachment in kept if attachment.id in named)
        return kept + tuple(self.store_file(message.channel_id, upload) for upload in files)

    def _pings(self, message: Message, channel: Channel, body: Payload, *, by_webhook: bool) -> Pings:
        guild = self._world.guilds.get(channel.guild_id or 0)
        loud = by_webhook or bool(
            self._world.permissions(message.author_id, channel) & Permission.MENTION_EVERYONE and guild
        )
        replied = self._by_id.get(message.reply_to or 0)
        audience = Audience(
            users=frozenset(guild.members if guild else {channel.recipient_id or 0, self._world.bot.id}),
            roles=frozenset(r.id for r in guild.roles.values() if loud or r.mentionable) if guild else frozenset(),
            everyone=loud,
            replied_user=replied.author_id if replied and replied.author_id != message.author_id else None,
        )
        text = f"{message.content}\n{texts_of(message.components)}"
        return pings(text, body.get("allowed_mentions"), audience)


def _nonce_key(message: Message) -> tuple[int, int, str]:
    return message.channel_id, message.author_id, str(message.nonce)


def _check_visible(message: Message) -> None:
    check_not_empty(content=message.content, shown=bool(message.embeds or message.components or message.attachments))


def _numbered(components: Iterable[Payload]) -> tuple[Payload, ...]:
    """Give components, inner ones too, the ids that Discord adds where a bot sent none."""
    numbers = count(1)
    return tuple(_with_number(component, numbers) for component in components)


def _with_number(component: Payload, numbers: Iterator[int]) -> Payload:
    numbered = {"id": next(numbers), **component}
    if "components" in component:
        numbered["components"] = [_with_number(inner, numbers) for inner in component["components"]]
    for key in {"component", "accessory"} & component.keys():
        numbered[key] = _with_number(component[key], numbers)
    return numbered


def _content_type(filename: str) -> str:
    kind, _ = mimetypes.guess_type(filename)
    if kind is None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
