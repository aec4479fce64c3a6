"""What tests and tools hold: guilds, channels, roles and the course of an interaction."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.discord.errors import RefusedByClientError
from playground.discord.events import Event, EventKind
from playground.discord.model import Channel, Guild, Interaction, Member, Message, ResponseKind, Role
from playground.discord.payloads import Payload
from playground.discord.permissions import USUAL
from playground.discord.validation import walk

if TYPE_CHECKING:
    from playground.discord.actors import Actor
    from playground.discord.server import LoopbackDiscord

DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class ChannelHandle:
    """A channel, thread or direct message."""

    discord: "LoopbackDiscord"
    model: Channel

    @property
    def id(self) -> int:
        """The channel's id."""
        return self.model.id

    def messages(self, *, hidden: bool = False) -> list[Message]:
        """Return the messages, oldest first; `hidden` includes ephemeral ones."""
        return self.discord.messages.history(self.id, hidden=hidden)

    def thread(self, name: str) -> "ChannelHandle":
        """Open a thread here."""
        owner = self.discord.world.guilds[self.model.guild_id or 0].owner_id
        return ChannelHandle(self.discord, self.discord.world.add_thread(self.model, name, owner))

    def archive(self, *, locked: bool = False) -> None:
        """Archive this thread."""
        self.discord.world.set_thread(self.model, archived=True, locked=locked)

    def lock(self) -> None:
        """Lock this thread and leave it active: whoever may not manage threads cannot write in it."""
        self.discord.world.set_thread(self.model, archived=False, locked=True)

    def reopen(self) -> None:
        """Unlock and unarchive this thread."""
        self.discord.world.set_thread(self.model, archived=False, locked=False)

    def delete(self) -> None:
        """Delete this channel or thread with all its messages."""
        self.discord.world.delete_channel(self.model)

    def overwrite(self, target: "Role | Actor", *, allow: int = 0, deny: int = 0) -> None:
        """Allow or deny permissions here to a role or a user."""
        to = target if isinstance(target, Role) else target.user
        self.discord.world.overwrite(self.model, to, allow=allow, deny=deny)

    def deny_bot(self, permissions: int) -> None:
        """Take permissions from the bot here; 0 gives all of them back."""
        self.discord.world.overwrite(self.model, self.discord.world.bot, allow=0, deny=permissions)


@dataclass(frozen=True, slots=True)
class GuildHandle:
    """A server."""

    discord: "LoopbackDiscord"
    model: Guild

    @property
    def id(self) -> int:
        """The guild's id."""
        return self.model.id

    @property
    def everyone(self) -> Role:
        """The role that everybody has."""
        return self.model.roles[self.model.id]

    def add_channel(self, name: str = "general") -> ChannelHandle:
        """Create a text channel."""
        return ChannelHandle(self.discord, self.discord.world.add_channel(self.model, name))

    def add_role(self, name: str, *, permissions: int = 0, mentionable: bool = False) -> Role:
        """Create a role."""
        return self.discord.world.add_role(self.model, name, permissions=permissions, mentionable=mentionable)

    def add_member(self, who: "str | Actor", *, roles: Iterable[Role] = (), permissions: int = 0) -> "Actor":
        """Let somebody join; `permissions` come by a role made for them."""
        actor = self.discord.add_user(who) if isinstance(who, str) else who
        given = list(roles)
        if permissions:
            given.append(self.add_role(f"{actor.name}'s", permissions=permissions))
        self.discord.world.add_member(self.model, actor.user, given)
        return actor

    def set_permissions(self, role: Role, permissions: int) -> None:
        """Replace what a role allows."""
        self.discord.world.set_permissions(self.model, role, permissions)

    def deny_bot(self, permissions: int) -> None:
        """Take permissions from all roles of the bot, @everyone's included: others may need a role of their own."""
        for role in self._bot_roles():
            if role.permissions & permissions:
                self.set_permissions(role, role.permissions & ~permissions)

    def allow_bot(self, permissions: int) -> None:
        """Give permissions to the bot's own role."""
        own = next(role for role in self._bot_roles() if role.managed_by == self.discord.settings.bot_id)
        self.set_permissions(own, own.permissions | permissions)

    def set_bot_roles(self, roles: Iterable[Role]) -> None:
        """Replace the roles that were given to the bot; its own one stays."""
        own = [role for role in self._bot_roles() if role.managed_by == self.discord.settings.bot_id]
        self.discord.world.set_roles(self.model, self._bot, [*own, *roles])

    def remove_bot(self) -> None:
        """Throw the bot out."""
        self.discord.world.remove_bot(self.model)

    def invite_bot(self, *, permissions: int = int(USUAL)) -> None:
        """Let the bot come back."""
        self.discord.world.add_bot(self.model, permissions=permissions)

    @property
    def _bot(self) -> Member:
        return self.model.members[self.discord.settings.bot_id]

    def _bot_roles(self) -> list[Role]:
        return [self.everyone, *(self.model.roles[role_id] for role_id in self._bot.role_ids)]


