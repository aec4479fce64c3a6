"""What each visitor gets to see, as the page's JSON: their channels, the people, the messages."""

from collections.abc import Iterator
from urllib.parse import quote

from playground.discord import Actor, LoopbackDiscord, Message, Permission
from playground.discord.model import Attachment, Channel, ChannelKind, Guild, InteractionKind, Member, User
from playground.discord.payloads import Payload
from playground.page.ports import About, BotControls
from playground.page.reading import actor_of
from playground.page.refusals import RefusedError

_NEWEST = 100
_QUOTED = 200
_KINDS = {ChannelKind.TEXT: "text", ChannelKind.PUBLIC_THREAD: "thread", ChannelKind.DM: "dm"}
_MODERATES = Permission.MANAGE_MESSAGES | Permission.MANAGE_CHANNELS | Permission.MANAGE_GUILD


class Views:
    """The one server of a playground, through the eyes of its users."""

    def __init__(self, discord: LoopbackDiscord, about: About, bot: BotControls) -> None:
        self._discord = discord
        self._about = about
        self._bot = bot

    def viewer(self, user: str | None) -> Actor:
        """Return whoever a tab names, and for a tab that names nobody yet the server's first member.

        Raises RefusedError for anybody but a person.
        """
        if user:
            return actor_of(self._discord, user)
        guild = self._guild
        people = (
            [one for one in map(self._discord.world.users.get, guild.members) if one and not one.bot] if guild else []
        )
        if guild is None or not people:
            raise RefusedError("Nobody is in the server yet.", status=404)
        return Actor(self._discord, people[0])

    # The world

    def world(self, me: Actor) -> Payload:
        """Return everything but messages."""
        world, guild = self._discord.world, self._guild
        return {
            "me": str(me.id),
            "bot_id": str(world.bot.id),
            "users": [self._user(user, guild) for user in self._users(me, guild)],
            "server": {"id": str(guild.id) if guild else "", "name": guild.name if guild else ""},
            "channels": [self._channel(me, channel) for channel in self.channels(me)],
            "commands": [*(world.commands.get(guild.id, []) if guild else []), *world.commands.get(None, [])],
            "demo": {"model": self._about.model, "embedded": self._about.embedded, "note": self._about.note},
            "bot": {
                "state": str(self._bot.state),
                "since": self._bot.since.isoformat(),
                "can_restart": self._bot.can_restart,
            },
        }

    def channels(self, me: Actor) -> list[Channel]:
        """Return what they see: text channels in their order, threads by age, the direct messages with the bot."""
        direct = me.dm.model
        guild_id = self._guild.id if self._guild else None
        seen = [
            channel
            for channel in self._discord.world.channels.values()
            if channel.guild_id is not None
            and channel.guild_id == guild_id
            and me.may(channel, Permission.VIEW_CHANNEL)
        ]
        return [*sorted(seen, key=lambda channel: (channel.is_thread, channel.position, channel.id)), direct]

    @property
    def _guild(self) -> Guild | None:
        return next(iter(self._discord.world.guilds.values()), None)

    def _users(self, me: Actor, guild: Guild | None) -> Iterator[User]:
        ids = dict.fromkeys([me.id, self._discord.world.bot.id, *(guild.members if guild else ())])
        return (self._discord.world.users[user_id] for user_id in sorted(ids))

    def _user(self, user: User, guild: Guild | None) -> Payload:
        member = guild.members.get(user.id) if guild else None
        role = self._role(guild, member) if guild and member and not user.bot else ""
        return {"id": str(user.id), "name": user.name, "bot": user.bot, "role": role}

    def _role(self, guild: Guild, member: Member) -> str:
        if member.user_id == guild.owner_id:
            return "owner"
        return "moderator" if self._discord.world.guild_permissions(member.user_id, guild) & _MODERATES else "member"

    def _channel(self, me: Actor, channel: Channel) -> Payload:
        reason = me.why_not_write(channel)
        return {
            "id": str(channel.id),
            "kind": _KINDS[channel.kind],
            "name": self._discord.world.bot.name if channel.kind is ChannelKind.DM else channel.name,
            "parent": str(channel.parent_id) if channel.parent_id else None,
            "archived": channel.archived,
            "locked": channel.locked,
            "may_write": not reason,
            "permissions": str(int(self._discord.world.permissions(me.id, channel))),
            "writable_reason": reason,
        }

    # Messages

    def messages(self, me: Actor) -> list[Payload]:
        """Return the newest messages of each channel, oldest first."""
        found: list[Message] = []
        for channel in self.channels(me):
            history = self._discord.messages.history(channel.id, hidden=True)
            found += [message for message in history if me.sees(message)][-_NEWEST:]
        return [self.message(me, message) for message in sorted(found, key=lambda message: message.id)]

    def message(self, me: Actor, message: Message) -> Payload:
        """Return one state of a message."""
        return {
            "id": str(message.id),
            "channel": str(message.channel_id),
            "author": str(message.author_id),
            "content": message.content,
            "at": message.created_at.isoformat(),
            "edited": message.edited_at is not None,
            "thinking": message.thinking,
            "ephemeral": message.ephemeral,
            "reply_to": str(message.reply_to) if message.reply_to else None,
            "reply": self._reply(message),
            "used": self._used(message),
            "pings_me": self._pings(me, message),
            "attachments": [_attachment(one) for one in message.attachments],
            "components": list(message.components),
            "embeds": [] if message.suppresses_embeds else list(message.embeds),
        }

    def _reply(self, message: Message) -> Payload | None:
        if message.reply_to is None:
            return None
        target = self._discord.messages.get(message.reply_to)
        if target is None:
            return {"author": "", "text": ""}
        return {"author": str(target.author_id), "text": target.content[:_QUOTED]}

    def _used(self, message: Message) -> Payload | None:
        if message.used is None or message.used.kind is not InteractionKind.COMMAND:
            return None
        # Follow-ups stand below the response, which says it already.
        interaction = self._discord.interactions.get(message.interaction_id)
        if interaction and message.id in interaction.followup_ids:
            return None
        return {"user": str(message.used.user_id), "command": message.used.command}

    def _pings(self, me: Actor, message: Message) -> bool:
        guild = self._discord.world.guilds.get(message.guild_id or 0)
        member = guild.members.get(me.id) if guild else None
        roles = set(member.role_ids) if member else set()
        pings = message.pings
        return message.author_id != me.id and (pings.everyone or me.id in pings.users or bool(roles & pings.roles))


def _attachment(attachment: Attachment) -> Payload:
    return {
        "id": str(attachment.id),
        "name": attachment.filename,
        "size": len(attachment.data),
        "url": f"files/{attachment.id}/{quote(attachment.filename, safe='')}",
        "type": attachment.content_type,
    }
