"""How places look on the wire: the application, guilds with their members, channels."""

from playground.discord.messages import Messages
from playground.discord.model import Channel, ChannelKind, Guild, Member
from playground.discord.objects import role_payload, user_payload
from playground.discord.payloads import Payload
from playground.discord.settings import Intent
from playground.discord.world import World

# Application flags: the two "limited" ones say that the portal's toggles are on (API reference, application flags).
_INTENT_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 19,
}
# What a server has that uses none of this.
_PLAIN_GUILD: Payload = {
    "icon": None,
    "description": None,
    "splash": None,
    "discovery_splash": None,
    "home_header": None,
    "banner": None,
    "application_id": None,
    "region": "deprecated",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "widget_enabled": False,
    "widget_channel_id": None,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "safety_alerts_channel_id": None,
    "vanity_url_code": None,
    "incidents_data": None,
    "preferred_locale": "en-US",
    "verification_level": 0,
    "default_message_notifications": 1,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw": False,
    "nsfw_level": 0,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "premium_progress_bar_enabled": False,
    "max_members": 500_000,
    "max_presences": None,
    "max_video_channel_users": 25,
    "max_stage_video_channel_users": 50,
    "features": [],
    "emojis": [],
    "stickers": [],
}


class Places:
    """Payloads that need to look around in the world, but for messages and interactions."""

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
            "type": None,
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": user_payload(self._world.owner),
            "team": None,
            "flags": flags,
            "flags_new": str(flags),
            "redirect_uris": [],
            "rpc_origins": [],
            "tags": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "integration_types_config": {"0": {"oauth2_install_params": {"scopes": ["bot"], "permissions": "0"}}},
            "approximate_guild_count": len(self._world.bot_guilds()),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "bot": user_payload(self._world.bot),
        }

    def member(self, guild: Guild, member: Member, *, with_user: bool = True) -> Payload:
        """Return a member object."""
        payload: Payload = {
            "nick": member.nick,
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
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

    def guild_alone(self, guild: Guild) -> Payload:
        """Return a guild object, which lists none of its channels and members."""
        return _PLAIN_GUILD | {
            "id": str(guild.id),
            "name": guild.name,
            "owner_id": str(guild.owner_id),
            "roles": [role_payload(role) for role in guild.roles.values()],
        }

    def guild(self, guild: Guild) -> Payload:
        """Return a guild as GUILD_CREATE brings it, with channels, threads and members."""
        channels = [one for one in self._world.channels.values() if one.guild_id == guild.id]
        bot = guild.members[self._world.bot.id]
        return self.guild_alone(guild) | {
            "joined_at": bot.joined_at.isoformat(),
            "member_count": len(guild.members),
            "members": [self.member(guild, member) for member in guild.members.values()],
            "channels": [self.channel(one) for one in channels if not one.is_thread],
            "threads": [self.channel(one) for one in channels if one.is_thread and not one.archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "large": False,
        }


def _text_part(channel: Channel) -> Payload:
    overwrites = [
        {"id": str(one.target_id), "type": int(not one.for_role), "allow": str(one.allow), "deny": str(one.deny)}
        for one in channel.overwrites.values()
    ]
    return {"position": channel.position, "permission_overwrites": overwrites, "topic": None, "nsfw": False}
