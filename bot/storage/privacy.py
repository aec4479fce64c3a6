"""Everything that is stored about one person.

What belongs to them in each table is said in one place, `theirs`, which counting, exporting and deleting start from;
a test compares it with the schema, so that a new table or column can't be forgotten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, delete, exists, false, func, insert, or_, select, update

from bot.chat.messages import Role
from bot.chat.privacy import NOBODY, Person, Report, Rows, Spot, StoredFile
from bot.chat.scopes import ScopeKind
from bot.storage import retention, schema, thoughts
from bot.storage.database import Database, utc_now
from bot.storage.removal import exchanges, remove
from bot.storage.schema import changes, conversations, images, messages, open_answers, people, persona_versions
from bot.storage.settings import SqlSettings

BATCH = 100
"""Questions deleted in one transaction, with their answers: some milliseconds, so that no answer waits for them."""


def theirs(person_id: int) -> dict[sa.Table, ColumnElement[bool]]:
    """For every table, which of its rows are about a person."""
    said = select(exchanges(messages.c.author_id == person_id).c.id)
    asked_in = select(messages.c.conversation_id).where(messages.c.author_id == person_id)
    wrote = select(persona_versions.c.persona_id).where(persona_versions.c.author_id == person_id)
    shown = schema.discord_messages
    in_them = select(shown.c.discord_id).where(shown.c.message_id.in_(said))
    return {
        schema.settings: _made_by(schema.settings, person_id),
        changes: _made_by(changes, person_id),
        schema.personas: schema.personas.c.id.in_(wrote),
        persona_versions: persona_versions.c.author_id == person_id,
        conversations: or_(conversations.c.owner_id == person_id, conversations.c.id.in_(asked_in)),
        messages: messages.c.id.in_(said),
        schema.receipts: schema.receipts.c.answer_id.in_(said),
        schema.thoughts: schema.thoughts.c.answer_id.in_(said),
        images: images.c.message_id.in_(said),
        shown: shown.c.message_id.in_(said),
        open_answers: or_(
            open_answers.c.author_id == person_id,
            open_answers.c.answer_id.in_(said),
            open_answers.c.discord_id.in_(in_them),
            _in_their_direct_messages(person_id),
        ),
        people: people.c.person_id == person_id,
        schema.usage: schema.usage.c.person_id == person_id,
        schema.state: false(),
    }


class SqlPrivacy:
    """A `PrivacyStore`."""

    def __init__(self, database: Database, settings: SqlSettings, now: Callable[[], datetime] = utc_now) -> None:
        """Take the settings too, some of which are people's own."""
        self._database = database
        self._settings = settings
        self._now = now

    async def person(self, person_id: int) -> Person:
        """What a person chose."""
        return await self._database.read(_person, person_id)

    async def opted_out(self) -> set[int]:
        """Everybody who wants nothing to be kept."""
        query = select(people.c.person_id).where(people.c.opted_out_at.is_not(None))
        return await self._database.read(lambda connection: set(connection.scalars(query)))

    async def tell(self, person_id: int) -> None:
        """Note that a person has been told what is kept."""
        await self._database.write(_note, person_id, {"told_at": self._now()})

    async def choose(self, person_id: int, *, opted_out: bool) -> None:
        """Note what a person chose. After opting out they are told once more, after coming back not."""
        now = self._now()
        told_at, opted_out_at = (None, now) if opted_out else (now, None)
        values = {"told_at": told_at, "opted_out_at": opted_out_at}
        await self._database.write(_note, person_id, values)

    async def report(self, person_id: int) -> Report:
        """What is kept about a person, in numbers."""
        return await self._database.read(_report, person_id)

    async def rows(self, person_id: int) -> Rows:
        """Every row of every table that is about a person; files by their names only."""
        return await self._database.read(_rows, person_id)

    async def files(self, person_id: int) -> AsyncIterator[StoredFile]:
        """The images that came with a person's questions, one at a time."""
        keys = await self._database.read(_image_keys, person_id)
        for message_id, position in keys:
            image = await self._database.read(_image, message_id, position)
            if image is not None:
                yield image

    async def delete(self, person_id: int) -> int:
        """Delete everything about a person, in the files of the database too; returns how many messages that were."""
        try:
            await self._database.write(_begin_to_forget, person_id, self._now())
        finally:
            self._settings.forget()
        return await self._forget(person_id)

    async def finish_deleting(self) -> None:
        """Delete what a crash, or a full disk, left of people who wanted everything deleted."""
        leaving = select(people.c.person_id).where(people.c.leaving_at.is_not(None))
        for person_id in await self._database.read(lambda connection: list(connection.scalars(leaving))):
            await self._forget(person_id)

    async def sweep(self, key: str, now: datetime, default_days: int) -> int:
        """Delete questions and answers that are older than their server's choice; returns how many messages.

        And thoughts that have been kept for long enough, and what is left of people who wanted everything deleted.
        """
        await self.finish_deleting()
        await self._database.write(thoughts.forget_old, now)
        total = 0
        for conversation_id, limit in await self._database.read(retention.outdated, key, now, default_days):
            while count := await self._database.write(retention.forget_some, conversation_id, limit):
                total += count
        if total:
            await self._database.leave_no_trace()
        return total

    async def _forget(self, person_id: int) -> int:
        total = 0
        while count := await self._database.write(_forget_some, person_id):
            total += count
        await self._database.write(_end_forgetting, person_id)
        await self._database.leave_no_trace()
        return total


