from __future__ import annotations

from benchmarks.recorder import Recorder
from benchmarks.text import AnswerText, compose
from playground.discord import Event, EventKind, Message

BOT = 1
FIRST, SECOND = compose(0, 100), compose(1, 100)


class Talk:
    """What a bot posts, as the recorder hears it."""

    def __init__(self) -> None:
        self.recorder = Recorder(BOT)

    def hears(
        self,
        message: int,
        content: str,
        *,
        kind: EventKind = EventKind.MESSAGE_CREATE,
        reply_to: int | None = None,
        interaction_id: int | None = None,
    ) -> None:
        told = Message(
            id=message,
            channel_id=9,
            author_id=BOT,
            author_name="Llampost",
            content=content,
            reply_to=reply_to,
            interaction_id=interaction_id,
        )
        self.recorder.take(Event(kind=kind, message=told))

    def contents(self, answer: AnswerText) -> list[tuple[int, str | None]]:
        return [(frame.message, frame.content) for frame in self.recorder.frames[answer.number]]


def test_messages_belong_to_what_they_reply_to() -> None:
    talk = Talk()
    talk.recorder.expect(0, 100, 1.0)
    talk.recorder.expect(1, 200, 2.0)
    talk.hears(10, "…", reply_to=200)
    talk.hears(11, "", interaction_id=100)
    talk.hears(10, "text", kind=EventKind.MESSAGE_UPDATE, reply_to=200)
    assert talk.contents(FIRST) == [(11, "")]
    assert talk.contents(SECOND) == [(10, "…"), (10, "text")]
    assert talk.recorder.asked == {0: 1.0, 1: 2.0}


def test_further_messages_belong_to_the_answer_of_their_words() -> None:
    talk = Talk()
    talk.hears(10, f"```python\n{SECOND.text[60:]}")
    talk.hears(10, "", kind=EventKind.MESSAGE_DELETE)
    talk.hears(11, "nothing of ours")
    assert [content is None for _, content in talk.contents(SECOND)] == [False, True]
    assert talk.contents(FIRST) == []


def test_what_people_write_is_not_taken_down() -> None:
    recorder = Recorder(bot_id=2)
    told = Message(id=1, channel_id=9, author_id=BOT, author_name="Anna", content=FIRST.text)
    recorder.take(Event(kind=EventKind.MESSAGE_CREATE, message=told))
    recorder.take(Event(kind=EventKind.TYPING))
    assert not recorder.frames


def test_an_answer_is_finished_when_its_end_is_there_and_no_more_is_promised() -> None:
    talk = Talk()
    assert not talk.recorder.is_finished(FIRST)
    talk.hears(10, FIRST.text[:-20])
    assert not talk.recorder.is_finished(FIRST)
    talk.hears(10, f"{FIRST.text}\n-# Writing…", kind=EventKind.MESSAGE_UPDATE)
    assert not talk.recorder.is_finished(FIRST)
    talk.hears(10, f"{FIRST.text}\n-# model", kind=EventKind.MESSAGE_UPDATE)
    assert talk.recorder.is_finished(FIRST)
