"""REST calls in words."""

import re
from functools import lru_cache

from playground.discord.api import BASE, Call

_WORDS = {
    "POST /channels/*/messages": "send a message",
    "PATCH /channels/*/messages/*": "edit a message",
    "DELETE /channels/*/messages/*": "delete a message",
    "POST /channels/*/messages/bulk-delete": "delete several messages",
    "GET /channels/*/messages": "read messages",
    "GET /channels/*/messages/*": "read a message",
    "POST /channels/*/typing": "show typing",
    "POST /channels/*/threads": "open a thread",
    "POST /channels/*/messages/*/threads": "open a thread under a message",
    "GET /channels/*": "look up a channel",
    "PATCH /channels/*": "change a channel",
    "DELETE /channels/*": "delete a channel",
    "POST /interactions/*/*/callback": "respond to an interaction",
    "POST /webhooks/*/*": "send a follow-up to an interaction",
    "GET /webhooks/*/*/messages/*": "read a response to an interaction",
    "PATCH /webhooks/*/*/messages/*": "edit a response to an interaction",
    "DELETE /webhooks/*/*/messages/*": "delete a response to an interaction",
    "GET /gateway": "ask for the gateway",
    "GET /gateway/bot": "ask for the gateway",
    "GET /users/@me": "log in",
    "POST /users/@me/channels": "open a direct message",
    "GET /users/*": "look up a user",
    "GET /oauth2/applications/@me": "look up the application",
    "GET /applications/@me": "look up the application",
    "GET /guilds/*": "look up a server",
    "GET /guilds/*/channels": "look up a server's channels",
    "GET /guilds/*/threads/active": "look up a server's threads",
    "GET /guilds/*/roles": "look up a server's roles",
    "GET /guilds/*/members/*": "look up a member",
    "GET /applications/*/commands": "look up commands",
    "PUT /applications/*/commands": "register commands",
    "POST /applications/*/commands": "register a command",
    "GET /applications/*/commands/*": "look up a command",
    "PATCH /applications/*/commands/*": "change a command",
    "DELETE /applications/*/commands/*": "remove a command",
    "GET /applications/*/guilds/*/commands": "look up commands",
    "PUT /applications/*/guilds/*/commands": "register commands",
    "POST /applications/*/guilds/*/commands": "register a command",
    "GET /applications/*/guilds/*/commands/*": "look up a command",
    "PATCH /applications/*/guilds/*/commands/*": "change a command",
    "DELETE /applications/*/guilds/*/commands/*": "remove a command",
}
_EDITS = {"edit a message", "edit a response to an interaction"}


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.escape(route).replace(r"\*", "[^/]+"))


# Where several fit, the one with fewer places for any name is meant.
_PATTERNS = sorted(
    ((_pattern(route), words) for route, words in _WORDS.items()), key=lambda one: one[0].pattern.count("[")
)


def words_of(call: Call) -> str:
    """Return what a call does, such as "edit a message"; its method and path where that is not known."""
    return _words(call.method, call.path.removeprefix(BASE))


def is_edit(call: Call) -> bool:
    """Whether a call changed what a message says."""
    return call.method == "PATCH" and call.status < 300 and words_of(call) in _EDITS  # noqa: PLR2004 (HTTP's own number)


@lru_cache(maxsize=1024)
def _words(method: str, path: str) -> str:
    route = f"{method} {path}"
    return next((words for pattern, words in _PATTERNS if pattern.fullmatch(route)), route)
