from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.history import ExportFormat, as_json, as_markdown, speaker
from bot.chat.messages import Author, EndReason, Role, StoredMessage
from bot.errors import BadInput, NotAllowed

from .parts import ANNA, BERND, OTHER_PLACE, PLACE, Hold, Parts

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES = st.lists(
    st.builds(
        StoredMessage,
        id=st.integers(1),
        role=st.sampled_from([Role.USER, Role.ASSISTANT]),
        content=TEXTS,
        created_at=st.datetimes(timezones=st.just(UTC)),
        author=st.none() | st.builds(Author, st.integers(0, 2**63 - 1), TEXTS),
        end_reason=st.sampled_from(EndReason),
    )
)


async def test_undo_takes_back_the_newest_exchange(parts: Parts) -> None:
    await parts.ask("One")
    await parts.ask("Two")

    assert (await parts.history.undo(PLACE, only_by=ANNA.id)).content == "Two"
    assert await parts.contents() == ["One", "Hello there."]


async def test_there_is_an_end_to_undoing(parts: Parts) -> None:
    await parts.ask("One")
    await parts.history.undo(PLACE, only_by=None)

    with pytest.raises(BadInput, match="There is nothing to take back"):
        await parts.history.undo(PLACE, only_by=None)


async def test_only_who_asked_last_takes_back(parts: Parts) -> None:
    await parts.ask("One", author=ANNA)
    await parts.ask("Two", author=BERND)

    with pytest.raises(NotAllowed, match="The last question here is somebody else's"):
        await parts.history.undo(PLACE, only_by=ANNA.id)
    assert (await parts.history.undo(PLACE, only_by=BERND.id)).content == "Two"


async def test_undo_leaves_the_answer_that_is_being_written(parts: Parts) -> None:
    await parts.ask("One", author=ANNA)
    hold = parts.fake.between = Hold(at=1)
    running = parts.start("Two", author=BERND)
    await hold.reached.wait()

    with pytest.raises(BadInput, match=r"^An answer is being written here; please wait until it ends\.$"):
        await parts.history.undo(PLACE, only_by=ANNA.id)
    hold.go.set()
    await running.task

    assert await parts.contents() == ["One", "Hello there.", "Two", "Hello there."]


async def test_clear_forgets_this_place_and_no_other(parts: Parts) -> None:
    await parts.ask("One")
    await parts.ask("Elsewhere", place=OTHER_PLACE)

    assert await parts.history.clear(PLACE, only_by=ANNA.id) == 2
    assert await parts.contents() == []
    assert await parts.contents(OTHER_PLACE) == ["Elsewhere", "Hello there."]
    assert await parts.history.clear(PLACE, only_by=ANNA.id) == 0


async def test_a_conversation_is_ones_own_until_somebody_else_asks(parts: Parts) -> None:
    await parts.ask("One", author=ANNA)
    await parts.history.check_clear(PLACE, only_by=ANNA.id)

    await parts.ask("Two", author=BERND)

    for forget in (parts.history.check_clear, parts.history.clear):
        for author in (ANNA, BERND):
            with pytest.raises(NotAllowed, match="Other people asked here too"):
                await forget(PLACE, only_by=author.id)
    await parts.history.check_clear(PLACE, only_by=None)
    assert await parts.history.clear(PLACE, only_by=None) == 4


async def test_an_export_has_the_whole_conversation_in_order(parts: Parts) -> None:
    parts.fake.reply = lambda body: [f"Answer to {body['messages'][-1]['content']}"]
    for number in range(10):
        await parts.ask(f"Question {number}")

    markdown = await parts.history.export(PLACE, ExportFormat.MARKDOWN)
    exported = json.loads(await parts.history.export(PLACE, ExportFormat.JSON))

    contents = [text for number in range(10) for text in (f"Question {number}", f"Answer to Question {number}")]
    assert [message["content"] for message in exported] == contents
    assert [line for line in markdown.splitlines() if line and not line.startswith("## ")] == contents


@pytest.mark.parametrize("kind", ExportFormat)
async def test_there_is_nothing_to_export_of_an_empty_place(parts: Parts, kind: ExportFormat) -> None:
    with pytest.raises(BadInput, match="There is nothing to export"):
        await parts.history.export(PLACE, kind)


async def test_an_answer_that_a_crash_broke_off_is_not_saved_as_an_empty_file(parts: Parts) -> None:
    _, answer_id, _ = await parts.memory.begin(PLACE, ANNA, "Why?")
    await parts.memory.shown_as(answer_id, 500)
    await parts.memory.interrupt_running()

    with pytest.raises(BadInput, match=r"^No text of this answer is kept: .* restarted while it was being written"):
        await parts.history.answer(PLACE, 500)


def test_markdown_has_a_heading_for_each_message_and_the_text_as_it_was() -> None:
    question = StoredMessage(1, Role.USER, "Why?\n\n```py\nx\n```", THEN, Author(1, "Anna\nGröße"))
    answer = StoredMessage(2, Role.ASSISTANT, "Because", THEN, end_reason=EndReason.LENGTH)

    assert as_markdown([question, answer]) == (
        "## Anna Größe, 2026-01-02 03:04:05 UTC\n\nWhy?\n\n```py\nx\n```\n\n"
        "## Model, 2026-01-02 03:04:05 UTC (length)\n\nBecause\n"
    )


@given(MESSAGES)
def test_json_keeps_every_character_and_every_id(messages: list[StoredMessage]) -> None:
    exported = json.loads(as_json(messages))

    assert [
        StoredMessage(
            id=message.id,
            role=Role(entry["role"]),
            content=entry["content"],
            created_at=datetime.fromisoformat(entry["created_at"]),
            author=None if entry["author_id"] is None else Author(int(entry["author_id"]), entry["author"]),
            end_reason=EndReason(entry["end_reason"]),
        )
        for message, entry in zip(messages, exported, strict=True)
    ] == messages


@given(MESSAGES)
def test_markdown_keeps_every_text_whole_and_in_order(messages: list[StoredMessage]) -> None:
    rest = as_markdown(messages)

    for message in messages:
        heading, _, rest = rest.partition("\n\n")
        assert heading.lstrip("\n").startswith(f"## {' '.join(speaker(message).split())}, ")
        assert rest.startswith(f"{message.content}\n")
        rest = rest.removeprefix(f"{message.content}\n")
    assert rest == ""
