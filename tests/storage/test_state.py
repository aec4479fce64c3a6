from bot.storage.database import Database
from bot.storage.state import SqlState


async def test_a_fact_is_replaced_and_others_stay(database: Database) -> None:
    state = SqlState(database)
    assert await state.get("commands") is None
    await state.set("commands", "a")
    await state.set("other", "c")
    await state.set("commands", "b")
    assert [await state.get("commands"), await state.get("other")] == ["b", "c"]
