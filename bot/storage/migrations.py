"""Bringing a database to the schema that this code knows, by the revisions in migrations/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from bot.errors import StorageError
from bot.storage.database import Database

__all__ = ["MIGRATIONS", "MigrationResult", "SchemaState", "migrate", "schema_state"]

MIGRATIONS = Path(__file__).parents[2] / "migrations"
"""Beside the package, in a checkout as in the image."""


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """From which revision to which; the same one twice where there was nothing to do."""

    old: str | None
    """None where the database was blank."""
    new: str


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which revision a database has, and which one this code wants."""

    current: str | None
    """None where the database is blank."""
    newest: str

    @property
    def is_newest(self) -> bool:
        """Whether the bot can work with the database as it is."""
        return self.current == self.newest


async def migrate(database: Database, folder: Path = MIGRATIONS) -> MigrationResult:
    """Run every missing revision in one transaction: all of them, or the database stays as it was.

    Raises StorageError where that fails, or where the database is newer than this code.
    """
    try:
        return await database.rebuild(lambda connection: _upgrade(connection, _config(folder)))
    except (CommandError, sa.exc.SQLAlchemyError) as error:
        raise StorageError(
            "The database in DATABASE_URL could not be brought to this version's form and was left as it was; "
            "see the log."
        ) from error


async def schema_state(database: Database, folder: Path = MIGRATIONS) -> SchemaState:
    """Only look. Raises StorageError where the database is newer than this code."""
    return await database.read(_state, _config(folder))


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _state(connection: Connection, config: Config) -> SchemaState:
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    if newest is None:
        raise CommandError(f"no revisions in {scripts.dir}")
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(
            "The database in DATABASE_URL was written by a newer version of the bot; "
            "start that version, or go back to a backup from before the update."
        )
    return SchemaState(current, newest)


def _upgrade(connection: Connection, config: Config) -> MigrationResult:
    state = _state(connection, config)
    if not state.is_newest:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return MigrationResult(state.current, state.newest)
