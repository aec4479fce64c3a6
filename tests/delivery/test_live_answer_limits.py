"""Answers that are too long, too slow, or wanted without noise."""

from __future__ import annotations

import asyncio

from bot.chat.answers import Finished
from bot.chat.display import Display
from bot.chat.messages import EndReason
from bot.delivery import wording
from bot.delivery.lane import Lane
from bot.delivery.live_answer import HINT_EVERY, LAST_SECONDS
from bot.delivery.surface import OLD, Payload, TextFile
from bot.errors import ModelStalled
from tests.virtual_time import in_virtual_time
from tests.wall import DONE, HEADER, Shown, Wall, expected, refusal


@in_virtual_time
async def test_what_goes_beyond_the_allowed_messages_comes_as_a_file_with_the_whole_answer() -> None:
    text = "".join(f"word{number} " for number in range(1000))
    shown = Shown(Wall(), display=Display(max_messages=2))
    await shown.stream(text, rate=400)

    pages = await shown.end()

    assert len(pages) == 2
    assert pages[0].startswith(f"{HEADER}\nword0 word1 ")
    assert pages[1].endswith(f"\n{wording.IN_FILE}\n-# tiny:1b · assistant")
    assert shown.wall.files == [TextFile("answer.md", text)]
    assert any(content.endswith(wording.WRITING_FILE) for _, content in shown.wall.writes)


@in_virtual_time
async def test_a_line_about_the_file_to_come_is_gone_in_the_end() -> None:
    shown = Shown(Wall(), display=Display(max_messages=1))
    await shown.stream("word " * 500, rate=400)

    failed = Finished(EndReason.FAILED, error=ModelStalled("A sentence that is too long for the page. " * 5))
    pages = await shown.end(failed)

    assert not any(wording.WRITING_FILE in page for page in pages)
    assert wording.IN_FILE in pages[-1]


@in_virtual_time
async def test_where_no_file_can_be_sent_the_rest_comes_in_messages_after_all() -> None:
    class NoFiles(Wall):
        async def _edit(self, page: int, payload: Payload, lane: Lane) -> None:
            if payload.file:
                raise refusal(403, 50013)
            await super()._edit(page, payload, lane)

    text = "".join(f"word{number} " for number in range(1000))
    shown = Shown(NoFiles(), display=Display(max_messages=2))
    await shown.stream(text, rate=400)

    pages = await shown.end()

    assert pages == expected(text, DONE)
    assert shown.wall.files == []


@in_virtual_time
async def test_a_quiet_answer_comes_in_one_piece_after_hints_that_something_goes_on() -> None:
    shown = Shown(Wall(), display=Display(quiet=True))
    await shown.stream("word " * 800)
    assert shown.wall.writes == []

    await shown.end()

    assert shown.wall.writes == list(enumerate(expected("word " * 800, DONE)))
    assert shown.wall.hints == [0.0, HINT_EVERY, 2 * HINT_EVERY]


@in_virtual_time
async def test_a_quiet_answer_speaks_up_before_it_can_no_longer_begin() -> None:
    shown = Shown(Wall(), display=Display(quiet=True))
    shown.wall.life = 840
    shown.live.text("So far.")
    await asyncio.sleep(840 - LAST_SECONDS + 0.1)

    assert "So far." in shown.wall.pages[0]
    await shown.end()


@in_virtual_time
async def test_an_answer_that_can_soon_not_be_written_any_more_is_brought_to_its_end() -> None:
    shown = Shown(Wall())
    shown.wall.life = 840
    shown.live.text("So far.")

    await asyncio.sleep(840 - LAST_SECONDS + 0.1)

    assert shown.control.reason is EndReason.STOPPED
    [page] = await shown.end(Finished(EndReason.STOPPED, model="tiny:1b"))
    assert page == f"{HEADER}\nSo far.\n{wording.OUT_OF_TIME}\n-# tiny:1b · stopped"


@in_virtual_time
async def test_no_message_is_edited_that_is_nearly_an_hour_old() -> None:
    shown = Shown(Wall())
    text = "".join(f"word{number} " for number in range(200))
    await shown.stream(text, rate=1 / 30)

    pages = await shown.end()

    assert len(pages) == 2
    assert pages[0].endswith(f"\n{wording.CONTINUED}")
    assert pages[1].endswith("word199\n-# tiny:1b · assistant")
    together = pages[0].removeprefix(HEADER).removesuffix(wording.CONTINUED) + pages[1].splitlines()[0]
    assert together.split() == text.split()
    assert max(at for at, (page, _) in zip(shown.wall.times, shown.wall.writes, strict=True) if page == 0) < OLD + 60


@in_virtual_time
async def test_a_question_that_waits_for_over_an_hour_is_answered_in_a_new_message() -> None:
    shown = Shown(Wall())
    shown.live.waiting(3)
    await asyncio.sleep(3 * OLD)
    shown.live.text("At last.")

    pages = await shown.end()

    assert pages == [f"{HEADER}\n{wording.CONTINUED}", "At last.\n-# tiny:1b · assistant"]


@in_virtual_time
async def test_a_footer_does_not_change_a_message_that_is_over_an_hour_old() -> None:
    shown = Shown(Wall())
    shown.live.text("All there is.")
    await asyncio.sleep(2 * OLD)

    pages = await shown.end()

    assert pages == [f"{HEADER}\nAll there is.\n{wording.CONTINUED}", "-# tiny:1b · assistant"]
    assert max(at for at, (page, _) in zip(shown.wall.times, shown.wall.writes, strict=True) if page == 0) < OLD + 1
