"""The parts behind the routes, and the record of the calls."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from playground.discord.answers import TOO_MANY
from playground.discord.buckets import Buckets
from playground.discord.faults import Faults
from playground.discord.interactions import Interactions
from playground.discord.messages import Messages
from playground.discord.serialize import Serializer
from playground.discord.world import World

BASE = "/api/v10"
# What counts towards Discord's 10,000 invalid requests in 10 minutes (topics, rate limits).
_INVALID = {401, 403, TOO_MANY}


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call as it was answered; `scope` says of a 429 whose limit was hit."""

    method: str
    path: str
    status: int
    at: float
    seconds: float
    scope: str = ""

    @property
    def is_invalid(self) -> bool:
        """Whether it counts towards a ban."""
        return self.status in _INVALID and self.scope != "shared"


@dataclass(slots=True, kw_only=True)
class Api:
    """What every route needs."""

    world: World
    messages: Messages
    interactions: Interactions
    serializer: Serializer
    buckets: Buckets
    faults: Faults
    calls: deque[Call]
    intents: Callable[[], int]
    base_url: str = ""
    unknown_routes: list[str] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)
    invalid_requests: int = 0

    @property
    def rate_limit_hits(self) -> int:
        """How often a call was answered with 429."""
        return self.counts[TOO_MANY]

    def record(self, call: Call) -> None:
        """Remember a call; old ones are forgotten, but stay counted."""
        self.calls.append(call)
        self.counts[call.status] += 1
        self.invalid_requests += call.is_invalid


API = web.AppKey("api", Api)