@dataclass(frozen=True, slots=True)
class Asked:
    """An interaction that a user began, and what the bot made of it so far."""

    discord: "LoopbackDiscord"
    interaction: Interaction

    @property
    def id(self) -> int:
        """The interaction's id."""
        return self.interaction.id

    @property
    def original(self) -> Message:
        """The newest state of the response; LookupError before it and after its deletion."""
        message = self.discord.messages.get(self.interaction.original_id)
        if message is None:
            raise LookupError("There is no response, not yet or no longer.")
        return message

    @property
    def followups(self) -> list[Message]:
        """The newest states of the follow-ups that still exist."""
        found = (self.discord.messages.get(one) for one in self.interaction.followup_ids)
        return [message for message in found if message]

    @property
    def modal(self) -> Payload:
        """The modal that the bot opened; RefusedByClientError if it opened none."""
        if self.interaction.response is not ResponseKind.MODAL:
            raise RefusedByClientError("No form was opened.")
        return self.interaction.response_data

    def expire(self) -> None:
        """Let the token die now, as after fifteen minutes."""
        self.discord.interactions.expire(self.interaction)

    def response(self, *, timeout: float = DEFAULT_TIMEOUT) -> Coroutine[Any, Any, Event]:
        """Wait for the first answer, a deferral included; it may have come already."""
        return self.discord.wait_for(
            lambda event: event.kind is EventKind.INTERACTION_RESPONSE and event.interaction is self.interaction,
            timeout=timeout,
            since=self.interaction.opened,
        )

    def message(
        self, predicate: Callable[[Message], object] | None = None, *, timeout: float = DEFAULT_TIMEOUT
    ) -> Coroutine[Any, Any, Message]:
        """Wait for a state of one of its messages that fits; by default for one that is not "thinking"."""
        return self._message(predicate or (lambda message: not message.thinking), timeout)

    async def _message(self, predicate: Callable[[Message], object], seconds: float) -> Message:
        event = await self.discord.wait_for(
            lambda event: self.owns(event) and event.message and predicate(event.message), timeout=seconds
        )
        if event.message is None:
            raise AssertionError("the predicate asks for a message")
        return event.message

    def owns(self, event: Event) -> bool:
        """Whether an event is about one of this interaction's messages."""
        if event.message is None or event.kind not in (EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE):
            return False
        if event.message.interaction_id == self.id:
            return True
        # A component's update changes the message that it sits on.
        return (
            self.interaction.source_id is not None
            and event.message.id == self.interaction.source_id
            and event.at >= self.interaction.opened
        )


def component(message: Message, wanted: str) -> Payload:
    """Find a component by its custom id or its label."""
    found = [part for part in walk(message.components) if "custom_id" in part]
    for part in found:
        if wanted in (part["custom_id"], part.get("label"), part.get("placeholder")):
            if part.get("disabled"):
                raise RefusedByClientError(f"{wanted!r} is disabled.")
            return part
    there = [part.get("label") or part["custom_id"] for part in found]
    raise RefusedByClientError(f"The message has no {wanted!r}; it has {there}.")
