"""Guilds, channels, people and commands: each change announces itself, so nothing is told twice or forgotten."""

from collections.abc import Iterable

from playground.discord.errors import (
    archived_thread,
    locked_thread,
    missing_access,
    missing_permissions,
    unknown_channel,
    unknown_guild,
)
from playground.discord.events import Event, EventKind, Feed
from playground.discord.model import Channel, ChannelKind, CommandKind, Guild, Member, Overwrite, Role, User
from playground.discord.payloads import Payload, Snowflakes
from playground.discord.permissions import ALL, USUAL, Permission, in_channel, in_guild
from playground.discord.settings import Settings

_BOT_OWNER_ID = 1_000_000_000_000_000_002


class World:
    """The store of everything but messages and interactions."""

    def __init__(self, settings: Settings, feed: Feed) -> None:
        self.settings = settings
        self.feed = feed
        self.ids = Snowflakes()
        self.bot = User(settings.bot_id, settings.bot_name, bot=True)
        self.owner = User(_BOT_OWNER_ID, "operator")
        self.users: dict[int, User] = {self.bot.id: self.bot, self.owner.id: self.owner}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        # By guild; None holds the global ones.
        self.commands: dict[int | None, list[Payload]] = {}

    def restore(
        self,
        users: Iterable[User],
        guilds: Iterable[Guild],
        channels: Iterable[Channel],
        commands: Iterable[tuple[int | None, list[Payload]]],
    ) -> None:
        """Replace everything by what an earlier run had; the bot keeps the name that its settings give it."""
        self.users = {user.id: user for user in users} | {self.bot.id: self.bot, self.owner.id: self.owner}
        self.guilds = {guild.id: guild for guild in guilds}
        self.channels = {channel.id: channel for channel in channels}
        self.commands = dict(commands)

    # People and guilds

    def add_user(self, name: str) -> User:
        """Create an account."""
        user = User(self.ids.next(), name)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, *, bot_permissions: int, owner: User | None = None) -> Guild:
        """Create a server with the bot in it, as after an invitation: its permissions come by a role of its own."""
        owner = owner or self.add_user(f"{name}'s owner")
        guild = Guild(self.ids.next(), name, owner_id=owner.id)
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(USUAL), position=0)
        guild.members[guild.owner_id] = Member(guild.owner_id)
        self.guilds[guild.id] = guild
        self.add_bot(guild, permissions=bot_permissions)
        return guild

    def add_bot(self, guild: Guild, *, permissions: int) -> None:
        """Invite the bot."""
        role = Role(self.ids.next(), self.bot.name, permissions, managed_by=self.bot.id)
        guild.roles[role.id] = role
        guild.members[self.bot.id] = Member(self.bot.id, [role.id])
        self.feed.publish(Event(kind=EventKind.GUILD_CREATE, guild=guild))

    def remove_bot(self, guild: Guild) -> None:
        """Remove the bot from a server, which goes on without it."""
        del guild.members[self.bot.id]
        for role in [role for role in guild.roles.values() if role.managed_by == self.bot.id]:
            del guild.roles[role.id]
        self.feed.publish(Event(kind=EventKind.GUILD_DELETE, guild=guild))

    def add_role(self, guild: Guild, name: str, *, permissions: int, mentionable: bool) -> Role:
        """Create a role."""
        role = Role(self.ids.next(), name, permissions, len(guild.roles), mentionable)
        guild.roles[role.id] = role
        self.feed.publish(Event(kind=EventKind.GUILD_ROLE_CREATE, guild=guild, role=role))
        return role

    def set_permissions(self, guild: Guild, role: Role, permissions: int) -> None:
        """Change what a role allows."""
        role.permissions = permissions
        self.feed.publish(Event(kind=EventKind.GUILD_ROLE_UPDATE, guild=guild, role=role))

    def set_roles(self, guild: Guild, member: Member, roles: Iterable[Role]) -> None:
        """Replace a member's roles."""
        member.role_ids = [role.id for role in roles]
        self.feed.publish(Event(kind=EventKind.GUILD_MEMBER_UPDATE, guild=guild, member=member))

    def add_member(self, guild: Guild, user: User, roles: Iterable[Role]) -> Member:
        """Let a user join."""
        member = Member(user.id, [role.id for role in roles])
        guild.members[user.id] = member
        return member

    # Channels

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """Create a text channel."""
        position = sum(channel.guild_id == guild.id for channel in self.channels.values())
        channel = Channel(self.ids.next(), ChannelKind.TEXT, name, guild.id, position=position)
        self.channels[channel.id] = channel
        self.feed.publish(Event(kind=EventKind.CHANNEL_CREATE, channel=channel))
        return channel

    def add_thread(self, parent: Channel, name: str, owner_id: int, *, thread_id: int | None = None) -> Channel:
        """Create a public thread; one that grows from a message has the message's id."""
        thread = Channel(
            thread_id or self.ids.next(),
            ChannelKind.PUBLIC_THREAD,
            name,
            parent.guild_id,
            parent_id=parent.id,
            owner_id=owner_id,
        )
        self.channels[thread.id] = thread
        self.feed.publish(Event(kind=EventKind.THREAD_CREATE, channel=thread))
        return thread

    def dm_with(self, user: User) -> Channel:
        """Return the one direct message channel between the bot and a user."""
        for channel in self.channels.values():
            if channel.recipient_id == user.id:
                return channel
        channel = Channel(self.ids.next(), ChannelKind.DM, recipient_id=user.id)
        self.channels[channel.id] = channel
        return channel

    def delete_channel(self, channel: Channel) -> None:
        """Remove a channel, and with a parent its threads."""
        for thread in [one for one in self.channels.values() if one.parent_id == channel.id]:
            self.delete_channel(thread)
        del self.channels[channel.id]
        kind = EventKind.THREAD_DELETE if channel.is_thread else EventKind.CHANNEL_DELETE
        self.feed.publish(Event(kind=kind, channel=channel))

    def set_thread(self, thread: Channel, *, archived: bool, locked: bool) -> None:
        """Archive, lock or reopen."""
        thread.archived, thread.locked = archived, locked
        self.feed.publish(Event(kind=EventKind.THREAD_UPDATE, channel=thread))

    def rename(self, channel: Channel, name: str) -> None:
        """Give a channel or thread another name."""
        channel.name = name
        kind = EventKind.THREAD_UPDATE if channel.is_thread else EventKind.CHANNEL_UPDATE
        self.feed.publish(Event(kind=kind, channel=channel))

    def overwrite(self, channel: Channel, target: Role | User, *, allow: int, deny: int) -> None:
        """Allow or deny something here to a role or a user, replacing what was set for them."""
        channel.overwrites[target.id] = Overwrite(target.id, isinstance(target, Role), allow, deny)
        self.feed.publish(Event(kind=EventKind.CHANNEL_UPDATE, channel=channel))

    # Commands

    def set_commands(self, guild_id: int | None, commands: list[Payload]) -> list[Payload]:
        """Replace the commands of a place; a command that keeps its name and type keeps its id."""
        before = {(old["name"], old["type"]): old["id"] for old in self.commands.get(guild_id, [])}
        registered = []
        for sent in commands:
            command = {
                "type": int(CommandKind.CHAT_INPUT),
                "description": "",
                "options": [],
                "default_member_permissions": None,
                "nsfw": False,
                "application_id": str(self.bot.id),
                "version": str(self.ids.next()),
                **{key: value for key, value in sent.items() if value is not None},
            }
            command["id"] = before.get((command["name"], command["type"])) or str(self.ids.next())
            if guild_id:
                command["guild_id"] = str(guild_id)
            registered.append(command)
        self.commands[guild_id] = registered
        names = [command["name"] for command in registered]
        self.feed.publish(Event(kind=EventKind.COMMANDS, data={"guild_id": guild_id, "names": names}))
        return registered

    # Rules

    def permissions(self, user_id: int, channel: Channel) -> int:
        """Return what a user may do in a channel; in a direct message there is nothing to forbid."""
        if channel.guild_id is None:
            return ALL if user_id in (channel.recipient_id, self.bot.id) else 0
        guild = self.guilds[channel.guild_id]
        member = guild.members.get(user_id)
        if member is None:
            return 0
        parent = self.channels[channel.parent_id] if channel.parent_id else channel
        return in_channel(guild, member, parent)

    def guild_permissions(self, user_id: int, guild: Guild) -> int:
        """Return what a user may do in a guild, whatever its channels say."""
        return in_guild(guild, guild.members[user_id])

    def channel(self, channel_id: int) -> Channel:
        """Return a channel that the bot sees, or raise what Discord answers."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown_channel()
        if not self.permissions(self.bot.id, channel) & Permission.VIEW_CHANNEL:
            raise missing_access()
        return channel

    def require(self, channel: Channel, permission: Permission) -> None:
        """Raise unless the bot may do this here."""
        if not self.permissions(self.bot.id, channel) & permission:
            raise missing_permissions()

    def bot_guilds(self) -> list[Guild]:
        """Return the servers that the bot is in."""
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def guild(self, guild_id: int) -> Guild:
        """Return a server that the bot is in, or raise what Discord answers."""
        guild = self.guilds.get(guild_id)
        if guild is None:
            raise unknown_guild()
        if self.bot.id not in guild.members:
            raise missing_access()
        return guild

    def require_writable(self, channel: Channel, *, posting: bool) -> None:
        """Raise where a thread takes no post or no edit (topics, threads); a post reopens an archived thread."""
        shut = self._is_locked_for_bot(channel)
        if channel.archived and (shut or not posting):
            raise archived_thread()
        if shut:
            raise locked_thread()
        if channel.archived:
            self.set_thread(channel, archived=False, locked=channel.locked)

    def require_deletable(self, channel: Channel) -> None:
        """Raise where a thread does not even let messages be deleted: it is both locked and archived."""
        if channel.archived and self._is_locked_for_bot(channel):
            raise archived_thread()

    def _is_locked_for_bot(self, channel: Channel) -> bool:
        return channel.locked and not self.permissions(self.bot.id, channel) & Permission.MANAGE_THREADS
