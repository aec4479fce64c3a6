"""Thoughts that a model writes into its answer, between tags, told apart while they stream in. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from bot.chat.messages import Role
from bot.chat.model import ChatRequest, ModelDetails, ModelEvent, Text, Thinking

_FLAGS = regex.IGNORECASE | regex.ASCII
_OPENING = regex.compile(r"<(think|thinking)>", _FLAGS)
_CLOSINGS = {name: regex.compile(rf"</{name}>", _FLAGS) for name in ("think", "thinking")}
_ANY_CLOSING = regex.compile(r"</(?:think|thinking)>", _FLAGS)
_LINE = regex.compile(r"[ \t]{0,3}(?:(?P<fence>```|~~~)|</(?:think|thinking)>)", _FLAGS)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """All text so far was thoughts, as turns out with a closing tag that nothing opened."""


Part = Text | Thinking | TakenBack


class ThinkTags:
    """Takes an answer in pieces, however they are cut, and gives them back as thoughts and text.

    Only at an answer's very beginning does a tag open thoughts, since anywhere else the model writes about tags. What
    stands between the tags counts as thought whatever it is; without a closing tag, that is all there is. The tags and
    the blank space around them go; every other character comes out, at most a tag's length later than it came.
    """

    def __init__(self, *, opened: bool = False, leaks: bool = False) -> None:
        """Take whether the prompt itself `opened` the thoughts, so that only the closing tag is to come.

        From a model that `leaks`, one may come all the same, and nobody knows before it comes; then it stands at the
        beginning of a line, outside of code.
        """
        self._opened = opened
        self._leaks = leaks
        self._in_line = False
        self._fence = ""
        self._closing: regex.Pattern | None = None
        self._is_answer = False
        self._came_apart = False
        self._has_thoughts = False
        self._blank: list[str] = []
        self._held = ""

    @classmethod
    def of(cls, request: ChatRequest, details: ModelDetails) -> ThinkTags:
        """Those of a model's answer to a request."""
        # Told to think, the server finds out by itself where the thoughts begin and end; they come before an answer,
        # not in the middle of one that goes on.
        is_clear = bool(request.think) or request.messages[-1].role is Role.ASSISTANT
        return cls(opened=details.opens_thoughts and not is_clear, leaks=details.can_think and not is_clear)

    def parts(self, event: ModelEvent) -> list[Part]:
        """Take an event of the stream; returns what is certain by now."""
        if isinstance(event, Thinking):
            self._came_apart = True
            return [event]
        return self.feed(event.text) if isinstance(event, Text) else []

    def feed(self, text: str) -> list[Part]:
        """Take a further piece; returns what is certain by now."""
        found: list[Part] = []
        rest, self._held = self._held + text, ""
        while rest:
            if self._is_answer and (self._has_thoughts or not self._leaks):
                found.append(Text(rest))
                break
            if self._is_answer:
                rest = self._watch(rest, found)
            else:
                rest = self._think(rest, found) if self._closing else self._begin(rest)
        return found

    def flush(self) -> list[Part]:
        """Nothing more comes: what was held back is what it looks like."""
        rest = "".join(self._blank) + self._held
        self._blank, self._held = [], ""
        if not rest:
            return []
        return [Thinking(rest) if self._closing or self._opened else Text(rest)]

    def _begin(self, rest: str) -> str:
        """Look for an opening tag; returns what is not dealt with yet."""
        begun = rest.lstrip()
        if not self._has_thoughts and not self._opened:
            self._blank.append(rest[: len(rest) - len(begun)])
        if not begun:
            return ""
        # Some servers take the thoughts out and leave their closing tag behind.
        left = _ANY_CLOSING.match(begun, partial=True) if self._came_apart else None
        if left and left.partial:
            self._held = begun
            return ""
        if left:
            self._came_apart, self._has_thoughts = False, True
            self._blank.clear()
            return begun[left.end() :]
        tag = _OPENING.match(begun, partial=True)
        if tag and tag.partial:
            self._held = begun
            return ""
        if tag or self._opened:
            self._closing = _CLOSINGS[tag[1].lower()] if tag else _ANY_CLOSING
            self._opened, self._has_thoughts = False, True
            self._blank.clear()
            return begun[tag.end() :] if tag else begun
        self._is_answer = True
        blank = "".join(self._blank)
        self._blank.clear()
        return blank + begun

    def _watch(self, rest: str, found: list[Part]) -> str:
        """Look through an answer that may turn out to be thoughts; returns what is not dealt with yet."""
        at = 0
        while at < len(rest):
            if self._in_line:
                at = rest.find("\n", at) + 1 or len(rest)
                self._in_line = not rest[:at].endswith("\n")
                continue
            line = _LINE.match(rest, at, partial=True)
            if line and line.partial:
                self._held = rest[at:]
                break
            if line and line["fence"] is None and not self._fence:
                self._is_answer, self._has_thoughts = False, True
                found.append(TakenBack() if at == 0 else Text(rest[:at]))
                if at:
                    found.append(TakenBack())
                return rest[line.end() :]
            if line and line["fence"] and self._fence in {"", line["fence"]}:
                self._fence = "" if self._fence else line["fence"]
            self._in_line = True
        if at:
            found.append(Text(rest[:at]))
        return ""

    def _think(self, rest: str, found: list[Part]) -> str:
        """Look for the closing tag; returns what is not dealt with yet."""
        tag = self._closing.search(rest, partial=True) if self._closing else None
        thought = rest[: tag.start()] if tag else rest
        if thought:
            found.append(Thinking(thought))
        if tag is None:
            return ""
        if tag.partial:
            self._held = rest[tag.start() :]
            return ""
        self._closing = None
        return rest[tag.end() :]
