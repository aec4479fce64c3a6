"""Questions leave the tree with their answers, and what others said stays a sound conversation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.storage.removal import remove
from bot.storage.schema import conversations, images, messages, metadata

THEN = datetime(2026, 1, 2, tzinfo=UTC)
ANNA, BERND = 1, 2


@dataclass(frozen=True)
class Said:
    """A row of the tree; an answer has no author."""

    id: int
    parent_id: int | None
    author_id: int | None


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Said], int | None, int | None]:
    """Any tree that people can make, its head and its window's start: further answers, branches, several roots."""
    said: list[Said] = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        questions = [one for one in said if one.author_id is not None]
        if draw(st.booleans()) and questions:
            said.append(Said(number, draw(st.sampled_from(questions)).id, None))
        else:
            above = draw(st.sampled_from([None, *(one.id for one in said if one.author_id is None)]))
            said.append(Said(number, above, draw(st.sampled_from([ANNA, BERND]))))
    head = draw(st.sampled_from([None, *(one.id for one in said if one.author_id is None)]))
    start = draw(st.sampled_from([None, *way(said, head)]))
    return said, head, start


def way(said: list[Said], message_id: int | None) -> list[int]:
    """From the root down to a message."""
    parents = {one.id: one.parent_id for one in said}
    found = []
    while message_id is not None:
        found.append(message_id)
        message_id = parents[message_id]
    return found[::-1]


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def planted(connection: sa.Connection, said: list[Said], head: int | None, start: int | None) -> None:
    here = {"id": 1, "channel_id": 10, "guild_id": 7, "created_at": THEN}
    connection.execute(sa.insert(conversations).values(**here, head_id=head, window_start_id=start))
    rows = [
        {
            "id": one.id,
            "conversation_id": 1,
            "parent_id": one.parent_id,
            "role": "user" if one.author_id else "assistant",
            "author_id": one.author_id,
            "content": f"{one.id}",
            "end_reason": "complete",
            "created_at": THEN,
        }
        for one in said
    ]
    pictures = [{"message_id": one.id, "position": 0, "name": "a", "content": b"x"} for one in said if one.author_id]
    if rows:
        connection.execute(sa.insert(messages), rows)
        connection.execute(sa.insert(images), pictures)


def left_in(connection: sa.Connection) -> list[Said]:
    rows = connection.execute(sa.select(messages).order_by(messages.c.id))
    return [Said(row.id, row.parent_id, row.author_id) for row in rows]


@settings(deadline=None)
@given(trees(), st.integers(1, 5))
def test_what_others_said_keeps_its_order_and_hangs_together(
    engine: sa.Engine, tree: tuple[list[Said], int | None, int | None], batch: int
) -> None:
    said, head, start = tree
    hers = {one.id for one in said if one.author_id == ANNA}
    gone = hers | {one.id for one in said if one.parent_id in hers and one.author_id is None}
    with engine.connect() as connection:
        planted(connection, said, head, start)
        newest_first = sorted(hers, reverse=True)
        removed = sum(remove(connection, newest_first[at : at + batch]) for at in range(0, len(newest_first), batch))
        left = left_in(connection)
        row = connection.execute(sa.select(conversations)).first()
        pictures = set(connection.scalars(sa.select(images.c.message_id)))
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        connection.rollback()

    assert removed == len(gone)
    assert {one.id for one in left} == {one.id for one in said} - gone
    for one in left:
        assert way(left, one.id) == [it for it in way(said, one.id) if it not in gone]
    assert pictures == {one.id for one in left if one.author_id}
    if not left and gone:
        assert row is None, "an empty conversation is gone too"
        return
    assert row is not None
    shown = [it for it in way(said, head) if it not in gone]
    assert row.head_id == (shown[-1] if shown else None)
    if start not in gone:
        assert row.window_start_id == start
        return
    later = [it for it in shown if it > (start or 0) and next(one for one in said if one.id == it).author_id]
    assert row.window_start_id == (later[0] if later else None)


def test_removing_what_is_not_there_does_nothing(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        planted(connection, [Said(1, None, BERND)], None, None)
        assert remove(connection, []) == 0
        assert remove(connection, [5]) == 0
        assert left_in(connection) == [Said(1, None, BERND)]
        connection.rollback()
