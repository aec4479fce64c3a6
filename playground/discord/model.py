"""What a Discord is made of: plain values that know no wire, no socket and no rules.

Messages are frozen: an edit makes a new value, so an event that carries a message stays what it was.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag

from playground.discord.payloads import Payload, utc_now


class ChannelKind(IntEnum):
    """The channel types that exist here."""

    TEXT = 0
    DM = 1
    PUBLIC_THREAD = 11


class MessageFlag(IntFlag):
    """The message flags that change how a message behaves."""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


class CommandKind(IntEnum):
    """How a command is used: typed, or from the menu of a user or a message."""

    CHAT_INPUT = 1
    USER = 2
    MESSAGE = 3


class ComponentKind(IntEnum):
    """The component types that are told apart here."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    TEXT_DISPLAY = 10
    FILE = 13
    LABEL = 18


class InteractionKind(IntEnum):
    """What a user did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class ResponseKind(IntEnum):
    """What the bot answered first."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(slots=True)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False
    accepts_dms: bool = True


@dataclass(slots=True)
class Role:
    """A role of one guild; the one with the guild's id is @everyone."""

    id: int
    name: str
    permissions: int = 0
    position: int = 1
    mentionable: bool = False
    managed_by: int | None = None


@dataclass(slots=True)
class Overwrite:
    """What a channel allows or denies one role or member."""

    target_id: int
    for_role: bool
    allow: int = 0
    deny: int = 0


@dataclass(slots=True)
class Channel:
    """A text channel, a thread (has a parent) or a direct message (has a recipient)."""

    id: int
    kind: ChannelKind
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    owner_id: int | None = None
    recipient_id: int | None = None
    position: int = 0
    archived: bool = False
    locked: bool = False
    last_message_id: int | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    created_at: datetime = field(default_factory=utc_now)

    @property
    def is_thread(self) -> bool:
        """Threads follow rules of their own."""
        return self.kind is ChannelKind.PUBLIC_THREAD


@dataclass(slots=True)
class Member:
    """A user in a guild."""

    user_id: int
    role_ids: list[int] = field(default_factory=list)
    nick: str | None = None
    joined_at: datetime = field(default_factory=utc_now)


@dataclass(slots=True)
class Guild:
    """A server."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    filename: str
    data: bytes
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the CDN serves."""

    id: int
    filename: str
    data: bytes = field(repr=False)
    url: str
    content_type: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Pings:
    """Whom a message notifies, after allowed_mentions and permissions had their say."""

    everyone: bool = False
    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.everyone or self.users or self.roles)


@dataclass(frozen=True, slots=True)
class Used:
    """What somebody did that a message answers; it stays told when the interaction itself is long forgotten."""

    kind: InteractionKind
    user_id: int
    command: str = ""
    source_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One state of a message."""

    id: int
    channel_id: int
    author_id: int
    author_name: str
    guild_id: int | None = None
    kind: int = 0
    content: str = ""
    embeds: tuple[Payload, ...] = ()
    components: tuple[Payload, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0
    pings: Pings = Pings()
    reply_to: int | None = None
    nonce: str | int | None = None
    interaction_id: int | None = None
    used: Used | None = None
    seen_by: int | None = None
    created_at: datetime = field(default_factory=utc_now)
    edited_at: datetime | None = None
    edits: int = 0

    @property
    def ephemeral(self) -> bool:
        """Only one user sees it, and no channel endpoint does."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def thinking(self) -> bool:
        """A deferred response that nothing has filled yet."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def suppresses_embeds(self) -> bool:
        """Links do not unfold."""
        return bool(self.flags & MessageFlag.SUPPRESS_EMBEDS)


@dataclass(slots=True, kw_only=True)
class Interaction:
    """What a user did and what became of it; mutable, as its answer arrives in parts."""

    id: int
    token: str
    kind: InteractionKind
    user_id: int
    channel_id: int
    guild_id: int | None
    data: Payload
    opened: float
    command: str = ""
    source_id: int | None = None
    response: ResponseKind | None = None
    response_data: Payload = field(default_factory=dict)
    original_id: int | None = None
    ephemeral: bool = False
    followup_ids: list[int] = field(default_factory=list)
