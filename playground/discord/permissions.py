"""Who may do what where, from roles and overwrites (API reference, permissions)."""

from enum import IntFlag

from playground.discord.model import Channel, Guild, Member


class Permission(IntFlag):
    """The bits that this Discord knows; others pass through as numbers."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = (1 << 53) - 1
USUAL = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)


def in_guild(guild: Guild, member: Member) -> int:
    """Return what the roles give, before any channel takes it away."""
    if member.user_id == guild.owner_id:
        return ALL
    given = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        given |= guild.roles[role_id].permissions
    return ALL if given & Permission.ADMINISTRATOR else given


def in_channel(guild: Guild, member: Member, channel: Channel) -> int:
    """Apply overwrites in Discord's order: everyone, the member's roles together, the member.

    For a thread, pass its parent: a thread has no overwrites of its own.
    """
    given = in_guild(guild, member)
    if given == ALL:
        return ALL
    if everyone := channel.overwrites.get(guild.id):
        given = given & ~everyone.deny | everyone.allow
    roles = [channel.overwrites[role_id] for role_id in member.role_ids if role_id in channel.overwrites]
    for overwrite in roles:
        given &= ~overwrite.deny
    for overwrite in roles:
        given |= overwrite.allow
    if own := channel.overwrites.get(member.user_id):
        given = given & ~own.deny | own.allow
    # Who does not see a channel can do nothing in it.
    return given if given & Permission.VIEW_CHANNEL else 0
