"""Many answers, with random faults of Discord and Ollama all the while, and an exact account of it afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playground.discord import LoopbackDiscord
from tests.fake_ollama import MODEL
from tests.wire.stage import PATIENCE, Line, line_to

from .accounting import Books
from .bots import InProcessBot, ProcessBot, SoakBot, environment
from .cases import Case, Desk
from .gauges import Held, settled
from .model import SoakModel
from .people import Person, Town
from .plans import FIRST_WORD, NEXT_WORD, Plan, plan
from .records import unsound
from .weather import RandomFaults, Weather

QUIET = 3.0
PARALLEL = "16"
MORE_FILES, MORE_MEGABYTES = 2, 25.0
"""So much more than at the plateau before is no leak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a run is to be like."""

    answers: int
    seed: int
    people: int = 24
    share: float = 0.1
    """How many of the calls to Discord meet a fault."""
    crashes: int = 0
    in_process: bool = False
    """Whether the bot runs in our own process, where its tasks can be counted."""
    kept_alive: float = 45.0
    """Seconds after which no idle connection is left, at a plateau."""
    plateaus: tuple[int, ...] = ()
    """After so many answers the process is looked at; leaks are what grows from the second one on."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    problems: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    strikes: dict[str, int] = field(default_factory=dict)
    plateaus: list[Held] = field(default_factory=list)
    tasks: list[Counter[str]] = field(default_factory=list)
    """The bot's own tasks at each plateau."""
    seconds: float = 0.0
    calls: int = 0


async def soak(wish: Wish, folder: Path, *, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Run it all; the folder keeps the bot's log and database."""
    begun, outcome = time.monotonic(), Outcome()
    model = SoakModel(lambda number: plan(wish.seed, number))
    discord, rng = LoopbackDiscord(), random.Random(wish.seed)  # noqa: S311  # no secret: the same each time
    discord.faults = faults = RandomFaults(rng, wish.share)
    async with discord, model.serving() as host, line_to(host) as line:
        weather = Weather(discord, faults, line, rng)
        run = _Run(wish, discord, model, weather, _bot(wish, discord, line, folder), folder, say)
        async with run.bot:
            await run.all_of_it(outcome)
            await asyncio.sleep(QUIET)
        outcome.problems += run.problems()
        outcome.ends, outcome.strikes = run.ends, dict(weather.seen + faults.seen)
        outcome.calls = len(discord.calls)
    if not wish.in_process:  # where our own connections would count as well
        outcome.problems += _leaks(outcome.plateaus)
    if len(outcome.tasks) > 1 and (more := outcome.tasks[-1] - outcome.tasks[-2]):
        outcome.problems.append(f"tasks leak: {dict(more)}")
    outcome.seconds = time.monotonic() - begun
    return outcome


def _bot(wish: Wish, discord: LoopbackDiscord, line: Line, folder: Path) -> SoakBot:
    more = {
        "MAX_PARALLEL_ANSWERS": PARALLEL,
        "MAX_ANSWER_MESSAGES": "3",
        "OLLAMA_FIRST_TOKEN_TIMEOUT": str(FIRST_WORD),
        "OLLAMA_STALL_TIMEOUT": str(NEXT_WORD),
        "OLLAMA_HOST": line.host,
        "OLLAMA_MODEL": MODEL,
        "LOG_FORMAT": "json",
    }
    if wish.in_process:
        return InProcessBot(discord, environment(discord, folder, more))
    return ProcessBot(
        discord, folder, ollama_host=line.host, ollama_model=MODEL, environment=more, start_timeout=2 * PATIENCE
    )


class _Run:
    def __init__(
        self,
        wish: Wish,
        discord: LoopbackDiscord,
        model: SoakModel,
        weather: Weather,
        bot: SoakBot,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._wish = wish
        self._discord = discord
        self._model = model
        self._weather = weather
        self._say = say
        self._town = Town(discord, wish.people)
        self._desk = Desk(discord)
        self._folder = folder
        self._plans = iter([plan(wish.seed, number) for number in range(1, wish.answers + 1)])
        self.done = 0
        self.ends: dict[str, int] = {}
        self.bot = bot

    async def all_of_it(self, outcome: Outcome) -> None:
        """Ask everything, from plateau to plateau."""
        for upto in (*self._wish.plateaus, self._wish.answers):
            if upto <= self.done:
                continue
            await self._ask_until(upto)
            if upto in self._wish.plateaus:
                before = outcome.plateaus[-1] if outcome.plateaus else None
                self._say("waiting until idle connections are closed")
                found = await settled(self.bot.pid, self.done, at_most=before, within=self._wish.kept_alive)
                outcome.plateaus.append(found)
                outcome.tasks.append(self.bot.tasks())
                self._say(str(outcome.plateaus[-1]))

    async def _ask_until(self, upto: int) -> None:
        plans = self._next(upto - self.done)
        people = [Person(actor, self._town, self._desk, self._weather) for actor in self._town.people]
        async with self._weather.blowing(), self._crashing(upto - self.done), asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.live(plans, self._tell))

    def _next(self, count: int) -> Iterator[Plan]:
        """Plans for so many more questions, for all people together."""
        return iter([next(self._plans) for _ in range(count)])

    @asynccontextmanager
    async def _crashing(self, count: int) -> AsyncIterator[None]:
        """Kill the bot now and then, evenly over all questions."""
        share = round(self._wish.crashes * count / self._wish.answers)
        task = asyncio.create_task(self._crash(share, self.done, count))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _crash(self, times: int, since: int, count: int) -> None:
        for number in range(1, times + 1):
            while self.done < since + count * number / (times + 1):  # noqa: ASYNC110  # no hurry
                await asyncio.sleep(0.1)
            await self._weather.crash(self.bot.crash)

    def _tell(self, case: Case) -> None:
        self.done += 1
        if case.given_up:
            self._say(f"question {case.plan.number} came to no end")
        if self.done % 25 == 0:
            self._say(f"{self.done} of {self._wish.answers} answers")

    def problems(self) -> list[str]:
        """What does not add up, once the bot has ended."""
        books = Books(self._desk.cases, self._model, self._weather)
        found = books.problems()
        self.ends = books.ends
        found += unsound(self._folder / "llampost.db", self._desk.cases)
        found += self.bot.troubles()
        found += [f"a message belongs to no question: {it.content!r}" for it in self._desk.strays.values()]
        found += [f"the bot called what Discord has not: {route}" for route in self._discord.unknown_routes]
        if len(self._desk.cases) != self._wish.answers:
            found.append(f"{len(self._desk.cases)} questions were asked, not {self._wish.answers}")
        return found


def _leaks(plateaus: list[Held]) -> list[str]:
    """What the process holds more of than at the plateau before, the first one being its warm-up."""
    if len(plateaus) < 2:
        return []
    before, after = plateaus[-2], plateaus[-1]
    found = []
    if after.files > before.files + MORE_FILES:
        found.append(f"file descriptors leak: {before.files}, then {after.files}")
    if after.threads > before.threads:
        found.append(f"threads leak: {before.threads}, then {after.threads}")
    if after.children > before.children:
        found.append(f"child processes leak: {before.children}, then {after.children}")
    if after.megabytes > before.megabytes + MORE_MEGABYTES:
        found.append(f"memory leaks: {before.megabytes:.1f} MB, then {after.megabytes:.1f} MB")
    return found
