"""Where a bot's CPU time went, from samples of its stack: for what, in whose code, how much of it for a token."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import table
from benchmarks.sampler import OTHER_THREADS

_PURPOSES = (
    ("database", ("bot.storage", "sqlalchemy", "aiosqlite", "sqlite3", OTHER_THREADS)),
    ("logging", ("bot.logs", "structlog", "logging")),
    ("gateway events", ("discord.gateway", "discord.state", "discord.shard")),
    ("calls to Discord", ("discord.http", "discord.webhook", "discord.interactions", "discord.message")),
    ("reading the model", ("bot.llm", "ollama", "httpx", "httpcore", "h11", "anyio", "pydantic")),
    ("rendering frames", ("bot.delivery.pages", "bot.delivery.cuts", "bot.delivery.markdown", "bot.delivery.text")),
    ("the bot's own work", ("bot", "cogs", "benchmarks.naive")),
    # What arrives there is the model's as well as Discord's, wherever a bot reads the model by aiohttp.
    ("sockets", ("aiohttp",)),
)
"""What a sample was taken for: the first of these whose module is anywhere on the stack."""
_LOOP = "event loop"
_START = "asyncio.runners:Runner.run"
_GENERATED = "namedtuple_"
_MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class Profile:
    """The stacks of one run, and what to divide by."""

    stacks: Counter[str]
    """Outermost call first, joined by semicolons, with the number of samples."""
    cpu: float
    """Seconds of CPU time of the bot's process."""
    tokens: int
    calls: int
    """Calls to Discord."""

    def folded(self) -> str:
        """Return the stacks in the form that flame graph programs read."""
        return "".join(f"{stack} {count}\n" for stack, count in sorted(self.stacks.items()))

    def report(self) -> str:
        """Return a Markdown table of what the time went into, the most expensive first."""
        of_purpose: dict[str, Counter[str]] = {}
        for stack, count in self.stacks.items():
            of_purpose.setdefault(purpose(stack), Counter())[place(stack)] += count
        ordered = sorted(of_purpose.items(), key=lambda one: -one[1].total())
        rows = [self._row(name, places) for name, places in ordered]
        total = f"{self.cpu:.2f} s of CPU time, {self.tokens:,} tokens, {self.calls:,} calls to Discord"
        return f"{total}, {self.stacks.total():,} samples\n\n{table(_HEAD, [*rows, self._sum()])}\n"

    def _row(self, name: str, places: Counter[str]) -> list[str]:
        most = ", ".join(f"{where} {self._per_token(count)}" for where, count in places.most_common(_MOST_PLACES))
        return [name, self._per_token(places.total()), self._per_call(places.total()), most]

    def _sum(self) -> list[str]:
        return ["all", self._per_token(self.stacks.total()), self._per_call(self.stacks.total()), ""]

    def _per_token(self, count: int) -> str:
        return f"{1e6 * self.cpu * count / self.stacks.total() / self.tokens:.0f}"

    def _per_call(self, count: int) -> str:
        return f"{1e6 * self.cpu * count / self.stacks.total() / max(self.calls, 1):.0f}"


_HEAD = ("for", "µs a token", "µs a call to Discord", "in whose code, µs a token")


def stacks(lines: Iterable[str], start: float, end: float) -> Counter[str]:
    """Count the samples of a file between two moments of the monotonic clock."""
    found: Counter[str] = Counter()
    for line in lines:
        at, _, stack = line.rstrip("\n").partition(" ")
        if start <= float(at) <= end:
            found[stack] += 1
    return found


def purpose(stack: str) -> str:
    """Return what a stack works for."""
    modules = _modules(stack)
    for name, roots in _PURPOSES:
        if any(module == root or module.startswith(f"{root}.") for module in modules for root in roots):
            return name
    return _LOOP


def place(stack: str) -> str:
    """Return whose code was running: the innermost that is not Python's own, which works for whoever calls it."""
    for module in reversed(_modules(stack)):
        root = module.partition(".")[0]
        if root not in sys.stdlib_module_names and not root.startswith(_GENERATED):
            return module if root in {"bot", "cogs"} else root
    return "Python"


def keep(profile: Profile, out: Path, name: str) -> None:
    """Write the table and the stacks."""
    (out / f"{name}.md").write_text(profile.report())
    (out / f"{name}.folded").write_text(profile.folded())


def _modules(stack: str) -> list[str]:
    """Return the modules of a stack from the outermost on, without the program's start, which is below everything."""
    return [call.partition(":")[0] for call in stack.rpartition(_START)[2].split(";") if call]
