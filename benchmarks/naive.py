"""`python -m benchmarks.naive URL`: the bot that everybody writes first, to have something to compare with.

It edits its message once a second from within the loop that reads the model, waits for each edit, and cuts the text
every 2,000 characters. It remembers nothing and says nothing but the answer.
"""

import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import ollama
from discord import app_commands

from playground.launch import discord_at

_EDIT_EVERY = 1.0
_LIMIT = 2_000

Edit = Callable[[str], Awaitable[object]]
Send = Callable[[str], Awaitable[Edit]]


async def stream(parts: AsyncIterator[str], edit: Edit, send: Send) -> None:
    """Show an answer as it grows; `send` begins a new message and returns what edits it."""
    text = ""
    last_edit = time.monotonic()
    async for part in parts:
        text += part
        if len(text) > _LIMIT:
            await edit(text[:_LIMIT])
            text = text[_LIMIT:]
            edit = await send(text)
            last_edit = time.monotonic()
        elif time.monotonic() - last_edit >= _EDIT_EVERY and text.strip():
            await edit(text)
            last_edit = time.monotonic()
    await edit(text)


class NaiveBot(discord.Client):
    """Answers /ask and mentions."""

    def __init__(self, *, host: str, model: str) -> None:
        super().__init__(intents=discord.Intents.default(), allowed_mentions=discord.AllowedMentions.none())
        self._ollama = ollama.AsyncClient(host)
        self._model = model
        self._tree = app_commands.CommandTree(self)
        self._tree.add_command(ask)

    async def setup_hook(self) -> None:
        """Tell Discord the command."""
        await self._tree.sync()

    async def read(self, prompt: str) -> AsyncIterator[str]:
        """Ask the model."""
        messages = [{"role": "user", "content": prompt}]
        async for part in await self._ollama.chat(self._model, messages, stream=True):
            yield part.message.content or ""

    async def on_message(self, message: discord.Message) -> None:
        """Answer a mention by a reply."""
        if message.author.bot or self.user not in message.mentions:
            return
        reply = await message.reply("…")

        async def send(text: str) -> Edit:
            page = await message.channel.send(text)
            return lambda newer: page.edit(content=newer)

        await stream(self.read(message.content), lambda text: reply.edit(content=text), send)


@app_commands.command(description="Ask the model")
async def ask(interaction: discord.Interaction[NaiveBot], prompt: str, private: bool = False) -> None:
    """Answer in the interaction's own message and its follow-ups."""
    await interaction.response.defer(ephemeral=private)

    async def send(text: str) -> Edit:
        page = await interaction.followup.send(text, ephemeral=private, wait=True)
        return lambda newer: page.edit(content=newer)

    await stream(interaction.client.read(prompt), lambda text: interaction.edit_original_response(content=text), send)


def main(arguments: list[str]) -> None:
    """Run against the loopback Discord at the first argument."""
    with discord_at(arguments[0]):
        bot = NaiveBot(host=os.environ["OLLAMA_HOST"], model=os.environ["OLLAMA_MODEL"])
        bot.run(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    main(sys.argv[1:])
