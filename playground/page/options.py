"""A command's options as the page sends them, turned into what their types ask for."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from playground.discord import Actor, ChannelHandle, RefusedByClientError
from playground.discord.commands import ATTACHMENT, BOOLEAN, CHANNEL, INTEGER, MENTIONABLE, NUMBER, ROLE, STRING, USER
from playground.discord.model import Role
from playground.discord.payloads import Payload, as_id
from playground.page.reading import File, Order
from playground.page.refusals import RefusedError

Value: TypeAlias = str | int | float | Actor | ChannelHandle | Role | File

_TRUTH = {"true": True, "false": False}
# Discord's integers lie where every float is exact.
_WHOLE = re.compile(r"[+-]?\d{1,16}(?:\.0+)?")
_LARGEST = 2**53


def converted(order: Order, options: Sequence[Payload]) -> dict[str, Value]:
    """Return the values of an order; a blank one counts as not given. Raises RefusedError."""
    return {name: _value(order, kind, name, raw) for name, kind, raw in _given(order, options)}


def typed_so_far(order: Order, options: Sequence[Payload], focused: str) -> dict[str, str | int | float]:
    """Return the values beside the one that is being typed; what is not whole yet is left out."""
    values: dict[str, str | int | float] = {}
    for name, kind, raw in _given(order, options):
        if name == focused or kind == ATTACHMENT:
            continue
        try:
            value = _value(order, kind, name, raw)
        except (RefusedError, RefusedByClientError):
            continue
        if isinstance(value, Actor | ChannelHandle | Role):
            values[name] = str(value.id)
        elif not isinstance(value, tuple):
            values[name] = value
    return values


def _given(order: Order, options: Sequence[Payload]) -> Iterator[tuple[str, int, object]]:
    """Yield name, type and raw value of each option."""
    types = {option["name"]: option["type"] for option in options}
    for name, raw in order.named("options").items():
        if name not in types:
            raise RefusedError(f"The command has no option {name}.")
        if raw not in (None, ""):
            yield name, types[name], raw


def _value(order: Order, kind: int, name: str, raw: object) -> Value:
    convert = _CONVERTERS.get(kind)
    if convert is None:
        raise RefusedError(f"{name} is of a type that the playground does not know.")
    return convert(order, name, raw)


def _text(_: Order, name: str, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise RefusedError(f"{name} must be a text.")
    return str(raw)


def _whole(_: Order, name: str, raw: object) -> int:
    text = "" if isinstance(raw, bool) else str(raw).strip()
    if not _WHOLE.fullmatch(text) or abs(number := int(text.partition(".")[0])) > _LARGEST:
        raise RefusedError(f"{name} must be a whole number, such as 5.")
    return number


def _number(_: Order, name: str, raw: object) -> float:
    try:
        number = math.nan if isinstance(raw, bool) or not isinstance(raw, str | int | float) else float(raw)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RefusedError(f"{name} must be a number, such as 0.5.")
    return number


def _truth(_: Order, name: str, raw: object) -> bool:
    found = _TRUTH.get(str(raw).lower())
    if found is None:
        raise RefusedError(f"{name} must be true or false.")
    return found


def _user(order: Order, name: str, raw: object) -> Actor:
    discord = order.actor.discord
    user = discord.world.users.get(_id(raw, "user") or 0)
    if user is None:
        raise RefusedError(f"{name} must be one of the people here.")
    return Actor(discord, user)


def _channel(order: Order, name: str, raw: object) -> ChannelHandle:
    channel_id = _id(raw, "channel")
    if channel_id is None:
        raise RefusedError(f"{name} must be one of the channels here.")
    return order.actor.channel(channel_id)


def _role(order: Order, name: str, raw: object) -> Role:
    guild = order.actor.discord.world.guilds.get(order.channel.model.guild_id or 0)
    role = guild.roles.get(_id(raw, "role") or 0) if guild else None
    if role is None:
        raise RefusedError(f"{name} must be one of the server's roles.")
    return role


def _mentionable(order: Order, name: str, raw: object) -> Actor | Role:
    return _role(order, name, raw) if isinstance(raw, dict) and "role" in raw else _user(order, name, raw)


def _attachment(order: Order, name: str, raw: object) -> File:
    index = raw.get("file") if isinstance(raw, dict) else None
    if not isinstance(index, int) or not 0 <= index < len(order.files):
        raise RefusedError(f"{name} must be a file.")
    return order.files[index]


def _id(raw: object, key: str) -> int | None:
    """Read an id that stands by itself or under its kind: {"user": ID}."""
    return as_id(raw.get(key) if isinstance(raw, dict) else raw)


_CONVERTERS: dict[int, Callable[[Order, str, object], Value]] = {
    STRING: _text,
    INTEGER: _whole,
    BOOLEAN: _truth,
    USER: _user,
    CHANNEL: _channel,
    ROLE: _role,
    MENTIONABLE: _mentionable,
    NUMBER: _number,
    ATTACHMENT: _attachment,
}
