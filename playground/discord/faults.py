"""Trouble on demand: the next calls of a kind fail, vanish, take long or are rate limited."""

import re
from dataclasses import dataclass

from playground.discord.answers import Scope
from playground.discord.errors import ApiError


@dataclass(slots=True, kw_only=True)
class Fault:
    """One kind of trouble for the next `times` calls whose method and path fit.

    `after` lets the call take effect first, so that only its answer is lost: what makes clients post twice.
    """

    method: str
    path: re.Pattern[str]
    times: int
    after: bool = False
    status: int | None = None
    error: ApiError | None = None
    drop: bool = False
    delay: float = 0.0
    retry_after: float | None = None
    scope: Scope = "user"
    banned: float = 0.0
    hits: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether this call is meant."""
        return self.hits < self.times and self.method in {method, "*"} and bool(self.path.search(path))


NO_FAULT = Fault(method="", path=re.compile(""), times=0)
"""What meets a call that nothing was planned for."""


class Faults:
    """The trouble ahead; every method returns its fault, whose `hits` tell how often it struck."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def fail(self, method: str, path: str, *, status: int = 502, times: int = 1, after: bool = False) -> Fault:
        """Answer with an error status."""
        return self._plan(Fault(method=method, path=re.compile(path), times=times, status=status, after=after))

    def refuse(self, method: str, path: str, error: ApiError, *, times: int = 1) -> Fault:
        """Answer with one of Discord's own errors, whatever its reason may be."""
        return self._plan(Fault(method=method, path=re.compile(path), times=times, error=error))

    def drop(self, method: str, path: str, *, times: int = 1, after: bool = False) -> Fault:
        """Close the connection without an answer."""
        return self._plan(Fault(method=method, path=re.compile(path), times=times, drop=True, after=after))

    def slow(self, method: str, path: str, *, seconds: float, times: int = 1, after: bool = False) -> Fault:
        """Answer late; the call takes effect late as well, or at once with `after`."""
        return self._plan(Fault(method=method, path=re.compile(path), times=times, delay=seconds, after=after))

    def rate_limit(self, method: str, path: str, *, retry_after: float, times: int = 1, scope: Scope = "user") -> Fault:
        """Answer 429 as for a limit that no header announced: the bucket's own headers go on as they were."""
        return self._plan(
            Fault(method=method, path=re.compile(path), times=times, retry_after=retry_after, scope=scope)
        )

    def ban(self, method: str, path: str, *, times: int = 1, retry_after: float = 3600) -> Fault:
        """Answer 429 as Cloudflare does after too many invalid requests: a page without a Via header."""
        return self._plan(Fault(method=method, path=re.compile(path), times=times, banned=retry_after))

    def clear(self) -> None:
        """Plan no more trouble."""
        self.planned.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that meets this call, counted."""
        for fault in self.planned:
            if fault.fits(method, path):
                fault.hits += 1
                return fault
        return None

    def _plan(self, fault: Fault) -> Fault:
        self.planned.append(fault)
        return fault
