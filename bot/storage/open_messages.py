"""The Discord messages that answers are being written to."""

from __future__ import annotations

from bot.chat.messages import OpenMessage, Place
from bot.storage import pages
from bot.storage.database import Database


class SqlOpenMessages:
    """An `OpenMessageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, discord_id: int, place: Place, *, instead_of: int | None = None) -> None:
        """From now on an answer is written to this message, and no longer to the other one."""
        await self._database.write(pages.note, discord_id, place, instead_of)

    async def forget(self, discord_id: int) -> None:
        """The message reads as it should."""
        await self._database.write(pages.forget, discord_id)

    async def all(self) -> list[OpenMessage]:
        """Every message that was noted and not forgotten, oldest first, with its answer where that was complete."""
        return await self._database.read(pages.left_open)
