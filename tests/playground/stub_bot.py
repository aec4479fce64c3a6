"""A bot of a few lines that stands where the real one stands: the launcher imports `bot.__main__`."""

from pathlib import Path

from playground.bot_process import BotProcess
from playground.discord import LoopbackDiscord

STUB = """
import os, discord
from discord import app_commands

class Bot(discord.Client):
    async def setup_hook(self):
        self.tree = app_commands.CommandTree(self)

        @self.tree.command(description="Ask")
        async def ask(interaction: discord.Interaction, prompt: str, private: bool = False):
            if prompt == "die":
                os._exit(3)
            await interaction.response.defer(thinking=True, ephemeral=private)
            head = f"-# Anna asked: {prompt}"
            if prompt == "fail":
                gone = "\\u26a0\\ufe0f The model is gone."
                await interaction.edit_original_response(content=f"{head}\\n{gone}\\n-# tiny")
                return
            await interaction.edit_original_response(content=head + "\\nWarsaw\\n-# Writing\\u2026")
            await interaction.edit_original_response(content=head + "\\nWarsaw is it.\\n-# tiny \\u00b7 assistant")

        await self.tree.sync()

def main(argv=None):
    if os.environ.get("BROKEN"):
        raise SystemExit("a setting is missing")
    print("started with", argv, flush=True)
    Bot(intents=discord.Intents(guilds=True)).run(os.environ["DISCORD_TOKEN"], log_level=10)
    return 0
"""


def put_into(folder: Path) -> Path:
    """Make `folder` one to run the stub in: the folder of a run comes first where Python looks for modules."""
    (folder / "bot").mkdir()
    (folder / "bot" / "__init__.py").touch()
    (folder / "bot" / "__main__.py").write_text(STUB)
    return folder


def process(discord: LoopbackDiscord, folder: Path, **environment: str) -> BotProcess:
    return BotProcess(discord, folder, ollama_host="http://127.0.0.1:1", ollama_model="tiny", environment=environment)
