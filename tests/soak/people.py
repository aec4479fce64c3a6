"""People who ask one question after another, press buttons, and change their minds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator

from playground.discord import Actor, ChannelHandle, GuildHandle, LoopbackDiscord, Message, Permission
from playground.discord.errors import RefusedByClientError

from .cases import Case, Desk, Press, has_button
from .plans import ENDS_THE_PLACE, MEANWHILE, Deed, Plan, Way
from .weather import Weather

RESPONSE_WITHIN = 4.0
"""Seconds after which Discord has told whoever used a command that nothing came."""
PATIENCE = 100.0
"""Seconds after which an answer is said to have no end."""
HEARD_WITHIN = 20.0
TRIES = 4
REACTION = 0.7
"""Seconds that a person needs to see a button and press it."""
LABELS = {
    Deed.STOP: "Stop",
    Deed.REGENERATE: "Regenerate",
    Deed.CONTINUE: "Continue",
    Deed.DELETE: "Delete",
}


class Town:
    """Servers, channels and threads in which everybody may ask."""

    def __init__(self, discord: LoopbackDiscord, people: int) -> None:
        self.guilds = [discord.add_guild(f"Server {number}") for number in range(3)]
        self.people = [discord.add_user(f"Person {number}") for number in range(people)]
        self.places: list[ChannelHandle] = []
        for guild in self.guilds:
            for person in self.people:
                guild.add_member(person, permissions=Permission.MANAGE_MESSAGES)
            channels = [guild.add_channel(f"talk {number}") for number in range(4)]
            self.places += [*channels, *(channel.thread("aside") for channel in channels[:2])]

    def place(self, rng: random.Random, plan: Plan, person: Actor) -> ChannelHandle:
        """Where to ask: a place of its own where that will be lost."""
        if plan.deed in ENDS_THE_PLACE:
            guild: GuildHandle = rng.choice(self.guilds)
            channel = guild.add_channel(f"doomed {plan.number}")
            return channel.thread("aside") if rng.random() < 0.5 else channel
        return person.dm if plan.way is Way.DIRECT else rng.choice(self.places)


class Person:
    """Asks, waits, presses; one thing at a time."""

    def __init__(self, actor: Actor, town: Town, desk: Desk, weather: Weather) -> None:
        self._actor = actor
        self._town = town
        self._desk = desk
        self._weather = weather

    async def live(self, plans: Iterator[Plan], told: Callable[[Case], None]) -> None:
        """Ask until there is nothing more to ask."""
        for plan in plans:
            rng = random.Random(f"{plan}")  # noqa: S311  # no secret: the same each time
            await asyncio.sleep(rng.uniform(0, 0.3))
            case = Case(plan, self._actor, self._town.place(rng, plan, self._actor))
            await self._weather.calm.wait()
            self._ask(case)
            await self._see_through(case)
            told(case)

    def _ask(self, case: Case) -> None:
        plan, place, actor = case.plan, case.place, self._actor
        case.asked_at = time.monotonic()
        if plan.way in {Way.COMMAND, Way.WITH_FILE, Way.PRIVATE}:
            options: dict[str, object] = {"prompt": plan.question}
            options |= {"file": ("note.txt", b"Note.")} if plan.way is Way.WITH_FILE else {}
            options |= {"private": True} if plan.way is Way.PRIVATE else {}
            case.asked = actor.slash(place, "ask", **options)
            self._desk.open(case, case.asked.id)
            return
        reply_to = self._answer_in(place) if plan.way is Way.REPLY else None
        mention = plan.way is not Way.DIRECT and reply_to is None
        case.question = actor.say(place, plan.question, reply_to=reply_to, mention_bot=mention)
        self._desk.open(case, case.question.id)

    def _answer_in(self, place: ChannelHandle) -> Message | None:
        bot = place.discord.settings.bot_id
        answers = [it for it in place.messages() if it.author_id == bot and has_button(it, "Regenerate")]
        return answers[-1] if answers else None

    async def _see_through(self, case: Case) -> None:
        deed = case.plan.deed
        if case.asked:
            await _either(RESPONSE_WITHIN, case.stirred)
            if case.went_unheard:
                return
        if deed in MEANWHILE and await _either(PATIENCE, case.grew, case.ended) and not case.ended.is_set():
            self._do(case, deed)
        if deed in ENDS_THE_PLACE and case.done:
            return
        if not await _either(PATIENCE, case.ended, *self._hopeless(case)):
            case.given_up = True
            return
        if deed in LABELS and deed is not Deed.STOP:
            await self._press(case, deed)

    def _hopeless(self, case: Case) -> list[asyncio.Event]:
        """After a crash nothing reaches a private answer any more."""
        return [self._weather.crashed] if case.plan.way is Way.PRIVATE else []

    def _do(self, case: Case, deed: Deed) -> None:
        place, discord = case.place, case.place.discord
        known = [page for page in case.shown if page.edits]
        if deed in {Deed.EXPIRE, Deed.DELETE_ANSWER} and not known:
            return  # neither comes before the bot knows its message, which an edit proves
        case.done = deed
        match deed:
            case Deed.STOP:
                self._click(case, deed)
            case Deed.DELETE_QUESTION if case.question:
                self._actor.delete(case.question)
            case Deed.DELETE_ANSWER:
                discord.delete_message(known[-1])
            case Deed.DELETE_PLACE:
                place.delete()
            case Deed.HIDE_PLACE:
                parent = discord.world.channels[place.model.parent_id or place.id]
                ChannelHandle(discord, parent).deny_bot(Permission.VIEW_CHANNEL)
            case Deed.EXPIRE if case.asked:
                case.asked.expire()

    def _click(self, case: Case, deed: Deed) -> Press | None:
        label = LABELS[deed]
        page = next((page for page in reversed(case.shown) if has_button(page, label)), None)
        if page is None:
            return None
        press = Press(deed, self._actor.click(page, label), time.monotonic())
        case.presses.append(press)
        self._desk.open(case, press.asked.id)
        return press

    async def _press(self, case: Case, deed: Deed) -> None:
        """Press until it is heard, as people do."""
        for _ in range(TRIES):
            await asyncio.sleep(REACTION)
            await self._weather.calm.wait()
            case.stirred.clear()
            try:
                press = self._click(case, deed)
            except RefusedByClientError:
                return
            if press is None:
                return
            await _either(HEARD_WITHIN, case.stirred)
            if press.said or not case.stirred.is_set():
                continue
            press.took = True
            case.given_up = not await _either(PATIENCE, case.ended)
            return


async def _either(seconds: float, *events: asyncio.Event) -> bool:
    """Wait for one of several events; whether one came in time."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    done, late = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in late:
        wait.cancel()
    return bool(done)
