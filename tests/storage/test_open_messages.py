from bot.chat.messages import Author, EndReason, OpenMessage, Place, Receipt
from bot.storage.conversations import SqlConversations
from bot.storage.database import Database
from bot.storage.open_messages import SqlOpenMessages

PLACE = Place(10, 7, 9)


async def test_a_message_is_open_from_its_note_until_it_is_forgotten(database: Database) -> None:
    store = SqlOpenMessages(database)
    await store.note(2, PLACE)
    await store.note(1, Place(20))
    await store.note(2, PLACE)
    assert await store.all() == [OpenMessage(1, Place(20), ""), OpenMessage(2, PLACE, "")]
    await store.note(3, PLACE, instead_of=2)
    assert await store.all() == [OpenMessage(1, Place(20), ""), OpenMessage(3, PLACE, "")]
    await store.forget(1)
    await store.forget(1)
    assert await store.all() == [OpenMessage(3, PLACE, "")]


async def test_an_open_message_has_its_answer_only_where_that_is_complete(database: Database) -> None:
    store, memory = SqlOpenMessages(database), SqlConversations(database)
    for discord_id, reason in ((1, EndReason.COMPLETE), (2, EndReason.INTERRUPTED), (3, None)):
        _, answer, _ = await memory.begin(PLACE, Author(1, "Anna"), "Why?")
        await memory.shown_as(answer, discord_id)
        await store.note(discord_id, PLACE)
        if reason:
            await memory.finish(answer, "So.", reason, Receipt("llama", "assistant", 0, {}))
    assert [message.answer for message in await store.all()] == ["So.", "", ""]
