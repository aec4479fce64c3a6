"""People: what they say and click, checked as their Discord app checks it before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.discord import commands, drafts, modals
from playground.discord.commands import Found, Resolved
from playground.discord.errors import RefusedByClientError
from playground.discord.handles import Asked, ChannelHandle, component
from playground.discord.model import ChannelKind, CommandKind, ComponentKind, InteractionKind, Message, Role, Upload
from playground.discord.objects import attachment_payload, role_payload, user_payload
from playground.discord.payloads import Payload
from playground.discord.permissions import Permission
from playground.discord.viewers import Viewer

File = tuple[str, bytes]
_CONTEXT_GUILD, _CONTEXT_DM = 0, 1


@dataclass(frozen=True, slots=True)
class Actor(Viewer):
    """A user at their Discord app."""

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
        content = f"{self.discord.mention} {text}".strip() if mention_bot else text
        uploads = [Upload(name, data) for name, data in attachments]
        drafts.check_text(content, may_be_empty=bool(uploads))
        if reason := self.why_not_write(channel.model):
            raise RefusedByClientError(reason)
        if uploads:
            self._check_files(channel, uploads)
        body: Payload = {"content": content}
        body["allowed_mentions"] = {"parse": ["users", "roles", "everyone"], "replied_user": ping_reply}
        if reply_to:
            self.require(channel, Permission.READ_MESSAGE_HISTORY)
            if reply_to.ephemeral or reply_to.channel_id != channel.id:
                raise RefusedByClientError("Only a message that everybody here sees can be replied to.")
            body["message_reference"] = {"message_id": str(self.message(reply_to.id).id)}
        if channel.model.archived:
            self.discord.world.set_thread(channel.model, archived=False, locked=channel.model.locked)
        return self.discord.messages.create(channel.model, self.user, body, uploads)

    def edit(self, message: Message, text: str) -> Message:
        """Change one's own message."""
        current = self.message(message.id)
        if current.author_id != self.id:
            raise RefusedByClientError("Only one's own messages can be edited.")
        drafts.check_text(text, may_be_empty=bool(current.attachments))
        return self.discord.messages.edit(current, {"content": text})

    def delete(self, message: Message) -> None:
        """Delete a message: one's own, or anybody's as a moderator."""
        current = self.message(message.id)
        if current.author_id != self.id:
            self.require(self.channel(current.channel_id), Permission.MANAGE_MESSAGES)
        self.discord.messages.delete(current)

    def open_thread(self, channel: ChannelHandle, name: str, message: Message | None = None) -> ChannelHandle:
        """Open a public thread in a text channel, under a message or by itself."""
        drafts.check_thread_name(name)
        if channel.model.kind is not ChannelKind.TEXT:
            raise RefusedByClientError("A thread can be opened in a server's text channel only.")
        self.require(channel, Permission.CREATE_PUBLIC_THREADS)
        if message and (message.ephemeral or message.channel_id != channel.id):
            raise RefusedByClientError("Only a message that everybody here sees can have a thread.")
        thread_id = self.message(message.id).id if message else None
        if thread_id in self.discord.world.channels:
            raise RefusedByClientError("This message has a thread already.")
        thread = self.discord.world.add_thread(channel.model, name.strip(), self.id, thread_id=thread_id)
        return ChannelHandle(self.discord, thread)

    # Commands

    def slash(self, channel: ChannelHandle, command: str, /, **options: object) -> Asked:
        """Run a slash command by its name as shown ("persona use"); a file is a pair of name and bytes."""
        found = self.command(channel, command)
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

    def command(self, channel: ChannelHandle, name: str, kind: CommandKind = CommandKind.CHAT_INPUT) -> Found:
        """Look a command up by its name as shown, where Discord would offer it to this user."""
        self.require(channel, Permission.USE_APPLICATION_COMMANDS)
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
            self.require(channel, int(needed))
        return found

    def complete(self, channel: ChannelHandle, command: str, focused: str, text: str, /, **others: object) -> Asked:
        """Type into an option with autocomplete; `await discord.choices(asked)` gives what the bot suggests."""
        found = self.command(channel, command)
        if not any(option["name"] == focused and option.get("autocomplete") for option in found.options):
            raise RefusedByClientError(f"{focused} has no autocomplete.")
        values = []
        for option in found.options:
            name = option["name"]
            if name == focused:
                values.append({"name": name, "type": option["type"], "value": text, "focused": True})
            elif name in others:
                values.append({"name": name, "type": option["type"], "value": others[name]})
        return self._open(InteractionKind.AUTOCOMPLETE, channel, command, self._data(found, values, Resolved()))

    def message_command(self, channel: ChannelHandle, command: str, message: Message) -> Asked:
        """Use a command from a message's Apps menu."""
        found = self.command(channel, command, CommandKind.MESSAGE)
        resolved = Resolved()
        payload = self.discord.serializer.message(self.message(message.id))
        data = self._data(found, [], resolved) | {"target_id": resolved.add("messages", message.id, payload)}
        return self._open(InteractionKind.COMMAND, channel, command, data | {"resolved": resolved.data})

    # Components

    def click(self, message: Message, button: str) -> Asked:
        """Press a button, named by its label or custom id."""
        return self._component(message, button)

    def select(self, message: Message, select: str, values: Sequence[str]) -> Asked:
        """Choose values in a select, named by its placeholder or custom id."""
        return self._component(message, select, list(values))

    def submit(self, asked: Asked, texts: Mapping[str, str]) -> Asked:
        """Fill in and send the modal that `asked` opened; fields are named by label or custom id."""
        data = modals.filled(asked.modal, texts)
        channel = self.discord.world.channels[asked.interaction.channel_id]
        interaction = self.discord.interactions.open(
            InteractionKind.MODAL_SUBMIT,
            self.user,
            channel,
            data,
            command=asked.interaction.command,
            source_id=asked.interaction.source_id,
        )
        return Asked(self.discord, interaction)

    # How

    def _component(self, message: Message, wanted: str, values: list[str] | None = None) -> Asked:
        current = self.message(message.id)
        part = component(current, wanted)
        is_button = part["type"] == ComponentKind.BUTTON
        if is_button != (values is None):
            raise RefusedByClientError(f"{wanted} is {'a button' if is_button else 'a list'}.")
        if values is not None:
            _check_choice(part, values)
        data: Payload = {"custom_id": part["custom_id"], "component_type": part["type"]}
        if values is not None:
            data["values"] = values
        channel = self.discord.world.channels[current.channel_id]
        interaction = self.discord.interactions.open(
            InteractionKind.COMPONENT, self.user, channel, data, source_id=current.id
        )
        return Asked(self.discord, interaction)

    def _check_files(self, channel: ChannelHandle, files: Sequence[Upload]) -> None:
        self.require(channel, Permission.ATTACH_FILES)
        drafts.check_files(files, largest=self.discord.settings.max_file_bytes)

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
            upload = Upload(*value)
            self._check_files(channel, [upload])
            attachment = self.discord.messages.store_file(channel.id, upload)
            return resolved.add("attachments", attachment.id, attachment_payload(attachment))
        raise RefusedByClientError(f"{option['name']} cannot be {value!r}.")


def _check_choice(select: Payload, values: list[str]) -> None:
    offered = {option["value"] for option in select.get("options") or []}
    if offered and not set(values) <= offered:
        raise RefusedByClientError(f"The list offers only {', '.join(sorted(offered))}.")
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not least <= len(set(values)) <= most:
        allowed = str(least) if least == most else f"{least} to {most}"
        raise RefusedByClientError(f"Choose {allowed} from the list, not {len(set(values))}.")
