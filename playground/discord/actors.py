"""People: what they say and click, checked as their Discord app checks it before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.discord import commands
from playground.discord.commands import Found, Resolved
from playground.discord.errors import RefusedByClientError
from playground.discord.handles import Asked, ChannelHandle, component
from playground.discord.model import ChannelKind, InteractionKind, Message, Role, Upload, User
from playground.discord.payloads import Payload, utf16_length
from playground.discord.permissions import Permission
from playground.discord.serialize import attachment_payload, role_payload, user_payload
from playground.discord.validation import walk

if TYPE_CHECKING:
    from playground.discord.server import LoopbackDiscord

File = tuple[str, bytes]
_MESSAGE_COMMAND = 3
_TEXT_INPUT = 4
_TEXT_INPUT_LIMIT = 4000
_ROW, _LABEL = 1, 18
_CONTEXT_GUILD, _CONTEXT_DM = 0, 1


@dataclass(frozen=True, slots=True)
class Actor:
    """A user at their Discord app."""

    discord: "LoopbackDiscord"
    user: User

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def name(self) -> str:
        """The user's name."""
        return self.user.name

    @property
    def mention(self) -> str:
        """The text that pings the user."""
        return f"<@{self.id}>"

    @property
    def dm(self) -> ChannelHandle:
        """The direct messages with the bot."""
        return ChannelHandle(self.discord, self.discord.world.dm_with(self.user))

    # Messages

    def say(
        self,
        channel: ChannelHandle,
        text: str = "",
        *,
        reply_to: Message | None = None,
        ping_reply: bool = True,
        mention_bot: bool = False,
        attachments: Sequence[File] = (),
    ) -> Message:
        """Post a message; `mention_bot` puts the bot's mention in front."""
        self._require(channel, Permission.SEND_MESSAGES)
        body: Payload = {"content": f"{self.discord.mention} {text}".strip() if mention_bot else text}
        body["allowed_mentions"] = {"parse": ["users", "roles", "everyone"], "replied_user": ping_reply}
        if reply_to:
            body["message_reference"] = {"message_id": str(reply_to.id)}
        uploads = [Upload(name, data) for name, data in attachments]
        return self.discord.messages.create(channel.model, self.user, body, uploads)

    def edit(self, message: Message, text: str) -> Message:
        """Change one's own message."""
        current = self.discord.messages.get(message.id)
        if current is None or current.author_id != self.id:
            raise RefusedByClientError("Only one's own message can be edited.")
        return self.discord.messages.edit(current, {"content": text})

    def delete(self, message: Message) -> None:
        """Delete a message: one's own, or anybody's as a moderator."""
        current = self.discord.messages.get(message.id)
        if current is None:
            raise RefusedByClientError("The message is gone.")
        if current.author_id != self.id:
            channel = self.discord.world.channels[current.channel_id]
            self._require(ChannelHandle(self.discord, channel), Permission.MANAGE_MESSAGES)
        self.discord.messages.delete(current)

    # Commands

    def slash(self, channel: ChannelHandle, command: str, /, **options: object) -> Asked:
        """Run a slash command by its name as shown ("persona use"); a file is a pair of name and bytes."""
        found = self._find(channel, command)
        commands.check_complete(found, options)
        resolved = Resolved()
        values = []
        for option in found.options:
            if option["name"] in options:
                given = options[option["name"]]
                commands.check_value(option, given)
                value = self._resolve(channel, option, given, resolved)
                values.append({"name": option["name"], "type": option["type"], "value": value})
        return self._open(InteractionKind.COMMAND, channel, command, self._data(found, values, resolved))

    def complete(self, channel: ChannelHandle, command: str, focused: str, text: str, /, **others: object) -> Asked:
        """Type into an option with autocomplete; `await discord.choices(asked)` gives what the bot suggests."""
        found = self._find(channel, command)
        values = []
        for option in found.options:
            name = option["name"]
            if name == focused:
                if not option.get("autocomplete"):
                    raise RefusedByClientError(f"{focused} has no autocomplete.")
                values.append({"name": name, "type": option["type"], "value": text, "focused": True})
            elif name in others:
                values.append({"name": name, "type": option["type"], "value": others[name]})
        return self._open(InteractionKind.AUTOCOMPLETE, channel, command, self._data(found, values, Resolved()))

    def message_command(self, channel: ChannelHandle, command: str, message: Message) -> Asked:
        """Use a command from a message's Apps menu."""
        found = self._find(channel, command, _MESSAGE_COMMAND)
        resolved = Resolved()
        payload = self.discord.serializer.message(message)
        data = self._data(found, [], resolved) | {"target_id": resolved.add("messages", message.id, payload)}
        return self._open(InteractionKind.COMMAND, channel, command, data | {"resolved": resolved.data})

    # Components

    def click(self, message: Message, button: str) -> Asked:
        """Press a button, named by its label or custom id."""
        return self._component(message, button, [])

    def select(self, message: Message, select: str, values: Sequence[str]) -> Asked:
        """Choose values in a select, named by its placeholder or custom id."""
        return self._component(message, select, list(values))

    def submit(self, asked: Asked, texts: Mapping[str, str]) -> Asked:
        """Fill in and send the modal that `asked` opened; fields are named by label or custom id."""
        parts = [_filled(part, texts) for part in asked.modal["components"]]
        if unknown := set(texts) - {name for part in walk(asked.modal["components"]) for name in _names(part)}:
            raise RefusedByClientError(f"The modal has no {sorted(unknown)}.")
        data = {"custom_id": asked.modal["custom_id"], "components": parts}
        channel = self.discord.world.channels[asked.interaction.channel_id]
        interaction = self.discord.interactions.open(
            InteractionKind.MODAL_SUBMIT, self.user, channel, data, source_id=asked.interaction.source_id
        )
        return Asked(self.discord, interaction)

    # How

    def _component(self, message: Message, wanted: str, values: list[str]) -> Asked:
        current = self.discord.messages.get(message.id)
        if current is None or (current.seen_by is not None and current.seen_by != self.id):
            raise RefusedByClientError(f"{self.name} does not see this message.")
        part = component(current, wanted)
        offered = [option["value"] for option in part.get("options") or []]
        if offered and not set(values) <= set(offered):
            raise RefusedByClientError(f"{wanted!r} offers {offered}.")
        data: Payload = {"custom_id": part["custom_id"], "component_type": part["type"]}
        if values:
            data["values"] = values
        channel = self.discord.world.channels[current.channel_id]
        interaction = self.discord.interactions.open(
            InteractionKind.COMPONENT, self.user, channel, data, source_id=current.id
        )
        return Asked(self.discord, interaction)

    def _find(self, channel: ChannelHandle, name: str, kind: int = 1) -> Found:
        """Look a command up where Discord would offer it to this user."""
        self._require(channel, Permission.USE_APPLICATION_COMMANDS)
        guild_id = channel.model.guild_id
        if guild_id and self.discord.settings.bot_id not in self.discord.world.guilds[guild_id].members:
            raise RefusedByClientError("The bot is not in this server.")
        known = self.discord.world.commands
        here = (known.get(guild_id, []) if guild_id else []) + known.get(None, [])
        found = commands.find(here, name, kind)
        context = _CONTEXT_DM if channel.model.kind is ChannelKind.DM else _CONTEXT_GUILD
        contexts = found.command.get("contexts")
        if context not in (contexts if contexts is not None else (_CONTEXT_GUILD, _CONTEXT_DM)) or (
            context == _CONTEXT_DM and contexts is None and found.command.get("dm_permission") is False
        ):
            raise RefusedByClientError(f"/{name} is not offered here.")
        needed = found.command.get("default_member_permissions")
        if needed is not None and guild_id:
            self._require(channel, int(needed))
        return found

    def _require(self, channel: ChannelHandle, permission: int) -> None:
        wanted = permission
        if channel.model.is_thread and permission == Permission.SEND_MESSAGES:
            wanted = Permission.SEND_MESSAGES_IN_THREADS
        if self.discord.world.permissions(self.id, channel.model) & wanted != wanted:
            raise RefusedByClientError(f"{self.name} lacks {wanted!r} in #{channel.model.name}.")

    def _data(self, found: Found, values: list[Payload], resolved: Resolved) -> Payload:
        data: Payload = {"id": found.command["id"], "name": found.command["name"], "type": found.command["type"]}
        if guild_id := found.command.get("guild_id"):
            data["guild_id"] = guild_id
        if options := found.wrap(values):
            data["options"] = options
        return data | ({"resolved": resolved.data} if resolved.data else {})

    def _open(self, kind: InteractionKind, channel: ChannelHandle, command: str, data: Payload) -> Asked:
        interaction = self.discord.interactions.open(kind, self.user, channel.model, data, command=command)
        return Asked(self.discord, interaction)

    def _resolve(self, channel: ChannelHandle, option: Payload, value: object, resolved: Resolved) -> object:
        if isinstance(value, str | int | float):
            return value
        if isinstance(value, Actor):
            guild = self.discord.world.guilds.get(channel.model.guild_id or 0)
            if guild and (member := guild.members.get(value.id)):
                payload = self.discord.serializer.member(guild, member, with_user=False)
                resolved.add("members", value.id, payload)
            return resolved.add("users", value.id, user_payload(value.user))
        if isinstance(value, Role):
            return resolved.add("roles", value.id, role_payload(value))
        if isinstance(value, ChannelHandle):
            allowed = self.discord.world.permissions(self.id, value.model)
            payload = self.discord.serializer.channel(value.model) | {"permissions": str(int(allowed))}
            return resolved.add("channels", value.id, payload)
        if isinstance(value, tuple) and option["type"] == commands.ATTACHMENT:
            attachment = self.discord.messages.store_file(channel.id, Upload(*value))
            return resolved.add("attachments", attachment.id, attachment_payload(attachment))
        raise RefusedByClientError(f"{option['name']} cannot be {value!r}.")


