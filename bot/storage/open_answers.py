"""The answers on their way, and what the next start must know of each.

Functions are called in the transaction that they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.chat.messages import Author, OpenAnswer, Place
from bot.storage.database import Database
from bot.storage.schema import AnyRow, open_answers

_OPEN = insert(open_answers).returning(open_answers.c.id)
_CHANGE = update(open_answers).where(open_answers.c.id == bindparam("row_id"))
_BEGIN = _CHANGE.values(answer_id=bindparam("begun"))
_NOTE = _CHANGE.values(discord_id=bindparam("newest"))
_ALLOW = _CHANGE.values(may_be_asked=bindparam("asking"))
_CLOSE = delete(open_answers).where(open_answers.c.id == bindparam("row_id"))


def begin(connection: Connection, row_ids: Sequence[int], answer_id: int) -> None:
    """These questions have come to their turn, and have one answer."""
    if row_ids:
        connection.execute(_BEGIN, [{"row_id": row_id, "begun": answer_id} for row_id in row_ids])


def wait_again(connection: Connection, answer_id: int) -> None:
    """The question of this answer has given its turn back."""
    connection.execute(update(open_answers).where(open_answers.c.answer_id == answer_id).values(answer_id=None))


class SqlOpenAnswers:
    """An `OpenAnswerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, answer: OpenAnswer) -> int:
        """An answer is on its way from now on; returns the id of its row."""
        row = asdict(answer)
        place, asker = row.pop("place"), row.pop("asker") or {"id": None, "name": None}
        del row["id"], place["owner_id"]
        return await self._database.write(_open, row | place | {f"author_{name}": asker[name] for name in asker})

    async def note(self, row_id: int, discord_id: int | None) -> None:
        """This is the newest of its messages; None where it has none any more."""
        await self._database.write(_execute, _NOTE, [{"row_id": row_id, "newest": discord_id}])

    async def allow(self, row_id: int, *, asking: bool) -> None:
        """Whether the next start may ask the question, if it still waits then."""
        await self._database.write(_execute, _ALLOW, [{"row_id": row_id, "asking": asking}])

    async def close(self, row_ids: Sequence[int]) -> None:
        """These answers have come to their ends, for everybody to see."""
        if row_ids:
            await self._database.write(_execute, _CLOSE, [{"row_id": row_id} for row_id in row_ids])

    async def all(self) -> list[OpenAnswer]:
        """Every answer that was opened and not closed, oldest first."""
        return await self._database.read(_all)


def _open(connection: Connection, row: dict[str, Any]) -> int:
    opened: int = connection.execute(_OPEN, row).scalar_one()
    return opened


def _execute(connection: Connection, statement: Any, parameters: list[dict[str, Any]]) -> None:  # noqa: ANN401
    connection.execute(statement, parameters)


def _all(connection: Connection) -> list[OpenAnswer]:
    return [_open_answer(row) for row in connection.execute(select(open_answers).order_by(open_answers.c.id))]


def _open_answer(row: AnyRow) -> OpenAnswer:
    return OpenAnswer(
        id=row.id,
        place=Place(row.channel_id, row.guild_id, row.parent_id),
        opened_at=row.opened_at,
        key=row.key,
        discord_id=row.discord_id,
        answer_id=row.answer_id,
        asked_in=row.asked_in,
        interaction_id=row.interaction_id,
        asker=None if row.author_id is None else Author(row.author_id, row.author_name),
        header=row.header,
        question=row.question,
        persona=row.persona,
        may_be_asked=row.may_be_asked,
    )
