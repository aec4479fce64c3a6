"""How things look on the wire: the payloads of REST answers and gateway events."""

from typing import Any

from playground.discord.messages import Messages
from playground.discord.model import Attachment, Channel, ChannelKind, Guild, Interaction, Member, Message, Role, User
from playground.discord.payloads import Payload
from playground.discord.settings import Intent
from playground.discord.world import World

_COMMAND_INTERACTION = 2
# Application flags: the two "limited" ones say that the portal's toggles are on (API reference, application flags).
_INTENT_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 19,
}


def user_payload(user: User) -> Payload:
    """Return a user object."""
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": None if user.bot else user.name,
        "discriminator": "0000" if user.bot else "0",
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
        "flags": 0,
    }


def role_payload(role: Role) -> Payload:
    """Return a role object."""
    payload: Payload = {
        "id": str(role.id),
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": role.position,
        "permissions": str(int(role.permissions)),
        "managed": role.managed_by is not None,
        "mentionable": role.mentionable,
        "flags": 0,
    }
    if role.managed_by is not None:
        payload["tags"] = {"bot_id": str(role.managed_by)}
    return payload


def attachment_payload(attachment: Attachment) -> Payload:
    """Return an attachment object."""
    payload: Payload = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.data),
        "url": attachment.url,
        "proxy_url": attachment.url,
        "content_type": attachment.content_type,
    }
    if attachment.description:
        payload["description"] = attachment.description
    return payload


class Serializer:
    """Payloads that need to look around in the world."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages

    def application(self) -> Payload:
        """Return the bot's application, its flags telling which privileged intents it has."""
        settings = self._world.settings
        flags = sum(flag for intent, flag in _INTENT_FLAGS.items() if settings.privileged_intents & intent)
        return {
            "id": str(self._world.bot.id),
            "name": settings.bot_name,
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": user_payload(self._world.owner),
            "team": None,
            "flags": flags,
            "rpc_origins": [],
            "tags": [],
            "bot": user_payload(self._world.bot),
        }

    def member(self, guild: Guild, member: Member, *, with_user: bool = True) -> Payload:
        """Return a member object."""
        payload: Payload = {
            "nick": member.nick,
            "avatar": None,
            "roles": [str(role_id) for role_id in member.role_ids],
            "joined_at": member.joined_at.isoformat(),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "permissions": str(int(self._world.guild_permissions(member.user_id, guild))),
        }
        if with_user:
            payload["user"] = user_payload(self._world.users[member.user_id])
        return payload

    def channel(self, channel: Channel) -> Payload:
        """Return a channel, thread or direct message object."""
        payload: Payload = {
            "id": str(channel.id),
            "type": int(channel.kind),
            "last_message_id": str(channel.last_message_id) if channel.last_message_id else None,
            "flags": 0,
        }
        if channel.kind is ChannelKind.DM:
            payload["recipients"] = [user_payload(self._world.users[channel.recipient_id or 0])]
            return payload
        payload |= {
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "parent_id": str(channel.parent_id) if channel.parent_id else None,
            "rate_limit_per_user": 0,
        }
        return payload | (self._thread_part(channel) if channel.is_thread else _text_part(channel))

    def _thread_part(self, channel: Channel) -> Payload:
        stamp = channel.created_at.isoformat()
        return {
            "owner_id": str(channel.owner_id),
            "message_count": len(self._messages.history(channel.id)),
            "total_message_sent": len(self._messages.history(channel.id)),
            "member_count": 1,
            "thread_metadata": {
                "archived": channel.archived,
                "locked": channel.locked,
                "auto_archive_duration": 4320,
                "archive_timestamp": stamp,
                "create_timestamp": stamp,
            },
            "member": {"id": str(channel.id), "user_id": str(self._world.bot.id), "join_timestamp": stamp, "flags": 0},
        }

    def guild(self, guild: Guild) -> Payload:
        """Return a guild as GUILD_CREATE brings it, with channels, threads and members."""
        channels = [one for one in self._world.channels.values() if one.guild_id == guild.id]
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "owner_id": str(guild.owner_id),
            "preferred_locale": "en-US",
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "system_channel_flags": 0,
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [role_payload(role) for role in guild.roles.values()],
            "member_count": len(guild.members),
            "members": [self.member(guild, member) for member in guild.members.values()],
            "channels": [self.channel(one) for one in channels if not one.is_thread],
            "threads": [self.channel(one) for one in channels if one.is_thread and not one.archived],
            "voice_states": [],
            "presences": [],
            "large": False,
        }

    def message(
        self, message: Message, *, hide_content: bool = False, on_gateway: bool = False, with_nonce: bool = False
    ) -> Payload:
        """Return a message object; `hide_content` is for a bot without the intent to read it.

        A nonce is told only when its message is created, so it finds no message in the history.
        """
        author = self._world.users[message.author_id]
        payload: Payload = {
            "id": str(message.id),
            "type": message.kind,
            "channel_id": str(message.channel_id),
            "author": user_payload(author),
            "content": "" if hide_content else message.content,
            "embeds": [] if hide_content else list(message.embeds),
            "components": [] if hide_content else list(message.components),
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
            payload |= self._reply_part(message, hide_content=hide_content)
        if on_gateway and (guild := self._world.guilds.get(message.guild_id or 0)):
            payload["guild_id"] = str(guild.id)
            if member := guild.members.get(message.author_id):
                payload["member"] = self.member(guild, member, with_user=False)
        if message.interaction_id:
            # A response comes by the application's webhook.
            payload |= {"application_id": str(self._world.bot.id), "webhook_id": str(self._world.bot.id)}
        return payload

    def _reply_part(self, message: Message, *, hide_content: bool) -> Payload:
        target = self._messages.get(message.reply_to)
        reference = {"type": 0, "message_id": str(message.reply_to), "channel_id": str(message.channel_id)}
        if message.guild_id:
            reference["guild_id"] = str(message.guild_id)
        hidden = hide_content and bool(target) and (target.author_id if target else 0) != self._world.bot.id
        return {
            "message_reference": reference,
            "referenced_message": self.message(target, hide_content=hidden) if target else None,
        }

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
            return {"user": user, "context": 1, "authorizing_integration_owners": {"0": "0"}}
        member = self.member(guild, guild.members[interaction.user_id]) | {"permissions": str(int(allowed))}
        return {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member,
            "context": 0,
            "authorizing_integration_owners": {"0": str(guild.id)},
        }

    def callback(self, interaction: Interaction) -> Payload:
        """Return what `with_response` asks for (API reference, interaction callback response)."""
        about: Payload = {"id": str(interaction.id), "type": int(interaction.kind)}
        resource: Payload = {"type": int(interaction.response or 0)}
        original = self._messages.get(interaction.original_id)
        if original:
            about |= {
                "response_message_id": str(original.id),
                "response_message_loading": original.thinking,
                "response_message_ephemeral": original.ephemeral,
            }
            resource["message"] = self.message(original)
        return {"interaction": about, "resource": resource}

    def hides(self, message: Message, intents: int) -> bool:
        """Whether the bot may not read this: the exceptions are its own, direct, and those that mention it."""
        return not (
            intents & Intent.MESSAGE_CONTENT
            or message.author_id == self._world.bot.id
            or message.guild_id is None
            or self._world.bot.id in message.pings.users
        )


def _text_part(channel: Channel) -> Payload:
    overwrites = [
        {"id": str(one.target_id), "type": int(not one.for_role), "allow": str(one.allow), "deny": str(one.deny)}
        for one in channel.overwrites.values()
    ]
    return {"position": channel.position, "permission_overwrites": overwrites, "topic": None, "nsfw": False}
