"""Servers' own personas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, select, update

from bot.chat.messages import Author
from bot.chat.personas import Persona
from bot.chat.scopes import Change, Scope, ScopeKind
from bot.storage.changes import record, stored
from bot.storage.database import Database, utc_now
from bot.storage.schema import AnyRow, persona_versions, personas, settings, storable
from bot.storage.settings import SqlSettings

_CHOICE = "persona"
"""The key of the setting that names the chosen persona."""


class SqlPersonas:
    """A `PersonaStore`. A persona keeps the spelling that it was first saved with."""

    def __init__(self, database: Database, settings: SqlSettings, now: Callable[[], datetime] = utc_now) -> None:
        """Take the settings too, in which personas are chosen."""
        self._database = database
        self._settings = settings
        self._now = now

    async def library(self, guild_id: int) -> list[Persona]:
        """The server's own personas by name, each in its newest version."""
        return await self._database.read(_library, guild_id)

    async def find(self, guild_id: int, name: str) -> Persona | None:
        """The newest version of one persona."""
        row = await self._database.read(_find, guild_id, name)
        return None if row is None else _persona(row)

    async def save(self, guild_id: int, name: str, prompt: str, *, by: Author) -> Persona:
        """Create it, or add a version; saving the same prompt again adds none."""
        return await self._database.write(
            _save, guild_id, storable(name), storable(prompt), author=stored(by), at=self._now()
        )

    async def delete(self, guild_id: int, name: str, *, by: Author) -> list[Scope]:
        """Delete it and, in the same transaction, every choice of it; returns the scopes that had chosen it."""
        try:
            return await self._database.write(_delete, guild_id, name, stored(by), self._now())
        finally:
            self._settings.forget()


def _library(connection: Connection, guild_id: int) -> list[Persona]:
    return [_persona(row) for row in connection.execute(_newest(guild_id).order_by(personas.c.name_key))]


def _save(connection: Connection, guild_id: int, name: str, prompt: str, *, author: Author, at: datetime) -> Persona:
    old = _find(connection, guild_id, name)
    if old is not None and old.prompt == prompt:
        return _persona(old)
    spelling, version = (name, 1) if old is None else (old.name, old.version + 1)
    persona = Persona(spelling, prompt, version, author, at)
    _add_version(connection, guild_id, None if old is None else old.id, persona, author)
    before = None if old is None else old.prompt
    change = Change(Scope(ScopeKind.SERVER, guild_id), _library_key(persona.name), before, prompt, author, at)
    record(connection, guild_id, [change])
    return persona


def _delete(connection: Connection, guild_id: int, name: str, author: Author, at: datetime) -> list[Scope]:
    row = _find(connection, guild_id, name)
    if row is None:
        return []
    connection.execute(delete(personas).where(personas.c.id == row.id))
    choices = _take_choices(connection, guild_id, row.name_key)
    server = Scope(ScopeKind.SERVER, guild_id)
    made = [Change(server, _library_key(row.name), row.prompt, None, author, at)]
    made += [Change(scope, _CHOICE, value, None, author, at) for scope, value in choices]
    record(connection, guild_id, made)
    return [scope for scope, _ in choices]


def _key(name: str) -> str:
    return storable(name).casefold()


def _library_key(name: str) -> str:
    """Under which the record of changes knows a persona."""
    return f"{_CHOICE}:{name}"


def _newest(guild_id: int) -> Select[*tuple[Any, ...]]:
    versions = and_(persona_versions.c.persona_id == personas.c.id, persona_versions.c.version == personas.c.version)
    return (
        select(*personas.c, *persona_versions.c["prompt", "author_id", "author_name", "created_at"])
        .join(persona_versions, versions)
        .where(personas.c.guild_id == guild_id)
    )


def _find(connection: Connection, guild_id: int, name: str) -> AnyRow | None:
    return (connection.execute(_newest(guild_id).where(personas.c.name_key == _key(name)))).first()


def _add_version(
    connection: Connection, guild_id: int, persona_id: int | None, persona: Persona, author: Author
) -> None:
    """Store the persona's text under its version; its first one makes the persona."""
    if persona_id is None:
        row = {"guild_id": guild_id, "name": persona.name, "name_key": _key(persona.name), "version": persona.version}
        made = insert(personas).values(row).returning(personas.c.id)
        persona_id = (connection.execute(made)).scalar_one()
    else:
        newer = update(personas).where(personas.c.id == persona_id).values(version=persona.version)
        connection.execute(newer)
    connection.execute(
        insert(persona_versions).values(
            persona_id=persona_id,
            version=persona.version,
            prompt=persona.prompt,
            author_id=author.id,
            author_name=author.name,
            created_at=persona.changed_at,
        )
    )


def _take_choices(connection: Connection, guild_id: int, name_key: str) -> list[tuple[Scope, str]]:
    """Delete the server's settings that chose the persona; casefold has no equal in SQL, so Python compares."""
    rows = connection.execute(
        select(settings.c.scope_kind, settings.c.scope_id, settings.c.value)
        .where(settings.c.guild_id == guild_id, settings.c.key == _CHOICE)
        .order_by(settings.c.scope_kind, settings.c.scope_id)
    )
    taken = [(Scope(ScopeKind(row.scope_kind), row.scope_id), row.value) for row in rows if _key(row.value) == name_key]
    for scope, _ in taken:
        connection.execute(
            delete(settings).where(
                settings.c.scope_kind == scope.kind.value, settings.c.scope_id == scope.id, settings.c.key == _CHOICE
            )
        )
    return taken


def _persona(row: AnyRow) -> Persona:
    return Persona(row.name, row.prompt, row.version, Author(row.author_id, row.author_name), row.created_at)
