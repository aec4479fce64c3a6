"""The memory from the point of view of the Discord messages that show it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, or_, select, update

from bot.chat.messages import Author, Image, Place, Role
from bot.chat.mirror import Asked, Forgotten, Standing
from bot.storage import branches, let_go, pages, tree
from bot.storage.database import Database
from bot.storage.purging import purge
from bot.storage.removal import remove
from bot.storage.schema import AnyRow, conversations, discord_messages, images, messages

_SHOWN = discord_messages.join(messages).join(conversations)
_PLACE = (*conversations.c["channel_id", "guild_id", "owner_id"], conversations.c.parent_id.label("thread_of"))


class SqlMirror:
    """A `MirrorStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def asked_in(self, discord_id: int) -> Asked | None:
        """The question that a Discord message asks, alone or with others; None where the memory holds none for it."""
        return await self._database.read(_asked_in, discord_id)

    async def is_known(self, place: Place, discord_id: int) -> bool:
        """Whether a Discord message shows a question or an answer of a place's conversation, on whichever branch."""
        return await self._database.read(_is_known, place, discord_id)

    async def reword(self, question_id: int, content: str, images: Sequence[Image]) -> None:
        """Let a question read otherwise, also where a thread went on from it; its answers stay."""
        await self._database.write(_reword, question_id, content, images)

    async def forget_messages(self, discord_ids: Collection[int]) -> Forgotten:
        """Forget each question of which no message is left, and each answer of which one is gone with its question."""
        # Most of what is deleted in Discord is none of ours, and waits for nobody who writes.
        if not await self._database.read(_shows_any, list(discord_ids)):
            return Forgotten([], [])
        return await self._database.write(_forget_messages, list(discord_ids))

    async def forget_channel(self, channel_id: int) -> int:
        """Forget all that was said in a channel and its threads, or in a thread."""
        # A server's oldest channel may have the server's own id, so the two are asked for apart.
        return await self._forget_where(
            or_(conversations.c.channel_id == channel_id, conversations.c.parent_id == channel_id)
        )

    async def forget_server(self, guild_id: int) -> int:
        """Forget all that was said in a server."""
        return await self._forget_where(conversations.c.guild_id == guild_id)

    async def _forget_where(self, condition: ColumnElement[bool]) -> int:
        count = await self._database.write(tree.unlink_all, condition)
        await purge(self._database)
        return count

    async def places(self) -> list[Place]:
        """Every place with a memory, the one with the newest message first."""
        return await self._database.read(_places)

    async def let_go(self) -> set[int]:
        """The newest messages whose questions were forgotten with a deleted answer."""
        return await self._database.read(let_go.recent)

    async def standing(self, place: Place) -> list[Standing]:
        """The Discord messages that show a place's window, and its other branches since then, oldest first."""
        return await self._database.read(_standing, place)


def _asked_in(connection: Connection, discord_id: int) -> Asked | None:
    query = (
        select(*messages.c["id", "author_id", "author_name", "content", "created_at"], *_PLACE)
        .select_from(_SHOWN)
        .where(
            discord_messages.c.discord_id == discord_id,
            messages.c.role == Role.USER.value,
            conversations.c.channel_id.is_not(None),
        )
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Asked(
        question_id=row.id,
        place=_place(row),
        author=Author(row.author_id, row.author_name),
        content=row.content,
        asked_at=row.created_at,
        discord_ids=pages.showing(connection, row.id),
        answer_id=connection.scalar(_answer_of(row.id)),
    )


def _is_known(connection: Connection, place: Place, discord_id: int) -> bool:
    shown = select(discord_messages.c.message_id).select_from(_SHOWN)
    query = shown.where(discord_messages.c.discord_id == discord_id, branches.HERE)
    return connection.execute(query, branches.whose(place)).first() is not None


def _place(row: AnyRow) -> Place:
    return Place(row.channel_id, row.guild_id, row.thread_of, row.owner_id)


def _answer_of(question_id: int) -> Select[int]:
    """The version that is shown, else the newest."""
    is_shown = exists().where(discord_messages.c.message_id == messages.c.id)
    versions = select(messages.c.id).where(branches.answers_to(question_id))
    return versions.order_by(is_shown.desc(), messages.c.id.desc()).limit(1)


def _reword(connection: Connection, question_id: int, content: str, pictures: Sequence[Image]) -> None:
    same = or_(messages.c.id == question_id, messages.c.copied_from == question_id)
    for message_id in list(connection.scalars(select(messages.c.id).where(same))):
        # What the model counted was another text.
        new = {"content": content, "tokens": None, "tokenizer": None}
        connection.execute(update(messages).where(messages.c.id == message_id).values(new))
        connection.execute(delete(images).where(images.c.message_id == message_id))
        tree.keep_images(connection, message_id, pictures)


def _shows_any(connection: Connection, discord_ids: Sequence[int]) -> bool:
    return bool(connection.scalar(select(exists().where(discord_messages.c.discord_id.in_(discord_ids)))))


def _forget_messages(connection: Connection, discord_ids: Sequence[int]) -> Forgotten:
    gone = discord_messages.c.discord_id.in_(discord_ids)
    shown = select(messages.c.id, messages.c.parent_id, messages.c.role, *_PLACE).select_from(_SHOWN)
    rows = connection.execute(shown.where(gone).distinct()).all()
    connection.execute(delete(discord_messages).where(gone))
    questions, halved = [], []
    for row in rows:
        if row.role == Role.ASSISTANT.value:
            questions.append(row.parent_id)
        elif left := pages.showing(connection, row.id):
            halved.append((_place(row), left[0]))
        else:
            questions.append(row.id)
    orphans = _orphans(connection, questions)
    let_go.note(connection, (shown for question in questions for shown in pages.showing(connection, question)))
    remove(connection, questions)
    return Forgotten(orphans, halved)


def _orphans(connection: Connection, questions: Sequence[int]) -> list[tuple[Place, int]]:
    """What else shows answers to these questions; people's own messages are theirs."""
    query = (
        select(discord_messages.c.discord_id, *_PLACE)
        .select_from(_SHOWN)
        .where(messages.c.parent_id.in_(questions), messages.c.role == Role.ASSISTANT.value)
        .where(conversations.c.channel_id.is_not(None))
        .order_by(discord_messages.c.discord_id)
    )
    return [(_place(row), row.discord_id) for row in connection.execute(query)]


def _places(connection: Connection) -> list[Place]:
    query = select(*_PLACE).where(conversations.c.channel_id.is_not(None))
    return [_place(row) for row in connection.execute(query.order_by(conversations.c.head_id.desc()))]


def _standing(connection: Connection, place: Place) -> list[Standing]:
    start = min((message.id for message in branches.window(connection, place)), default=None)
    if start is None:
        return []
    # Other branches can come back any time, and a look into the channel shows what there is of them as well.
    query = (
        select(discord_messages.c.discord_id, messages.c.role)
        .select_from(_SHOWN)
        .where(branches.HERE, messages.c.id >= start)
        .order_by(discord_messages.c.discord_id)
    )
    rows = connection.execute(query, branches.whose(place))
    return [Standing(row.discord_id, row.role == Role.USER.value) for row in rows]