def _made_by(table: sa.Table, person_id: int) -> ColumnElement[bool]:
    """Settings or changes of a person: those that they made, and those of their own scope."""
    own_scope = (table.c.scope_kind == ScopeKind.PERSON.value) & (table.c.scope_id == person_id)
    return or_(table.c.changed_by_id == person_id, own_scope)


def _in_their_direct_messages(person_id: int) -> ColumnElement[bool]:
    """Where the place alone tells who it is."""
    asked = exists().where(messages.c.conversation_id == conversations.c.id, messages.c.author_id == person_id)
    places = select(conversations.c.channel_id).where(conversations.c.guild_id.is_(None), asked)
    return open_answers.c.guild_id.is_(None) & open_answers.c.channel_id.in_(places)


def _person(connection: Connection, person_id: int) -> Person:
    row = connection.execute(select(people).where(people.c.person_id == person_id)).first()
    return Person() if row is None else Person(row.told_at, row.opted_out_at)


def _note(connection: Connection, person_id: int, values: Mapping[str, datetime | None]) -> None:
    changed = connection.execute(update(people).where(people.c.person_id == person_id).values(values))
    if not changed.rowcount:
        connection.execute(insert(people), {"person_id": person_id, **values})


def _report(connection: Connection, person_id: int) -> Report:
    rows = theirs(person_id)

    def count(table: sa.Table, *more: ColumnElement[bool]) -> int:
        return connection.execute(select(func.count()).select_from(table).where(rows[table], *more)).scalar_one()

    oldest = [
        connection.scalar(select(func.min(moment)).where(rows[moment.table]))
        for moment in (messages.c.created_at, changes.c.changed_at, persona_versions.c.created_at)
    ]
    asked = func.count().label("asked")
    spots = (
        select(conversations.c.channel_id, conversations.c.guild_id, asked)
        .join(messages)
        .where(messages.c.author_id == person_id)
        .group_by(conversations.c.channel_id, conversations.c.guild_id)
        .order_by(asked.desc())
    )
    person = _person(connection, person_id)
    return Report(
        questions=count(messages, messages.c.role == Role.USER.value),
        answers=count(messages, messages.c.role == Role.ASSISTANT.value, messages.c.content != ""),
        images=count(images),
        settings=count(schema.settings),
        changes=count(changes),
        personas=count(persona_versions),
        since=min((moment for moment in oldest if moment is not None), default=None),
        told_at=person.told_at,
        opted_out_at=person.opted_out_at,
        counts_tokens=bool(count(schema.usage)),
        spots=[Spot(*row) for row in connection.execute(spots) if row.channel_id is not None],
    )


def _rows(connection: Connection, person_id: int) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for table, condition in theirs(person_id).items():
        columns = [column for column in table.c if not isinstance(column.type, sa.LargeBinary)]
        rows = connection.execute(select(*columns).where(condition).order_by(*table.primary_key))
        found[table.name] = [_exported(columns, row) for row in rows.mappings()]
    for row in found[images.name]:
        row["file"] = _file_name(int(row["message_id"]), row["position"], row["name"])
    return {name: rows for name, rows in found.items() if rows}


def _exported(columns: list[sa.Column[Any]], row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON can hold it; ids become text, since many programs read large numbers only roughly."""
    values = {}
    for column in columns:
        value = row[column]
        if isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, int) and isinstance(column.type, sa.BigInteger):
            value = str(value)
        values[column.name] = value
    return values


def _file_name(message_id: int, position: int, name: str) -> str:
    safe = "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
    return f"images/{message_id}-{position}-{safe[-60:]}"


def _image_keys(connection: Connection, person_id: int) -> list[tuple[int, int]]:
    keys = select(images.c.message_id, images.c.position).where(theirs(person_id)[images])
    return [(row.message_id, row.position) for row in connection.execute(keys.order_by(*images.primary_key))]


def _image(connection: Connection, message_id: int, position: int) -> StoredFile | None:
    """None where it was deleted meanwhile."""
    this = (images.c.message_id == message_id) & (images.c.position == position)
    row = connection.execute(select(images).where(this)).first()
    return None if row is None else StoredFile(_file_name(message_id, position, row.name), row.content)


def _begin_to_forget(connection: Connection, person_id: int, now: datetime) -> None:
    """All that is small, at once, and the wish itself, which outlives a crash."""
    _note(connection, person_id, {"leaving_at": now})
    for table in (open_answers, schema.usage):
        connection.execute(delete(table).where(theirs(person_id)[table]))
    for table in (schema.settings, changes):
        mine = _made_by(table, person_id)
        # What belongs to no server belongs to them alone; what a server was set to stays, without their name.
        connection.execute(delete(table).where(mine, table.c.guild_id.is_(None)))
        nameless = {"changed_by_id": NOBODY.id, "changed_by_name": NOBODY.name}
        connection.execute(update(table).where(mine).values(nameless))
    wrote = persona_versions.c.author_id == person_id
    connection.execute(update(persona_versions).where(wrote).values(author_id=NOBODY.id, author_name=NOBODY.name))


def _forget_some(connection: Connection, person_id: int) -> int:
    """Delete one batch of a person's questions and the answers to them, the newest first."""
    asked = select(messages.c.id).where(messages.c.author_id == person_id).order_by(messages.c.id.desc()).limit(BATCH)
    return remove(connection, list(connection.scalars(asked)))


def _end_forgetting(connection: Connection, person_id: int) -> None:
    """That they opted out stays: else everything would be kept again from their next question on."""
    its = people.c.person_id == person_id
    connection.execute(delete(people).where(its, people.c.opted_out_at.is_(None)))
    connection.execute(update(people).where(its).values(leaving_at=None))
