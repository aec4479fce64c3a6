"""How messages and interactions look on the wire, together with everything that they bring along."""

from typing import Any

from playground.discord.media import with_files
from playground.discord.model import Interaction, InteractionKind, Message, MessageFlag, ResponseKind
from playground.discord.objects import attachment_payload, user_payload
from playground.discord.payloads import Payload
from playground.discord.places import Places
from playground.discord.settings import Intent

_WITH_RESOURCE = (ResponseKind.MESSAGE, ResponseKind.UPDATE)


class Serializer(Places):
    """All payloads that need to look around in the world."""

    def message(
        self, message: Message, *, intents: int | None = None, on_gateway: bool = False, with_nonce: bool = False
    ) -> Payload:
        """Return a message object, as a bot with these `intents` may read it; without them, with all that is in it.

        A nonce is told only when its message is created, so it finds no message in the history.
        """
        hide_content = intents is not None and self.hides(message, intents)
        author = self._world.users[message.author_id]
        payload: Payload = {
            "id": str(message.id),
            "type": message.kind,
            "channel_id": str(message.channel_id),
            "author": user_payload(author),
            "content": "" if hide_content else message.content,
            "embeds": [] if hide_content else with_files(message.embeds, message.attachments),
            "components": [] if hide_content else with_files(message.components, message.attachments),
            "attachments": [] if hide_content else [attachment_payload(one) for one in message.attachments],
            "timestamp": message.created_at.isoformat(),
            "edited_timestamp": message.edited_at.isoformat() if message.edited_at else None,
            "flags": message.flags,
            "tts": False,
            "pinned": False,
            "mention_everyone": message.pings.everyone,
            "mentions": [user_payload(self._world.users[one]) for one in sorted(message.pings.users)],
            "mention_roles": [str(one) for one in sorted(message.pings.roles)],
        }
        if with_nonce and message.nonce is not None:
            payload["nonce"] = message.nonce
        if message.reply_to:
            payload |= self._reply_part(message, intents)
        if thread := self._world.channels.get(message.id):
            payload |= {"thread": self.channel(thread), "flags": message.flags | MessageFlag.HAS_THREAD}
        if on_gateway and (guild := self._world.guilds.get(message.guild_id or 0)):
            payload["guild_id"] = str(guild.id)
            if member := guild.members.get(message.author_id):
                payload["member"] = self.member(guild, member, with_user=False)
        return payload | self._response_part(message)

    def _response_part(self, message: Message) -> Payload:
        """A response comes by the application's webhook, and tells what it is the response to."""
        if not message.interaction_id:
            return {}
        by = {"application_id": str(self._world.bot.id), "webhook_id": str(self._world.bot.id)}
        used = message.used
        # What opened a modal is not kept, and Discord's form of its metadata would require that.
        if used is None or used.kind is InteractionKind.MODAL_SUBMIT:
            return by
        metadata = {
            "id": str(message.interaction_id),
            "type": int(used.kind),
            "user": user_payload(self._world.users[used.user_id]),
            "authorizing_integration_owners": _installed_in(message.guild_id),
        }
        if used.kind is InteractionKind.COMPONENT:
            metadata["interacted_message_id"] = str(used.source_id)
        return by | {"interaction_metadata": metadata}

    def _reply_part(self, message: Message, intents: int | None) -> Payload:
        """What it replies to is read by the same rule, whatever the reply itself lets the bot read."""
        target = self._messages.get(message.reply_to)
        reference = {"type": 0, "message_id": str(message.reply_to), "channel_id": str(message.channel_id)}
        if message.guild_id:
            reference["guild_id"] = str(message.guild_id)
        referenced = self.message(target, intents=intents) if target else None
        if referenced:
            referenced.pop("referenced_message", None)  # Discord goes one step back, no further
        return {"message_reference": reference, "referenced_message": referenced}

    def interaction(self, interaction: Interaction) -> Payload:
        """Return the payload of INTERACTION_CREATE."""
        channel = self._world.channels[interaction.channel_id]
        world = self._world
        allowed = world.permissions(interaction.user_id, channel)
        payload: Payload = {
            "id": str(interaction.id),
            "application_id": str(world.bot.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": self.channel(channel) | {"permissions": str(int(allowed))},
            "app_permissions": str(int(world.permissions(world.bot.id, channel))),
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": world.settings.max_file_bytes,
        }
        if source := self._messages.get(interaction.source_id):
            payload["message"] = self.message(source)
        return payload | self._who(interaction, allowed)

    def _who(self, interaction: Interaction, allowed: int) -> Payload:
        guild = self._world.guilds.get(interaction.guild_id or 0)
        if guild is None:
            user: Any = user_payload(self._world.users[interaction.user_id])
            return {"user": user, "context": 1, "authorizing_integration_owners": _installed_in(None)}
        member = self.member(guild, guild.members[interaction.user_id]) | {"permissions": str(int(allowed))}
        return {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member,
            "context": 0,
            "authorizing_integration_owners": _installed_in(guild.id),
        }

    def callback(self, interaction: Interaction) -> Payload:
        """Return what `with_response` asks for (API reference, interaction callback response)."""
        about: Payload = {"id": str(interaction.id), "type": int(interaction.kind)}
        answer: Payload = {"interaction": about}
        original = self._messages.get(interaction.original_id)
        if original:
            about |= {
                "response_message_id": str(original.id),
                "response_message_loading": original.thinking,
                "response_message_ephemeral": original.ephemeral,
            }
        if original and interaction.response in _WITH_RESOURCE:
            answer["resource"] = {"type": int(interaction.response), "message": self.message(original)}
        return answer

    def hides(self, message: Message, intents: int) -> bool:
        """Whether the bot may not read this: the exceptions are its own, direct, and those that mention it."""
        return not (
            intents & Intent.MESSAGE_CONTENT
            or message.author_id == self._world.bot.id
            or message.guild_id is None
            or self._world.bot.id in message.pings.users
        )


def _installed_in(guild_id: int | None) -> Payload:
    """The one way of installation here is a server's; in direct messages Discord puts 0 there."""
    return {"0": str(guild_id or 0)}
