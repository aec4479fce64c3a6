"""What people write comes back as they wrote it, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.messages import Author, EndReason, Place, Receipt
from bot.chat.scopes import Scope, ScopeKind
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.personas import SqlPersonas
from bot.storage.schema import storable
from bot.storage.settings import SqlSettings
from bot.storage.state import SqlState

TEXTS = [
    "'; DROP TABLE messages; --",
    '"; DELETE FROM personas WHERE ("1"="1',
    "Robert'); DROP TABLE settings;--",
    "100% :name ? ?1 $1 @x %s {} \\ `",
    "  white\tspace\r\n\n ",
    "Größe 🦙 👨‍👩‍👧 \u202e \u200b e\u0301",
    "NULL",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
async def test_every_text_comes_back_verbatim(database: Database, text: str) -> None:
    assert await everywhere(database, text) == {text}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("before\0after", "before\ufffdafter"),
        ("\ud83d", "\ufffd"),
        ("a\udc99b", "a\ufffdb"),
        ("\ud83e\udd99", "🦙"),
    ],
    ids=["NUL", "high surrogate", "low surrogate", "pair of surrogates"],
)
async def test_what_a_database_can_not_keep_is_replaced(database: Database, text: str, kept: str) -> None:
    assert await everywhere(database, text) == {kept}


async def everywhere(database: Database, text: str) -> set[str | None]:
    """Store the text wherever text goes; returns what is found there."""
    author, scope, place = Author(1, text), Scope(ScopeKind.CHANNEL, 1), Place(1, 7)
    settings, personas, state = SqlSettings(database), SqlPersonas(database, SqlSettings(database)), SqlState(database)
    conversations = SqlConversations(database)
    made = await settings.change(scope, {"persona": text, text: text}, guild_id=7, by=author)
    assert await settings.changes(scope, limit=2) == made[::-1]
    [setting] = {(s.value, s.changed_by.name) for s in (await settings.values([scope]))[scope].values()}
    saved = await personas.save(7, text, text, by=author)
    assert await personas.save(7, text, text, by=author) == saved
    assert await personas.find(7, text) == saved
    _, answer, _ = await conversations.begin(place, author, text)
    receipt = Receipt(text, text, 1, {"stop": [text]}, prompt_estimate=2, prompt_tokens=1)
    await conversations.finish(answer, text, EndReason.COMPLETE, receipt)
    assert await conversations.last_estimate(text) == (2, 1)
    await state.set(text, text)
    said = [m.content for m in await conversations.branch(place)] or [storable(text)]
    assert await personas.delete(7, text, by=author) == [Scope(ScopeKind.CHANNEL, 1)]
    assert saved.changed_by is not None
    return {*setting, saved.name, saved.prompt, saved.changed_by.name, *said, await state.get(text)}


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_storable_text_stays_as_it_is_from_then_on(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert "\0" not in kept
    assert storable(kept) == kept


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_proper_text_is_storable(text: str) -> None:
    assert storable(text) == text
