"""What every route needs, and how a call is heard: recorded, troubled, authorised, limited, answered."""

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from playground.discord.buckets import Buckets, Verdict
from playground.discord.errors import ApiError, not_found, unauthorized
from playground.discord.events import Event, EventKind
from playground.discord.faults import Fault, Faults
from playground.discord.interactions import Interactions
from playground.discord.messages import Messages
from playground.discord.payloads import Payload
from playground.discord.serialize import Serializer
from playground.discord.world import World

logger = logging.getLogger(__name__)

BASE = "/api/v10"
_BAD_GATEWAY_FROM = 500
_TOO_MANY = 429
# What counts towards Discord's 10,000 invalid requests in 10 minutes (topics, rate limits).
_INVALID = {401, 403, _TOO_MANY}
_ERROR_FROM = 400


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call as it was answered."""

    method: str
    path: str
    status: int
    at: float
    seconds: float


@dataclass(slots=True, kw_only=True)
class Api:
    """The parts behind the routes, and the record of the calls."""

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

    @property
    def rate_limit_hits(self) -> int:
        """How often a call was answered with 429."""
        return self.counts[_TOO_MANY]

    @property
    def invalid_requests(self) -> int:
        """How many calls count towards a ban."""
        return sum(self.counts[status] for status in _INVALID)


API = web.AppKey("api", Api)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_answer(payload: Payload | list[Payload], status: int = 200) -> web.Response:
    """Answer as Discord does: discord.py parses a body only if its type is exactly application/json."""
    body = json.dumps(payload).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


def error_answer(error: ApiError) -> web.Response:
    """Answer with an error's JSON."""
    return json_answer(error.payload(), error.status)


def limited_answer(verdict: Verdict, scope: str) -> web.Response:
    """Refuse a call that came too early."""
    answer = json_answer(
        {"message": "You are being rate limited.", "retry_after": verdict.refused_for, "global": scope == "global"},
        _TOO_MANY,
    )
    answer.headers.update(verdict.headers())
    answer.headers["Retry-After"] = str(int(verdict.refused_for) + 1)
    answer.headers["X-RateLimit-Scope"] = scope
    if scope == "global":
        answer.headers["X-RateLimit-Global"] = "true"
    return answer


@web.middleware
async def hear(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Take one REST call from its first byte to its answer; everything outside the API passes through."""
    api = request.app[API]
    if not request.path.startswith(BASE):
        return await handler(request)
    started = time.monotonic()
    fault = api.faults.strike(request.method, request.path)
    half_trip = api.world.settings.latency / 2
    await _pause(half_trip + (fault.delay if fault else 0.0))
    answer = await _troubled(request, handler, fault) if fault else await _answered(request, handler)
    await _pause(half_trip)
    # Without Via discord.py takes a 429 for a ban by Cloudflare and gives up (its http.py, request).
    answer.headers["Via"] = "1.1 loopback"
    _record(api, request, answer.status, started)
    return answer


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _record(api: Api, request: web.Request, status: int, started: float) -> None:
    now = time.monotonic()
    api.counts[status] += 1
    api.calls.append(Call(request.method, request.path, status, now, now - started))
    if status == _TOO_MANY:
        data = {"method": request.method, "path": request.path}
        api.world.feed.publish(Event(kind=EventKind.RATE_LIMITED, data=data))


async def _troubled(request: web.Request, handler: _Handler, fault: Fault) -> web.StreamResponse:
    answer: web.StreamResponse | None = None
    if fault.after or fault.delay:
        answer = await _answered(request, handler)
    if fault.drop:
        if request.transport:
            request.transport.abort()
        return web.Response(status=_BAD_GATEWAY_FROM)
    if fault.status is not None:
        return json_answer({"message": f"{fault.status}: fault", "code": 0}, fault.status)
    if fault.retry_after is not None:
        body = {"message": "You are being rate limited.", "retry_after": fault.retry_after, "global": False}
        return json_answer(body, _TOO_MANY)
    return answer or await _answered(request, handler)


async def _answered(request: web.Request, handler: _Handler) -> web.StreamResponse:
    api = request.app[API]
    if request.match_info.http_exception is not None:
        return _unknown(api, request)
    by_token = _is_by_token(request)
    if not by_token and request.headers.get("Authorization") != f"Bot {api.world.settings.accepted_token}":
        return error_answer(unauthorized())
    # Interaction endpoints are not bound by the global limit (interactions, receiving and responding).
    total = None if by_token else api.buckets.take("total", "bot")
    if total and total.refused_for:
        return limited_answer(total, "global")
    verdict = _bucket_of(api, request)
    if verdict and verdict.refused_for:
        return limited_answer(verdict, "user")
    try:
        answer = await handler(request)
    except ApiError as error:
        answer = error_answer(error)
    if verdict:
        answer.headers.update(verdict.headers())
    if answer.status >= _ERROR_FROM:
        logger.info("%s %s answered %s", request.method, request.path, answer.status)
    return answer


def _unknown(api: Api, request: web.Request) -> web.Response:
    route = f"{request.method} {request.path}"
    api.unknown_routes.append(route)
    logger.error("The loopback Discord has no route %s", route)
    api.world.feed.publish(Event(kind=EventKind.UNKNOWN_ROUTE, data={"route": route}))
    return error_answer(not_found())


def _canonical(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _is_by_token(request: web.Request) -> bool:
    """Interactions and their webhooks carry their token in the path."""
    return "{token}" in _canonical(request)


def _bucket_of(api: Api, request: web.Request) -> Verdict | None:
    path = _canonical(request).removeprefix(BASE)
    match request.method, path:
        case "POST", "/channels/{channel}/messages":
            return api.buckets.take("message_create", request.match_info["channel"])
        case "PATCH", "/channels/{channel}/messages/{message}":
            return api.buckets.take("message_edit", request.match_info["channel"])
        case _ if path.startswith("/webhooks/{application}/{token}"):
            return api.buckets.take("interaction", request.match_info["token"])
        case _:
            return None
