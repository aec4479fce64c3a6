"""What the loopback Discord sends is what Discord publishes, checked on everything that one tour of it brings."""

import asyncio
import re

import discord_typings
import pytest
from pydantic import ValidationError

from playground.discord import EventKind
from playground.discord.api import BASE
from tests.playground import published
from tests.playground.published import (
    ActiveThreads,
    CallbackResponse,
    ErrorBody,
    RateLimitBody,
    check,
    kind_of_event,
)
from tests.playground.recorder import Record, Recorded
from tests.playground.tour import touring

_NOTHING: published.Kind = type(None)
_COMMANDS = ("/applications/{application}/commands", "/applications/{application}/guilds/{guild}/commands")
_TOKEN_MESSAGE = "/webhooks/{application}/{token}/messages/{message}"
ANSWERS: dict[tuple[str, str], published.Kind] = {
    ("GET", "/gateway"): discord_typings.GetGatewayData,
    ("GET", "/gateway/bot"): discord_typings.GetGatewayBotData,
    ("GET", "/users/@me"): discord_typings.UserData,
    ("GET", "/users/{user}"): discord_typings.UserData,
    ("POST", "/users/@me/channels"): discord_typings.DMChannelData,
    ("GET", "/applications/@me"): discord_typings.ApplicationData,
    ("GET", "/oauth2/applications/@me"): discord_typings.ApplicationData,
    ("GET", "/channels/{channel}"): discord_typings.ChannelData,
    ("PATCH", "/channels/{channel}"): discord_typings.ChannelData,
    ("DELETE", "/channels/{channel}"): discord_typings.ChannelData,
    ("GET", "/channels/{channel}/messages"): list[discord_typings.MessageData],
    ("POST", "/channels/{channel}/messages"): discord_typings.MessageData,
    ("GET", "/channels/{channel}/messages/{message}"): discord_typings.MessageData,
    ("PATCH", "/channels/{channel}/messages/{message}"): discord_typings.MessageData,
    ("DELETE", "/channels/{channel}/messages/{message}"): _NOTHING,
    ("POST", "/channels/{channel}/messages/bulk-delete"): _NOTHING,
    ("POST", "/channels/{channel}/typing"): _NOTHING,
    ("POST", "/channels/{channel}/threads"): discord_typings.ThreadChannelData,
    ("POST", "/channels/{channel}/messages/{message}/threads"): discord_typings.ThreadChannelData,
    ("GET", "/guilds/{guild}"): discord_typings.GuildData,
    ("GET", "/guilds/{guild}/channels"): list[discord_typings.ChannelData],
    ("GET", "/guilds/{guild}/roles"): list[discord_typings.RoleData],
    ("GET", "/guilds/{guild}/members/{user}"): discord_typings.GuildMemberData,
    ("GET", "/guilds/{guild}/threads/active"): ActiveThreads,
    ("POST", "/interactions/{interaction}/{token}/callback"): CallbackResponse,
    ("POST", "/webhooks/{application}/{token}"): discord_typings.MessageData,
    ("GET", _TOKEN_MESSAGE): discord_typings.MessageData,
    ("PATCH", _TOKEN_MESSAGE): discord_typings.MessageData,
    ("DELETE", _TOKEN_MESSAGE): _NOTHING,
}
for _path in _COMMANDS:
    ANSWERS |= {
        ("GET", _path): list[discord_typings.ApplicationCommandData],
        ("PUT", _path): list[discord_typings.ApplicationCommandData],
        ("POST", _path): discord_typings.ApplicationCommandData,
        ("GET", _path + "/{command}"): discord_typings.ApplicationCommandData,
        ("PATCH", _path + "/{command}"): discord_typings.ApplicationCommandData,
        ("DELETE", _path + "/{command}"): _NOTHING,
    }
_TOLD_TO_TOOLS_ONLY = {
    EventKind.INTERACTION_RESPONSE,
    EventKind.TYPING,
    EventKind.COMMANDS,
    EventKind.SESSION_REFUSED,
    EventKind.CONNECTION_LOST,
    EventKind.RATE_LIMITED,
    EventKind.UNKNOWN_ROUTE,
}


class Toured:
    def __init__(self, record: Record, routes: set[tuple[str, str]]) -> None:
        self.events = record.events
        self.routes = routes
        self.answers = record.answers

    def route_of(self, answer: Recorded) -> tuple[str, str] | None:
        """The route with the fewest variable parts that fits."""
        fitting = [
            (method, path)
            for method, path in self.routes
            if method == answer.method
            and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), answer.path.removeprefix(BASE))
        ]
        return min(fitting, key=lambda route: route[1].count("{"), default=None)


async def _tour() -> Toured:
    async with touring() as (tour, record):
        await tour.go()
        router = tour.server._runner.app.router
        routes = {
            (route.method, route.resource.canonical.removeprefix(BASE))
            for route in router.routes()
            if route.resource and route.resource.canonical.startswith(BASE) and route.method != "HEAD"
        }
        assert tour.server.unknown_routes == [f"GET {BASE}/nowhere"]
    return Toured(record, routes)


@pytest.fixture(scope="module")
def toured() -> Toured:
    return asyncio.run(_tour())


def test_the_tour_calls_every_route_there_is(toured: Toured) -> None:
    served = {toured.route_of(answer) for answer in toured.answers if answer.status < 300}
    assert served - {None} == toured.routes


def test_the_tour_receives_every_gateway_event_there_is(toured: Toured) -> None:
    # Members in chunks come on request, so no event of the world stands for them.
    expected = {kind.value for kind in EventKind} - _TOLD_TO_TOOLS_ONLY | {"GUILD_MEMBERS_CHUNK"}
    assert {name for name, _ in toured.events} == expected


def test_every_answer_is_as_published(toured: Toured) -> None:
    for answer in toured.answers:
        route = toured.route_of(answer)
        if answer.status == 429:
            check(RateLimitBody, answer.body)
        elif answer.status >= 400:
            check(ErrorBody, answer.body)
        else:
            assert route
            check(ANSWERS[route], answer.body)


def test_every_event_is_as_published(toured: Toured) -> None:
    for name, data in toured.events:
        check(kind_of_event(name), data)


def test_every_kind_of_interaction_and_of_error_was_among_them(toured: Toured) -> None:
    kinds = {data["type"] for name, data in toured.events if name == "INTERACTION_CREATE"}
    assert kinds == {2, 3, 4, 5}
    assert {400, 404, 429} <= {answer.status for answer in toured.answers}


@pytest.mark.parametrize("difference", published.DIFFERENCES, ids=lambda difference: difference.reason)
def test_what_is_said_of_the_types_is_still_true(toured: Toured, difference: published.Difference) -> None:
    """A difference that discord-typings has learnt must go from the list."""

    def fails(kind: published.Kind, payload: published.Json) -> bool:
        try:
            published.adapter(kind).validate_python(published.as_typed(payload, besides=difference))
        except ValidationError:
            return True
        return False

    answers = [(ANSWERS[route], answer.body) for answer in toured.answers if (route := toured.route_of(answer))]
    events = [(kind_of_event(name), data) for name, data in toured.events]
    assert any(fails(kind, payload) for kind, payload in answers + events)


def test_a_wrong_payload_is_noticed(toured: Toured) -> None:
    message = next(data for name, data in toured.events if name == "MESSAGE_CREATE")
    for broken in (message | {"id": 1.5}, message | {"author": {}}, message | {"mentions": None}):
        with pytest.raises(ValidationError):
            check(discord_typings.MessageCreateData, broken)
