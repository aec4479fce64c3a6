"""The Discord messages that answers are being written to."""

from __future__ import annotations

from sqlalchemy import delete, exists, insert, select

from bot.chat.messages import EndReason, OpenMessage, Place
from bot.storage.database import Database
from bot.storage.schema import discord_messages, messages, open_messages


class SqlOpenMessages:
    """An `OpenMessageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, discord_id: int, place: Place) -> None:
        """From now on an answer is written to this message. Noting it twice does nothing."""
        row = {"channel_id": place.channel_id, "guild_id": place.guild_id, "parent_id": place.parent_id}
        async with self._database.transaction() as connection:
            known = exists().where(open_messages.c.discord_id == discord_id)
            if not await connection.scalar(select(known)):
                await connection.execute(insert(open_messages).values(discord_id=discord_id, **row))

    async def forget(self, discord_id: int) -> None:
        """The message reads as it should."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(open_messages).where(open_messages.c.discord_id == discord_id))

    async def all(self) -> list[OpenMessage]:
        """Every message that was noted and not forgotten, oldest first, with its answer where that was complete."""
        shown = discord_messages.outerjoin(
            messages,
            (messages.c.id == discord_messages.c.message_id) & (messages.c.end_reason == EndReason.COMPLETE.value),
        )
        query = (
            select(open_messages, messages.c.content)
            .select_from(open_messages.outerjoin(shown, discord_messages.c.discord_id == open_messages.c.discord_id))
            .order_by(open_messages.c.discord_id)
        )
        async with self._database.reading() as connection:
            return [
                OpenMessage(row.discord_id, Place(row.channel_id, row.guild_id, row.parent_id), row.content or "")
                for row in await connection.execute(query)
            ]
