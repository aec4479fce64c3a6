"""Prompt templates that are simple enough to be filled in here, as Ollama would.

Ollama's /api/chat closes every message with most of them, also an answer that is to go on: the model sees its own text
as said, and begins a new sentence. Filled in here, a template can leave the last message open. Only those are taken
that are certainly understood: literal text round the roles and contents of one loop over the messages, with branches
on the role, in the language of Go's text/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.chat.messages import Message, Role

__all__ = ["UniformTemplate"]

_BLANKS = " \t\r\n"
_ACTION = re.compile(r"\{\{(?P<eats_left>-(?=[ \t\r\n]))?(?P<does>.*?)(?P<eats_right>[ \t\r\n]-)?\}\}", re.DOTALL)
_LOOP = re.compile(r"range (?:\$\w+, ?\$\w+ ?:= ?)?\.Messages")
_BRANCH = re.compile(r'(?:if|else if) eq \.Role "(?P<role>\w+)"')
_CONTENT = "\0content\0"
"""Stands for a message's text while a template is read; no template holds a NUL."""


class _UnknownError(Exception):
    """The template has something in it that is not understood here."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Literal text, or what stands between two braces."""

    text: str
    is_action: bool = False


@dataclass(frozen=True, slots=True)
class UniformTemplate:
    """Fills in a template whose messages are all written alike."""

    head: str
    turns: Mapping[Role, tuple[str, ...]]
    """What stands before and after the text of each role's messages; between, too, where it is there twice."""

    @classmethod
    def read(cls, template: str) -> UniformTemplate | None:
        """Understand a template; None where it says more than can be understood for certain."""
        parts = list(_parts(template))
        loops = [index for index, part in enumerate(parts) if part.is_action and _LOOP.fullmatch(part.text)]
        if len(loops) != 1 or "\0" in template:
            return None
        try:
            head = _literal(parts[: loops[0]])
            body, tail = _cut_at_end(parts[loops[0] + 1 :])
            turns = {role: tuple(_written(body, role).split(_CONTENT)) for role in Role}
            begins = _literal(tail)
        except _UnknownError:
            return None
        # The answer has to begin in the loop as it begins when it is asked for: this is where it goes on.
        before, *after = turns[Role.ASSISTANT]
        return cls(head, turns) if len(after) == 1 and before.rstrip() == begins.rstrip() else None

    def left_open(self, messages: Sequence[Message]) -> str:
        """The prompt of a conversation whose last message, the assistant's, goes on; all of it text."""
        *earlier, (role, last) = _merged(messages)
        if role is not Role.ASSISTANT:
            raise ValueError("only the assistant's own message can go on")
        said = (text.join(self.turns[who]) for who, text in earlier)
        return "".join((self.head, *said, self.turns[role][0], last))


def _merged(messages: Sequence[Message]) -> list[tuple[Role, str]]:
    """As Ollama does: what one says several times in a row is one message."""
    return [
        (role, "\n\n".join(message.content for message in row))
        for role, row in groupby(messages, key=lambda message: message.role)
    ]


def _parts(template: str) -> Iterator[_Part]:
    """The template's literals and actions, in order; a dash inside of the braces eats the blanks outside of them."""
    end, eats = 0, False
    for action in _ACTION.finditer(template):
        text = template[end : action.start()]
        text = text.lstrip(_BLANKS) if eats else text
        yield _Part(text.rstrip(_BLANKS) if action["eats_left"] else text)
        yield _Part(" ".join(action["does"].split()), is_action=True)
        end, eats = action.end(), bool(action["eats_right"])
    text = template[end:]
    yield _Part(text.lstrip(_BLANKS) if eats else text)


def _literal(parts: Sequence[_Part]) -> str:
    if any(part.is_action for part in parts):
        raise _UnknownError
    return "".join(part.text for part in parts)


def _cut_at_end(parts: Sequence[_Part]) -> tuple[Sequence[_Part], Sequence[_Part]]:
    """What is inside of a loop that has begun, and what comes after it."""
    depth = 1
    for index, part in enumerate(parts):
        if part.is_action:
            depth += part.text.startswith("if ")
            depth -= part.text == "end"
        if depth == 0:
            return parts[:index], parts[index + 1 :]
    raise _UnknownError


def _written(body: Sequence[_Part], role: Role) -> str:
    """What the loop writes for one message of a role."""
    written = ""
    branches: list[tuple[bool, bool]] = []  # for each open one, whether it is taken, and whether an earlier one was
    ended = False
    for part in body:
        if not part.is_action:
            text = part.text
        elif part.text in (".Role", ".Content"):
            text = role.value if part.text == ".Role" else _CONTENT
        elif part.text == "continue":
            text, ended = "", ended or all(taken for taken, _ in branches)
        else:
            text = ""
            _branch(branches, part.text, role)
        if not ended and all(taken for taken, _ in branches):
            written += text
    return written


def _branch(branches: list[tuple[bool, bool]], does: str, role: Role) -> None:
    """Enter or leave a branch on the role."""
    if does.startswith("if "):
        taken_before = False
    elif branches:
        taken, before = branches.pop()
        taken_before = taken or before
    else:
        raise _UnknownError
    if does == "end":
        return
    if found := _BRANCH.fullmatch(does):
        fits = found["role"] == role.value
    elif does == "else":
        fits = True
    else:
        raise _UnknownError
    branches.append((fits and not taken_before, taken_before))