def _names(part: Payload) -> list[str]:
    """By what a field can be named: for one in a label, the label's text too."""
    inner = part.get("component") or part
    return [name for name in (inner.get("custom_id"), part.get("label")) if name]


def _filled(part: Payload, texts: Mapping[str, str]) -> Payload:
    if part.get("type") == _ROW:
        return {"type": _ROW, "components": [_filled(inner, texts) for inner in part["components"]]}
    if part.get("type") == _LABEL:
        field = part["component"]
        given = next((texts[name] for name in _names(part) if name in texts), None)
        return {"type": _LABEL, "component": _field(field, part.get("label") or "", given)}
    if part.get("type") == _TEXT_INPUT:
        given = next((texts[name] for name in _names(part) if name in texts), None)
        return _field(part, part.get("label") or "", given)
    return {"type": part.get("type")}


def _field(field: Payload, label: str, given: str | None) -> Payload:
    """Keep what the field was opened with unless something was typed."""
    value = field.get("value") or "" if given is None else given
    most = field.get("max_length") or _TEXT_INPUT_LIMIT
    required = field.get("required", True)
    if required and not value:
        raise RefusedByClientError(f"{label or field['custom_id']} is required.")
    if not (field.get("min_length") or 0) <= utf16_length(value) <= most and (required or value):
        raise RefusedByClientError(f"{label or field['custom_id']} takes at most {most} characters.")
    if field.get("type") == _TEXT_INPUT:
        return {"type": _TEXT_INPUT, "custom_id": field["custom_id"], "value": value}
    return {"type": field["type"], "custom_id": field["custom_id"], "values": [value] if value else []}
