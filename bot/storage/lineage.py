"""What was said before a message: to put its prompt together again, and to go on from it in another place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import CTE, Connection, func, insert, literal, select, update

from bot.chat.messages import Place, StoredMessage
from bot.storage import branches
from bot.storage.database import Database, utc_now
from bot.storage.schema import AnyRow, conversations, images, messages

_COPIED = ("role", "author_id", "author_name", "content", "end_reason", "tokens", "tokenizer", "created_at")


class SqlLineage:
    """A `LineageStore`."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    async def upto(self, message_id: int, start: int | None) -> list[StoredMessage]:
        """A message and what was said before it from `start` on, oldest first; no more than a window and itself."""
        return await self._database.read(_upto, message_id, start)

    async def depth(self, message_id: int) -> int:
        """How many messages were said before one, as far as they are remembered."""
        return await self._database.read(_depth, message_id)

    async def copy(self, answer_id: int, place: Place) -> int:
        """Let a place's conversation, where it has none yet, begin with an answer and what was said before it.

        Returns how many messages that are: at most those of a window, the newest ones.
        """
        return await self._database.write(_copy, answer_id, place, at=self._now())


def _way(message_id: int, start: int | None, limit: int | None) -> CTE:
    way = select(messages.c.id, messages.c.parent_id, literal(1).label("distance"))
    found = way.where(messages.c.id == message_id).cte("way", recursive=True)
    step = select(messages.c.id, messages.c.parent_id, found.c.distance + 1).join(
        found, messages.c.id == found.c.parent_id
    )
    if start is not None:
        step = step.where(found.c.id != start)
    if limit is not None:
        step = step.where(found.c.distance < limit)
    return found.union_all(step)


def _rows(connection: Connection, way: CTE) -> Sequence[AnyRow]:
    query = select(messages).join(way, way.c.id == messages.c.id).order_by(way.c.distance.desc())
    return connection.execute(query).all()


def _upto(connection: Connection, message_id: int, start: int | None) -> list[StoredMessage]:
    way = _way(message_id, message_id if start is None else start, branches.MAX_WINDOW + 1)
    return [branches.stored_message(row) for row in _rows(connection, way)]


def _depth(connection: Connection, message_id: int) -> int:
    return connection.execute(select(func.count() - 1).select_from(_way(message_id, None, None))).scalar_one()


def _copy(connection: Connection, answer_id: int, place: Place, *, at: datetime) -> int:
    ids = {"channel_id": place.channel_id, "guild_id": place.guild_id, "parent_id": place.parent_id}
    if connection.execute(select(conversations.c.id).where(branches.HERE), branches.whose(place)).first():
        return 0
    rows = _rows(connection, _way(answer_id, None, branches.MAX_WINDOW))
    if not rows:
        return 0
    new = ids | {"owner_id": place.owner_id, "created_at": at}
    conversation_id = connection.execute(insert(conversations).values(new).returning(conversations.c.id)).scalar_one()
    copies: dict[int, int] = {}
    for row in rows:
        values = {name: getattr(row, name) for name in _COPIED}
        values |= {"conversation_id": conversation_id, "parent_id": copies.get(row.parent_id), "copied_from": row.id}
        copies[row.id] = connection.execute(insert(messages).returning(messages.c.id), values).scalar_one()
    _copy_images(connection, copies)
    # The window of the old place goes on, so that the model knows the prompt's beginning already.
    old = select(conversations.c.window_start_id).where(conversations.c.id == rows[-1].conversation_id)
    start = copies.get(connection.scalar(old) or 0)
    moved = {"head_id": copies[answer_id], "window_start_id": start}
    connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(moved))
    return len(copies)


def _copy_images(connection: Connection, copies: dict[int, int]) -> None:
    rows = connection.execute(select(images).where(images.c.message_id.in_(copies))).all()
    if rows:
        names = ("position", "name", "content")
        its = [{name: getattr(row, name) for name in names} | {"message_id": copies[row.message_id]} for row in rows]
        connection.execute(insert(images), its)
