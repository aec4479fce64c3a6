"""Deleting what was unlinked, a batch in each transaction, so that nobody's answer waits for a long history."""

from __future__ import annotations

from bot.storage import tree
from bot.storage.database import Database


async def purge(database: Database) -> None:
    """Delete the rows of all cleared conversations."""
    while await database.write(tree.purge_some):
        pass
