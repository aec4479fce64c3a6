"""Answers to REST calls, as Discord puts them on the wire."""

import json
import math
from typing import Literal, TypeAlias

from aiohttp import web

from playground.discord.buckets import Verdict, in_milliseconds
from playground.discord.errors import ApiError, RateLimitedError
from playground.discord.payloads import Payload

Scope: TypeAlias = Literal["user", "global", "shared"]
"""Whose limit was hit: the bot's on a route, the bot's on all routes, or one that all clients of a resource share."""

TOO_MANY = 429
_BANNED = "<!doctype html><title>Access denied</title><p>You are being blocked from accessing our API temporarily.</p>"


def json_answer(payload: Payload | list[Payload], status: int = 200) -> web.Response:
    """Answer as Discord does: discord.py parses a body only if its type is exactly application/json."""
    body = json.dumps(payload).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})


def error_answer(error: ApiError, verdict: Verdict | None = None) -> web.Response:
    """Answer with an error's JSON, and with the headers of the call's bucket."""
    if isinstance(error, RateLimitedError):
        return limited_answer(error.retry_after, bucket=verdict, because=error)
    answer = json_answer(error.payload(), error.status)
    if verdict:
        answer.headers.update(verdict.headers())
    return answer


def limited_answer(
    retry_after: float, *, scope: Scope = "user", bucket: Verdict | None = None, because: ApiError | None = None
) -> web.Response:
    """Refuse a call that came too early (topics, rate limits).

    The bucket's headers may say that calls remain: so a limit looks that no header announces.
    """
    body: Payload = because.payload() if because else {"message": "You are being rate limited."}
    body |= {"retry_after": in_milliseconds(retry_after), "global": scope == "global"}
    answer = json_answer(body, TOO_MANY)
    answer.headers["Retry-After"] = str(math.ceil(retry_after))
    answer.headers["X-RateLimit-Scope"] = scope
    if scope == "global":
        answer.headers["X-RateLimit-Global"] = "true"
    elif bucket:
        answer.headers.update(bucket.headers())
    return answer


def banned_answer(retry_after: float) -> web.Response:
    """Refuse as Cloudflare does for an address that sent too many invalid requests."""
    return web.Response(
        text=_BANNED, status=TOO_MANY, content_type="text/html", headers={"Retry-After": str(math.ceil(retry_after))}
    )
