"""What one loopback Discord is like: its limits, its patience, and what its application may do."""

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntFlag
from typing import Literal, TypeAlias


class Intent(IntFlag):
    """Gateway intents that decide what a session receives."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


NO_INTENTS = Intent(0)
PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT


def invented_token(bot_id: int) -> str:
    """Return a token of Discord's shape (id, time, signature) that no real Discord accepts."""
    return f"{base64.b64encode(str(bot_id).encode()).decode().rstrip('=')}.Gloopb.{'loopback' * 4}"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in a window of so many seconds; the window opens with its first call."""

    calls: int
    seconds: float


Family: TypeAlias = Literal[
    "message_create", "message_edit", "old_message_edit", "message_read", "typing", "interaction", "total"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Discord documents no numbers for routes: these are the ones that many bots observed. None lifts a limit.

    `old_message_edit` is announced in no header and stands behind `message_edit`. The families in `together`, which
    may be `message_create`, `message_edit` and `interaction`, are counted in one window for each channel, under the
    limit and the bucket hash of the first.
    """

    message_create: Limit | None = Limit(5, 5.0)
    message_edit: Limit | None = Limit(5, 5.0)
    old_message_edit: Limit | None = Limit(3, 20.0)
    message_read: Limit | None = None
    typing: Limit | None = None
    interaction: Limit | None = Limit(5, 5.0)
    total: Limit | None = Limit(50, 1.0)
    together: tuple[Family, ...] = ()

    @classmethod
    def none(cls) -> "RateLimits":
        """Let every call through, for tests that are about something else."""
        return cls(message_create=None, message_edit=None, old_message_edit=None, interaction=None, total=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything about a loopback Discord that a test or a tool may want otherwise; times are in seconds."""

    port: int = 0
    bot_id: int = 1_000_000_000_000_000_001
    bot_name: str = "Llampost"
    token: str = ""
    privileged_intents: Intent = NO_INTENTS
    limits: RateLimits = field(default_factory=RateLimits)
    latency: float = 0.0
    clock_behind: timedelta = timedelta()
    """By how much the date that responses bear is behind this machine's."""
    answer_within: float = 3.0
    token_lifetime: float = 15 * 60.0
    old_after: float = 60 * 60.0
    nonce_lifetime: float = 5 * 60.0
    heartbeat_interval: float = 41.25
    trim_content: bool = True
    max_file_bytes: int = 10 * 1024 * 1024
    max_request_bytes: int = 25 * 1024 * 1024
    history: int = 100_000

    @property
    def accepted_token(self) -> str:
        """The one token that logs in."""
        return self.token or invented_token(self.bot_id)
