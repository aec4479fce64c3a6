"""Whom a text pings, under allowed_mentions (API reference, allowed mentions object). No I/O."""

import re
from dataclasses import dataclass

from playground.discord.errors import invalid_form
from playground.discord.model import Pings
from playground.discord.payloads import Payload, as_id

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
# Discord reads no mention inside code.
_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is there to be pinged, and what the author may do."""

    users: frozenset[int]
    roles: frozenset[int]
    everyone: bool
    replied_user: int | None = None


def pings(text: str, allowed: Payload | None, audience: Audience) -> Pings:
    """Return the notifications that Discord would send.

    Without allowed_mentions everything in the text pings, and so does a reply: that default is what a bot must avoid.
    """
    spoken = _CODE.sub("", text)
    users = {int(found) for found in _USER.findall(spoken)} & audience.users
    roles = {int(found) for found in _ROLE.findall(spoken)} & audience.roles
    everyone = audience.everyone and bool(_EVERYONE.search(spoken))
    reply = {audience.replied_user} if audience.replied_user else set()
    if allowed is None:
        return Pings(everyone=everyone, users=frozenset(users | reply), roles=frozenset(roles))
    parse = allowed.get("parse") or []
    named = {kind: {as_id(entry) for entry in allowed.get(kind) or []} for kind in ("users", "roles")}
    for kind, ids in named.items():
        if ids and kind in parse:
            raise invalid_form(
                ["allowed_mentions"], "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f"parse:{kind} and {kind} exclude"
            )
    return Pings(
        everyone=everyone and "everyone" in parse,
        users=frozenset((users if "users" in parse else users & named["users"]) | _if(allowed, reply)),
        roles=frozenset(roles if "roles" in parse else roles & named["roles"]),
    )


def _if(allowed: Payload, reply: set[int]) -> set[int]:
    return reply if allowed.get("replied_user") else set()
