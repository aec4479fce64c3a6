"""Takes down what Discord shows, and knows which answer each message belongs to."""

import time
from collections import defaultdict

from benchmarks.replay import Frame, is_unfinished
from benchmarks.text import AnswerText
from benchmarks.words import places
from playground.discord import Event, EventKind, Message

_SHOWN = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_UPDATE, EventKind.MESSAGE_DELETE}


class Recorder:
    """Hears every event of a run; does little with each, because the bot is being measured meanwhile."""

    def __init__(self, bot_id: int) -> None:
        self._bot_id = bot_id
        self._answers: dict[int, int] = {}
        self._newest: dict[int, dict[int, Frame]] = defaultdict(dict)
        self.frames: dict[int, list[Frame]] = defaultdict(list)
        """By answer, in order."""
        self.asked: dict[int, float] = {}
        self.last_event = time.monotonic()

    def expect(self, answer: int, origin: int, at: float) -> None:
        """Note the interaction or the message that asked for an answer, and when."""
        self._answers[origin] = answer
        self.asked[answer] = at

    def take(self, event: Event) -> None:
        """Hear one event."""
        message = event.message
        if event.kind not in _SHOWN or message is None or message.author_id != self._bot_id:
            return
        self.last_event = event.at
        answer = self._answer_of(message)
        if answer is None:
            return
        content = None if event.kind is EventKind.MESSAGE_DELETE else message.content
        files = tuple(file.data.decode(errors="replace") for file in message.attachments)
        frame = Frame(event.at, message.id, content, files)
        self.frames[answer].append(frame)
        self._newest[answer][message.id] = frame

    def is_finished(self, text: AnswerText) -> bool:
        """Tell whether the end of an answer is there and nothing says that more will come."""
        newest = [frame for frame in self._newest[text.number].values() if frame.content is not None]
        return any(
            text.last_word in shown for frame in newest for shown in (frame.content or "", *frame.files)
        ) and not any(is_unfinished(frame.content or "") for frame in newest)

    def _answer_of(self, message: Message) -> int | None:
        """By what it replies to, else by its words: further messages of an answer need not refer to anything."""
        if message.id not in self._answers:
            origin = self._answers.get(message.interaction_id or 0, self._answers.get(message.reply_to or 0))
            words = places(message.content)
            found = origin if origin is not None else words[0][0] if words else None
            if found is None:
                return None
            self._answers[message.id] = found
        return self._answers[message.id]
