"""A small bot on real discord.py that uses what discord.py can do with interactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import discord
from discord import app_commands
from discord.ext import commands

from playground.discord import ChannelHandle, LoopbackDiscord
from playground.launch import discord_at


class Stop(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Stop", custom_id="stop")
    async def stop_answer(self, interaction: discord.Interaction, _: discord.ui.Button["Stop"]) -> None:
        await interaction.response.edit_message(content="stopped", view=None)


class Choose(discord.ui.View):
    @discord.ui.select(
        placeholder="Which?",
        options=[discord.SelectOption(label="Poet", value="poet"), discord.SelectOption(label="Nurse")],
    )
    async def choose(self, interaction: discord.Interaction, select: discord.ui.Select["Choose"]) -> None:
        await interaction.response.send_message(f"chose {select.values[0]}")


class Edit(discord.ui.Modal, title="Edit the persona"):
    """One field of each form: in a row by itself, and in a label."""

    prompt: discord.ui.TextInput["Edit"] = discord.ui.TextInput(label="Prompt", default="Be kind.")
    tone: discord.ui.Label["Edit"] = discord.ui.Label(text="Tone", component=discord.ui.TextInput(required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        tone = self.tone.component
        assert isinstance(tone, discord.ui.TextInput)
        await interaction.response.send_message(f"saved: {self.prompt.value} ({tone.value})", ephemeral=True)


persona = app_commands.Group(name="persona", description="Personas")


@persona.command(name="use", description="Choose a persona")
async def persona_use(interaction: discord.Interaction, name: str) -> None:
    await interaction.response.send_message(f"now {name}")


@persona_use.autocomplete("name")
async def persona_names(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    names = ["pirate", "poet", "nurse"]
    return [app_commands.Choice(name=name, value=name) for name in names if name.startswith(current)]


@persona.command(name="edit", description="Change a persona")
async def persona_edit(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Edit())


@persona.command(name="choose", description="Choose from a list")
async def persona_choose(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Choose:", view=Choose())


@app_commands.context_menu(name="Explain")
async def explain(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"explains: {message.content}")


@app_commands.command(name="point", description="Point at things")
async def point(
    interaction: discord.Interaction, user: discord.Member, role: discord.Role, channel: discord.TextChannel, n: int
) -> None:
    await interaction.response.send_message(f"{user.name} {role.name} {channel.name} {n}")


@app_commands.command(name="layout", description="Components version 2")
async def layout(interaction: discord.Interaction) -> None:
    view = discord.ui.LayoutView()
    view.add_item(discord.ui.TextDisplay(f"# Hello {interaction.user.mention}"))
    await interaction.response.send_message(view=view, allowed_mentions=discord.AllowedMentions.all())


@app_commands.command(name="ask", description="Ask")
async def ask(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, 50],
    private: bool = False,
    file: discord.Attachment | None = None,
) -> None:
    await interaction.response.defer(thinking=True, ephemeral=private)
    read = (await file.read()).decode() if file else ""
    await interaction.edit_original_response(content=f"{prompt} ...", view=Stop())
    await interaction.edit_original_response(content=f"{prompt} {read}!")
    await interaction.followup.send("and more", ephemeral=private)


class SmallBot(commands.Bot):
    """Its commands below can be held back, and what became of them is kept."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=intents or discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            # Without a wait for further guilds it is ready at once.
            guild_ready_timeout=0.01,
        )
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.was_called = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.outcome: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self.tree.add_command(persona)
        self.tree.add_command(explain)
        self.tree.add_command(twice)
        self.tree.add_command(late)
        self.tree.add_command(slow)
        self.tree.add_command(ask)
        self.tree.add_command(point)
        self.tree.add_command(layout)

    async def on_message(self, message: discord.Message) -> None:
        self.heard.put_nowait(message)

    def place(self, channel: ChannelHandle) -> discord.PartialMessageable:
        return self.get_partial_messageable(channel.id)

    async def try_to(self, call: Awaitable[object]) -> None:
        self.was_called.set()
        await self.may_answer.wait()
        try:
            await call
        except discord.HTTPException as error:
            self.outcome.set_result((error.status, error.code))
        else:
            self.outcome.set_result((200, 0))


@app_commands.command(name="twice", description="Answer twice")
async def twice(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("first")
    again = discord.InteractionResponse(interaction)
    try:
        await again.send_message("second")
    except discord.HTTPException as error:
        await interaction.edit_original_response(content=f"first, then {error.status} {error.code}")


@app_commands.command(name="late", description="Answer when told")
async def late(interaction: discord.Interaction[SmallBot]) -> None:
    await interaction.client.try_to(interaction.response.send_message("late"))


@app_commands.command(name="slow", description="Defer, answer when told")
async def slow(interaction: discord.Interaction[SmallBot]) -> None:
    await interaction.response.defer(thinking=True)
    await interaction.client.try_to(interaction.followup.send("slow", wait=True))


@asynccontextmanager
async def running(server: LoopbackDiscord, bot: SmallBot) -> AsyncIterator[SmallBot]:
    with discord_at(server.url):
        async with bot:
            await bot.login(server.token)
            await bot.tree.sync()
            connection = asyncio.create_task(bot.connect())
            ready = asyncio.create_task(bot.wait_until_ready())
            await asyncio.wait({connection, ready}, return_when=asyncio.FIRST_COMPLETED)
            if connection.done():
                ready.cancel()
                await connection
            yield bot
        await asyncio.gather(connection, return_exceptions=True)
