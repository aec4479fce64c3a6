"""What the page is given by whoever puts it together: facts about the demo, the bot's switches, the gauges."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from playground.discord.payloads import Payload


@dataclass(frozen=True, slots=True)
class About:
    """What the page says of the model that answers."""

    model: str
    embedded: bool
    note: str = ""


class BotControls(Protocol):
    """The bot's process, as far as a visitor may meddle with it."""

    @property
    def state(self) -> str:
        """One of starting, running, reconnecting, stopping, stopped, crashed."""
        ...

    @property
    def since(self) -> datetime:
        """When it came into this state."""
        ...

    @property
    def can_restart(self) -> bool:
        """Whether it is neither coming nor going."""
        ...

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the state has changed."""
        ...

    async def restart(self) -> None:
        """End it politely and start it again; returns once it is ready."""
        ...

    async def kill(self) -> None:
        """End it as a crash would and start it again; returns once it is ready."""
        ...

    async def cut(self) -> None:
        """Cut its connection to the gateway; returns once it is back."""
        ...


class Gauges(Protocol):
    """What goes on between the bot, Discord and the model."""

    def now(self) -> Payload:
        """Return the payload of the `gauges` event."""
        ...

    def prompt(self, n: int) -> Payload | None:
        """Return what the model got for answer `n`, None if that is not known."""
        ...
