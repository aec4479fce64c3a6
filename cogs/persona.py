"""/persona: who answers in this channel, and the server's library of personas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.personas import MAX_NAME, MAX_PROMPT, Persona
from bot.chat.scopes import Scope, ScopeKind, here
from bot.client import Bot
from bot.delivery.surface import text_file
from bot.ui.checks import require, require_server
from bot.ui.completion import Choices, persona_choices
from bot.ui.errors import tell_user
from bot.ui.places import author_of, place_of
from bot.ui.responses import plain, quoted, respond, when

Name = app_commands.Range[str, 1, MAX_NAME]
Prompt = app_commands.Range[str, 1, MAX_PROMPT]

KEPT = "Personas are kept"
FIRST_WORDS = 100

Save = Callable[[discord.Interaction[Bot], str, str], Awaitable[None]]


class PersonaModal(discord.ui.Modal):
    """A larger window for a system prompt."""

    prompt: discord.ui.TextInput[PersonaModal] = discord.ui.TextInput(
        label="System prompt", style=discord.TextStyle.paragraph, max_length=MAX_PROMPT
    )

    def __init__(self, persona: Persona, save: Save) -> None:
        """Take the persona as it is, and what to do with its new prompt."""
        super().__init__(title=f"Edit {persona.name}")
        self._name = persona.name
        self._save = save
        self.prompt.default = persona.prompt

    async def on_submit(self, interaction: discord.Interaction[Bot]) -> None:  # type: ignore[override]
        """Save what was written."""
        await self._save(interaction, self._name, self.prompt.value)

    async def on_error(self, interaction: discord.Interaction[Bot], error: Exception) -> None:  # type: ignore[override]
        """Say what went wrong, and give the text back: it stands nowhere else."""
        await tell_user(interaction, error)
        await respond(interaction, "Your text is not lost:", file=text_file("prompt.txt", self.prompt.value))


def _changed(persona: Persona) -> str:
    if persona.changed_by is None or persona.changed_at is None:
        return ""
    version = f"version {persona.version}, " if persona.version else ""
    return f" ({version}by {plain(persona.changed_by.name)} {when(persona.changed_at)})"


def _first_words(prompt: str) -> str:
    prompt = " ".join(prompt.split())
    return prompt if len(prompt) <= FIRST_WORDS else prompt[: FIRST_WORDS - 1] + "…"


def _saved(persona: Persona) -> str:
    return f"**{persona.name}** is saved as version {persona.version}. `/persona use {persona.name}` lets it answer."


def _fallen_back(users: Sequence[Scope]) -> str:
    """Who used a persona that is deleted now."""
    channels = ", ".join(f"<#{scope.id}>" for scope in users if scope.kind is ScopeKind.CHANNEL)
    sentences = [f"The default answers there now: {channels}."] if channels else []
    if any(scope.kind is ScopeKind.SERVER for scope in users):
        sentences.append("The default replaces this server's own choice.")
    return " ".join(sentences) or "No channel used it."


class PersonaCog(commands.GroupCog, group_name="persona", group_description="Who answers in this channel"):
    """Everyone may look; channels belong to those who manage channels, the library to those who manage the server."""

    def __init__(self, bot: Bot) -> None:
        self._personas = bot.services.personas
        self._profiles = bot.services.profiles
        self._preferences = bot.services.preferences

    @app_commands.command()
    async def show(self, interaction: discord.Interaction[Bot]) -> None:
        """Show who answers in this channel, with the system prompt and its last changes."""
        place = place_of(interaction)
        chosen = (await self._profiles.resolve(place)).persona
        changes = await self._preferences.persona_changes(place)
        lines = [
            f"**{chosen.value.name}**, from {chosen.source}{_changed(chosen.value)}",
            quoted(chosen.value.prompt),
            *(
                f"-# {plain(change.changed_by.name)} changed {change.key.replace('_', ' ')} {when(change.changed_at)}"
                for change in changes
            ),
        ]
        await respond(interaction, "\n".join(lines))

    @app_commands.command(name="list")
    async def list_(self, interaction: discord.Interaction[Bot]) -> None:
        """List all personas of this server."""
        personas = await self._personas.all(interaction.guild_id)
        lines = [f"- **{persona.name}**{_changed(persona)}: {_first_words(persona.prompt)}" for persona in personas]
        await respond(interaction, "\n".join(lines))

    @app_commands.command()
    @app_commands.describe(name="The persona that answers in this channel from now on")
    async def use(self, interaction: discord.Interaction[Bot], name: str) -> None:
        """Choose who answers in this channel."""
        require(interaction, "manage_channels")
        place = place_of(interaction)
        persona = await self._preferences.use_persona(place, name, by=author_of(interaction.user))
        await respond(interaction, f"**{persona.name}** answers in {here(place)} now.", public=True)

    @app_commands.command(name="set")
    @app_commands.describe(prompt="Who the model is here and how it answers")
    async def set_(self, interaction: discord.Interaction[Bot], prompt: Prompt) -> None:
        """Give this channel a system prompt of its own."""
        require(interaction, "manage_channels")
        place = place_of(interaction)
        await self._preferences.set_prompt(place, prompt, by=author_of(interaction.user))
        text = f"{here(place).capitalize()} has its own system prompt now:\n{quoted(prompt)}"
        await respond(interaction, text, public=True)

    @app_commands.command()
    async def reset(self, interaction: discord.Interaction[Bot]) -> None:
        """Take back this channel's own choice."""
        require(interaction, "manage_channels")
        place = place_of(interaction)
        changes = await self._preferences.reset_persona(place, by=author_of(interaction.user))
        chosen = (await self._profiles.resolve(place)).persona
        before = "" if changes else "Nothing was set here. "
        await respond(interaction, f"{before}**{chosen.value.name}** answers here, from {chosen.source}.", public=True)

    @app_commands.command()
    @app_commands.describe(name="What to call it", prompt="Who the model is then and how it answers")
    async def save(self, interaction: discord.Interaction[Bot], name: Name, prompt: Prompt) -> None:
        """Add a persona to this server's library, or change one."""
        require(interaction, "manage_guild")
        guild_id = require_server(interaction, KEPT)
        persona = await self._personas.save(guild_id, name, prompt, by=author_of(interaction.user))
        await respond(interaction, _saved(persona), public=True)

    @app_commands.command()
    @app_commands.describe(name="The persona to edit")
    async def edit(self, interaction: discord.Interaction[Bot], name: str) -> None:
        """Edit a persona of this server in a larger window."""
        require(interaction, "manage_guild")
        guild_id = require_server(interaction, KEPT)
        persona = await self._personas.get(guild_id, name)
        self._personas.refuse_built_in(persona.name, "changed")
        await interaction.response.send_modal(PersonaModal(persona, self._save_edited))

    async def _save_edited(self, interaction: discord.Interaction[Bot], name: str, prompt: str) -> None:
        require(interaction, "manage_guild")  # rights can be lost while the window is open
        guild_id = require_server(interaction, KEPT)
        persona = await self._personas.save(guild_id, name, prompt, by=author_of(interaction.user))
        await respond(interaction, _saved(persona), public=True)

    @app_commands.command()
    @app_commands.describe(name="The persona to delete")
    async def delete(self, interaction: discord.Interaction[Bot], name: str) -> None:
        """Delete a persona of this server; channels that use it fall back to the default."""
        require(interaction, "manage_guild")
        guild_id = require_server(interaction, KEPT)
        persona = await self._personas.get(guild_id, name)
        users = await self._personas.delete(guild_id, persona.name, by=author_of(interaction.user))
        await respond(interaction, f"The persona “{persona.name}” is deleted. {_fallen_back(users)}", public=True)

    @use.autocomplete("name")
    async def _complete_any(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:
        return await persona_choices(self._personas, interaction.guild_id, typed)

    @save.autocomplete("name")
    @edit.autocomplete("name")
    @delete.autocomplete("name")
    async def _complete_own(self, interaction: discord.Interaction[Bot], typed: str) -> Choices:
        return await persona_choices(self._personas, interaction.guild_id, typed, own=True)


async def setup(bot: Bot) -> None:
    """Called by discord.py when the cog is loaded."""
    await bot.add_cog(PersonaCog(bot))
