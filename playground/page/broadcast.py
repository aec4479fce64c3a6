"""From the events of the Discord to the tabs: each gets what its user may see, as soon as it happens."""

import asyncio
from typing import Self

from playground.discord import Event, EventKind, LoopbackDiscord, Message, ResponseKind, Watch
from playground.discord.model import Interaction, InteractionKind
from playground.discord.payloads import Payload
from playground.page.ports import BotControls, Gauges
from playground.page.stream import Tab, Tabs
from playground.page.views import Views

_GAUGES_EVERY = 0.5
_MESSAGES = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE, EventKind.MESSAGE_DELETE}
_TROUBLE = {EventKind.RATE_LIMITED, EventKind.UNKNOWN_ROUTE}


class Broadcast:
    """Everything that happens, told to the open tabs while `async with` lasts."""

    def __init__(self, discord: LoopbackDiscord, views: Views, bot: BotControls, gauges: Gauges) -> None:
        self.tabs = Tabs()
        self._discord = discord
        self._views = views
        self._gauges = gauges
        # Interactions without an answer so far, and when to give up on them.
        self._waiting: dict[int, asyncio.TimerHandle] = {}
        self._tasks: list[asyncio.Task[None]] = []
        bot.listen(self._tell_world)

    async def __aenter__(self) -> Self:
        events = self._discord.watch()
        self._tasks = [asyncio.create_task(self._follow(events)), asyncio.create_task(self._read_gauges())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for timer in self._waiting.values():
            timer.cancel()

    def welcome(self, tab: Tab) -> None:
        """Tell a tab how everything stands."""
        self._show(tab)
        tab.send("messages", {"messages": self._views.messages(tab.viewer)})
        if tab.gauges:
            tab.send("gauges", self._gauges.now())

    async def _follow(self, events: Watch) -> None:
        async with events:
            async for event in events:
                self._tell(event)
                # Many events may be there at once: whoever reads them must get a turn in between.
                await asyncio.sleep(0)

    async def _read_gauges(self) -> None:
        while True:
            await asyncio.sleep(_GAUGES_EVERY)
            if watching := [tab for tab in self.tabs if tab.gauges]:
                now = self._gauges.now()
                for tab in watching:
                    tab.send("gauges", now)

    def _tell(self, event: Event) -> None:
        if event.message and event.kind in _MESSAGES:
            self._tell_message(event, event.message)
        elif event.interaction and event.kind is EventKind.INTERACTION_CREATE:
            self._await_response(event.interaction)
        elif event.interaction:
            self._tell_response(event.interaction)
        elif event.channel and event.kind is EventKind.TYPING:
            self._tell_typing(event.channel.id)
        elif event.kind not in _TROUBLE:
            self._tell_world()

    def _tell_message(self, event: Event, message: Message) -> None:
        for tab in self._audience(event, message):
            if event.kind is EventKind.MESSAGE_DELETE:
                tab.send("gone", {"id": str(message.id), "channel": str(message.channel_id)})
            else:
                tab.send("message", self._views.message(tab.viewer, message))

    def _tell_typing(self, channel_id: int) -> None:
        for tab in self.tabs:
            if channel_id in tab.channels:
                tab.send("typing", {"channel": str(channel_id), "user": str(self._discord.world.bot.id)})

    def _audience(self, event: Event, message: Message) -> list[Tab]:
        """The tabs that are to hear of a message; one that has joined since got a newer state at its welcome."""
        return [
            tab
            for tab in self.tabs
            if tab.joined <= event.at and message.channel_id in tab.channels and tab.viewer.sees(message)
        ]

    def _tell_world(self) -> None:
        for tab in self.tabs:
            appeared = self._show(tab)
            if any(self._discord.messages.history(channel_id, hidden=True) for channel_id in appeared):
                tab.send("messages", {"messages": self._views.messages(tab.viewer)})

    def _show(self, tab: Tab) -> frozenset[int]:
        """Tell a tab the world; return the channels that it did not see before."""
        tab.send_world(self._views.world(tab.viewer))
        before, tab.channels = tab.channels, frozenset(channel.id for channel in self._views.channels(tab.viewer))
        return tab.channels - before

    # Interactions

    def _await_response(self, interaction: Interaction) -> None:
        if interaction.kind is InteractionKind.AUTOCOMPLETE or interaction.response is not None:
            return
        patience = self._discord.settings.answer_within
        loop = asyncio.get_running_loop()
        self._waiting[interaction.id] = loop.call_later(patience, self._give_up, interaction)

    def _give_up(self, interaction: Interaction) -> None:
        del self._waiting[interaction.id]
        self._settle(interaction, f"{self._discord.world.bot.name} did not respond.")

    def _tell_response(self, interaction: Interaction) -> None:
        if interaction.kind is InteractionKind.AUTOCOMPLETE:
            return
        if timer := self._waiting.pop(interaction.id, None):
            timer.cancel()
        if interaction.response is ResponseKind.MODAL:
            self._to(interaction, "modal", {"modal": interaction.response_data})
        self._settle(interaction)

    def _settle(self, interaction: Interaction, error: str = "") -> None:
        self._to(interaction, "settled", {"ok": not error, "error": error})

    def _to(self, interaction: Interaction, kind: str, payload: Payload) -> None:
        for tab in self.tabs.of(interaction.user_id):
            tab.send(kind, {"interaction": str(interaction.id), **payload})
