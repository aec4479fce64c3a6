"""One bot, once through one scenario: everything is set up for it alone, so that no run leaves traces in another."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import sampler
from benchmarks.ollama import ScriptedOllama, scripted_ollama
from benchmarks.processes import cpu_seconds, machine_cpu_seconds
from benchmarks.recorder import Recorder
from benchmarks.scenarios import MODEL_DELAY, ROUND_TRIP, How, Scenario
from benchmarks.script import MODEL, Script, question
from playground.bot_process import BotFailedError, BotProcess
from playground.discord import Actor, ChannelHandle, LoopbackDiscord, Settings

BOTS = {"llampost": "playground.launch", "naive": "benchmarks.naive"}
"""The module that starts each bot."""

_ROOMY = {
    "MAX_PARALLEL_ANSWERS": "256",
    "MAX_WAITING_QUESTIONS": "1000",
    "OLLAMA_NUM_CTX": "32768",
    "OLLAMA_NUM_PREDICT": "8192",
    # A file shows nothing before it is complete; here it is to be seen how text arrives.
    "MAX_ANSWER_MESSAGES": "20",
}
"""What an operator sets where so much is asked at once, and where long answers are to be read as they grow."""

_HISTORY = 1_000_000
_LOOK_EVERY = 0.1
_QUIET = 20.0
"""After so many seconds without anything new an answer is taken for as finished as it will ever be."""
_SETTLE = 1.0
"""Seconds in which a bot may still do something wrong after the end."""
_SAMPLE_EVERY = 0.01


@dataclass(slots=True)
class Usage:
    """CPU seconds used so far by everybody, at one moment."""

    at: float
    bot: float | None
    discord: float
    ollama: float
    machine: float | None
    calls: int
    """Calls to Discord so far, and how many of them met a rate limit."""
    rate_limit_hits: int


@dataclass(slots=True)
class Arena:
    """A Discord, a model and a bot, ready for questions."""

    scenario: Scenario
    script: Script
    discord: LoopbackDiscord
    ollama: ScriptedOllama
    bot: BotProcess
    recorder: Recorder
    late: list[float] = field(default_factory=list)
    """How much too late the loopback Discord's event loop came to each of the moments that were asked of it."""

    async def warm_up(self) -> None:
        """Ask one question that does not count: whatever is done once per process is done then."""
        *_, text = self.script.texts
        guild = self.discord.add_guild("Warm-up")
        self._ask(text.number, guild.add_member("Early bird"), guild.add_channel("warm-up"))
        await self._until_finished([text.number])
        await asyncio.sleep(_SETTLE)

    async def measure(self) -> tuple[Usage, Usage]:
        """Ask everything at the same moment and wait for all answers; returns the usage before and after."""
        guild = self.discord.add_guild("Bench")
        numbers = range(self.scenario.answers)
        shared = guild.add_channel("shared")
        places = [shared if self.scenario.one_channel else guild.add_channel(f"own-{number}") for number in numbers]
        people = [guild.add_member(f"Person {number}") for number in numbers]
        await asyncio.sleep(_SETTLE)
        self.late.clear()
        before = await self.usage()
        for number, person, place in zip(numbers, people, places, strict=True):
            self._ask(number, person, place)
        await self._until_finished(list(numbers))
        if self.bot.returncode is not None:
            raise BotFailedError(self.bot.told(f"The bot ended with exit code {self.bot.returncode}."))
        after = await self.usage()
        await asyncio.sleep(_SETTLE)
        return before, after

    async def usage(self) -> Usage:
        """Read all meters."""
        record = await self.ollama.record()
        return Usage(
            at=time.monotonic(),
            bot=cpu_seconds(self.bot.pid),
            discord=time.process_time(),
            ollama=record.cpu,
            machine=machine_cpu_seconds(),
            calls=len(self.discord.calls),
            rate_limit_hits=self.discord.rate_limit_hits,
        )

    def _ask(self, number: int, person: Actor, place: ChannelHandle) -> None:
        if self.scenario.how is How.MENTION:
            message = person.say(place, question(number), mention_bot=True)
            self.recorder.expect(number, message.id, time.monotonic())
        else:
            private = {"private": True} if self.scenario.how is How.PRIVATE else {}
            asked = person.slash(place, "ask", prompt=question(number), **private)
            self.recorder.expect(number, asked.id, asked.interaction.opened)

    async def _until_finished(self, numbers: list[int]) -> None:
        self.recorder.last_event = time.monotonic()
        texts = [self.script.texts[number] for number in numbers]
        while time.monotonic() - self.recorder.last_event < _QUIET and self.bot.returncode is None:
            if all(self.recorder.is_finished(text) for text in texts):
                return
            await asyncio.sleep(_LOOK_EVERY)


@asynccontextmanager
async def arena(
    scenario: Scenario, bot: str, repeat: int, folder: Path, *, samples: Path | None = None
) -> AsyncIterator[Arena]:
    """Set everything up; the bot is started and nothing was asked yet. It leaves `samples` of its stack at the end."""
    script = Script(scenario.lengths(repeat), scenario.rate, MODEL_DELAY, scenario.code_heavy)
    settings = Settings(latency=ROUND_TRIP, history=_HISTORY)
    async with scripted_ollama(script) as ollama, LoopbackDiscord(settings) as discord:
        # A bot may leave the READY of a Discord without servers unanswered for a while.
        discord.add_guild("Home")
        module, environment = BOTS[bot], _ROOMY
        if samples:
            module, environment = "benchmarks.sampler", _ROOMY | {sampler.MODULE: module, sampler.FILE: str(samples)}
        process = BotProcess(
            discord, folder, ollama_host=ollama.host, ollama_model=MODEL, module=module, environment=environment
        )
        async with process:
            made = Arena(scenario, script, discord, ollama, process, Recorder(settings.bot_id))
            async with _listening(made):
                yield made


@asynccontextmanager
async def _listening(made: Arena) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_record(made)), asyncio.create_task(_sample(made.late))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _record(made: Arena) -> None:
    async with made.discord.watch() as events:
        async for event in events:
            made.recorder.take(event)


async def _sample(late: list[float]) -> None:
    while True:
        planned = time.monotonic() + _SAMPLE_EVERY
        await asyncio.sleep(_SAMPLE_EVERY)
        late.append(time.monotonic() - planned)
