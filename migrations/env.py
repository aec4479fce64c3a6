"""How Alembic gets its connection: from `bot.storage.migrations`, or on the command line from DATABASE_URL."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from bot.storage.database import open_database
from bot.storage.schema import metadata


def run(connection: Connection) -> None:
    """Run the revisions inside the transaction that the connection is in already."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    """For developers (`alembic revision --autogenerate`, `alembic check`); the bot itself never comes here."""
    async with await open_database(os.environ["DATABASE_URL"]) as database:
        await database.rebuild(run)


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_from_command_line())
else:
    run(given)
