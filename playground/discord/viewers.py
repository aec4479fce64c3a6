"""What a user sees and may do: the rights that their Discord app knows before they do anything."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.discord.errors import RefusedByClientError
from playground.discord.handles import Asked, ChannelHandle
from playground.discord.model import Channel, Message, User
from playground.discord.permissions import Permission

if TYPE_CHECKING:
    from playground.discord.server import LoopbackDiscord


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user who looks."""

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

    # Rights

    def may(self, channel: Channel, permission: int) -> bool:
        """Whether they have all of these permissions in a channel."""
        wanted = permission
        if channel.is_thread and permission == Permission.SEND_MESSAGES:
            wanted = Permission.SEND_MESSAGES_IN_THREADS
        return self.discord.world.permissions(self.id, channel) & wanted == wanted

    def require(self, channel: ChannelHandle, permission: int) -> None:
        """Raise RefusedByClientError unless they have all of these permissions in a channel."""
        if not self.may(channel.model, permission):
            raise RefusedByClientError(f"{self.name} lacks the permission {_named(permission)} here.")

    def why_not_write(self, channel: Channel) -> str:
        """Return what keeps them from posting in a channel as a sentence, empty if nothing does."""
        if not self.may(channel, Permission.SEND_MESSAGES):
            return f"{self.name} may not write here."
        if channel.locked and not self.may(channel, Permission.MANAGE_THREADS):
            return "This thread is locked: only who may manage threads can write in it."
        return ""

    # What they see

    def sees(self, message: Message) -> bool:
        """Whether a message is shown to them."""
        channel = self.discord.world.channels.get(message.channel_id)
        return channel is not None and message.seen_by in (None, self.id) and self.may(channel, Permission.VIEW_CHANNEL)

    def channel(self, channel_id: int) -> ChannelHandle:
        """Return a channel, a thread or their direct messages by its id. Raises RefusedByClientError."""
        channel = self.discord.world.channels.get(channel_id)
        if channel is None or not self.may(channel, Permission.VIEW_CHANNEL):
            raise RefusedByClientError(f"{self.name} sees no such channel.")
        return ChannelHandle(self.discord, channel)

    def message(self, message_id: int) -> Message:
        """Return the newest state of a message by its id. Raises RefusedByClientError."""
        message = self.discord.messages.get(message_id)
        if message is None or not self.sees(message):
            raise RefusedByClientError(f"{self.name} sees no such message: it may have been deleted.")
        return message

    def asked(self, interaction_id: int) -> Asked:
        """Return an interaction that they began by its id. Raises RefusedByClientError."""
        interaction = self.discord.interactions.get(interaction_id)
        if interaction is None or interaction.user_id != self.id:
            raise RefusedByClientError(f"{self.name} began no such interaction.")
        return Asked(self.discord, interaction)


def _named(permission: int) -> str:
    """The words that Discord's settings have for permissions."""
    names = [bit.name for bit in Permission if bit & permission and bit.name]
    return " and ".join(name.replace("_", " ").title() for name in names) or str(permission)
