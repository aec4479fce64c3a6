"""`python -m playground.launch URL [arguments of the bot]`: the unmodified bot on a loopback Discord.

discord.py has no setting for where Discord is, so its three addresses are replaced in this process before the bot
starts; nothing in `bot/` or `cogs/` knows of it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

_USAGE = "Usage: python -m playground.launch URL [arguments of the bot]"


@contextmanager
def discord_at(url: str) -> Iterator[None]:
    """Let discord.py talk to the Discord at `url` instead of the real one."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    base = url.rstrip("/")
    Route.BASE = f"{base}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(base.replace("http", "ws", 1) + "/gateway")
    discord.Asset.BASE = base
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE = before


def main(arguments: list[str]) -> int:
    """Start the bot; its exit code is ours."""
    if not arguments or not arguments[0].startswith("http://127.0.0.1:"):
        sys.stderr.write(f"{_USAGE}\nURL is the address of a loopback Discord, such as http://127.0.0.1:8080.\n")
        return os.EX_USAGE
    with discord_at(arguments[0]):
        # Only now: what the bot computes from discord.py's addresses at import must see ours.
        from bot.__main__ import main as run_bot  # noqa: PLC0415

        return run_bot(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
