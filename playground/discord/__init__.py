"""A small Discord on loopback: real HTTP and a real websocket, for one bot and any number of people."""

from playground.discord.actors import Actor
from playground.discord.errors import RefusedByClientError
from playground.discord.events import Event, EventKind, Watch
from playground.discord.handles import Asked, ChannelHandle, GuildHandle
from playground.discord.model import Message, MessageFlag, Pings, ResponseKind
from playground.discord.permissions import USUAL, Permission
from playground.discord.server import LoopbackDiscord
from playground.discord.settings import Intent, Limit, RateLimits, Settings

__all__ = [
    "USUAL",
    "Actor",
    "Asked",
    "ChannelHandle",
    "Event",
    "EventKind",
    "GuildHandle",
    "Intent",
    "Limit",
    "LoopbackDiscord",
    "Message",
    "MessageFlag",
    "Permission",
    "Pings",
    "RateLimits",
    "RefusedByClientError",
    "ResponseKind",
    "Settings",
    "Watch",
]
