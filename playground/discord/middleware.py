"""What every REST call goes through: trouble on demand, authorisation, limits, its answer, the record."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from playground.discord.answers import TOO_MANY, banned_answer, error_answer, json_answer, limited_answer
from playground.discord.api import API, BASE, Api, Call
from playground.discord.buckets import Verdict
from playground.discord.errors import ApiError, not_found, unauthorized
from playground.discord.events import Event, EventKind
from playground.discord.faults import NO_FAULT, Fault

logger = logging.getLogger(__name__)

_BAD_GATEWAY = 502
_ERROR_FROM = 400
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def rest_call(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Take one REST call from its first byte to its answer; everything outside the API passes through."""
    api = request.app[API]
    if "Origin" in request.headers or f"http://{request.host}" != api.base_url:
        # No bot sends one: a page in somebody's browser does, or one that lets a name of its own point here.
        raise web.HTTPForbidden
    fault = api.faults.strike(request.method, request.path) or NO_FAULT
    if not request.path.startswith(BASE):
        # Of all trouble, files know to be slow, to fail, and not to come.
        await _pause(fault.delay)
        if fault.drop or fault.status is not None:
            return await _troubled(request, handler, fault)
        return await handler(request)
    started = time.monotonic()
    half_trip = api.world.settings.latency / 2
    await _pause(half_trip + (0.0 if fault.after else fault.delay))
    answer = await _troubled(request, handler, fault)
    await _pause(half_trip + (fault.delay if fault.after else 0.0))
    if not fault.banned:
        # Without Via discord.py takes a 429 for a ban by Cloudflare and gives up (its http.py, request).
        answer.headers["Via"] = "1.1 loopback"
    _record(api, request, answer, started)
    return answer


async def date(request: web.Request, answer: web.StreamResponse) -> None:
    """Let every response bear the date that it is here."""
    today = datetime.now(UTC) - request.app[API].world.settings.clock_behind
    answer.headers["Date"] = format_datetime(today, usegmt=True)


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _record(api: Api, request: web.Request, answer: web.StreamResponse, started: float) -> None:
    now = time.monotonic()
    scope = answer.headers.get("X-RateLimit-Scope", "")
    api.record(Call(request.method, request.path, answer.status, now, now - started, scope))
    if answer.status == TOO_MANY:
        data = {"method": request.method, "path": request.path}
        api.world.feed.publish(Event(kind=EventKind.RATE_LIMITED, data=data))


async def _troubled(request: web.Request, handler: _Handler, fault: Fault) -> web.StreamResponse:
    answer: web.StreamResponse | None = None
    if fault.after:
        answer = await _answered(request, handler)
    if fault.drop:
        if request.transport:
            request.transport.abort()
        return web.Response(status=_BAD_GATEWAY)
    if fault.status is not None:
        return json_answer({"message": f"{fault.status}: fault", "code": 0}, fault.status)
    if fault.error is not None:
        return error_answer(fault.error, _bucket_of(request.app[API], request))
    if fault.banned:
        return banned_answer(fault.banned)
    if fault.retry_after is not None:
        # The bucket counts the call as well: the limit that strikes stands behind it.
        return limited_answer(fault.retry_after, scope=fault.scope, bucket=_bucket_of(request.app[API], request))
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
        return limited_answer(total.refused_for, scope="global")
    verdict = _bucket_of(api, request)
    if verdict and verdict.refused_for:
        return limited_answer(verdict.refused_for, bucket=verdict)
    try:
        answer = await handler(request)
    except ApiError as error:
        answer = error_answer(error, verdict)
    else:
        answer.headers.update(verdict.headers() if verdict else {})
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
    """Count a call in its bucket; an interaction's callback has none."""
    path = _canonical(request).removeprefix(BASE)
    match request.method, path:
        case "POST", "/channels/{channel}/messages":
            return api.buckets.take("message_create", request.match_info["channel"])
        case "PATCH", "/channels/{channel}/messages/{message}":
            return api.buckets.take("message_edit", request.match_info["channel"])
        case "GET", "/channels/{channel}/messages" | "/channels/{channel}/messages/{message}":
            return api.buckets.take("message_read", request.match_info["channel"])
        case "POST", "/channels/{channel}/typing":
            return api.buckets.take("typing", request.match_info["channel"])
        case _ if path.startswith("/webhooks/{application}/{token}"):
            token = request.match_info["token"]
            return api.buckets.take("interaction", token, channel=api.interactions.channel_of(token))
        case _:
            return None
