"""The page in which people try the bot: a server for its files, its events and what its visitors do."""

from playground.page.ports import About, BotControls, Gauges
from playground.page.server import Page

__all__ = ["About", "BotControls", "Gauges", "Page"]
