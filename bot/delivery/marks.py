"""What is open in a text: the marks, and what closes and reopens them."""

from typing import NamedTuple

FENCE = 3  # characters make a fence; no inline marker has as many


class Mark(NamedTuple):
    """One construct that is open: its marker, and what opens it again and closes it."""

    marker: str
    opening: str
    closing: str

    @property
    def is_fence(self) -> bool:
        """A code block, not inline markup."""
        return len(self.marker) >= FENCE

    @property
    def ends_with_paragraph(self) -> bool:
        """Whether a blank line shows that the marker was a stray character."""
        return self.marker in ("*", "_", "`", "``")


State = tuple[Mark, ...]


def closing(state: State) -> str:
    """Return what closes everything in `state`."""
    return "".join(mark.closing for mark in reversed(state))


def opening(state: State) -> str:
    """Return what opens everything in `state` again at the top of a page."""
    return "".join(mark.opening for mark in state)


def in_fence(state: State) -> bool:
    """Tell whether the text after `state` is code in a block."""
    return bool(state) and state[-1].is_fence


def in_code(state: State) -> bool:
    """Tell whether the text after `state` is code, in a block or in a line."""
    return bool(state) and state[-1].marker.startswith(("`", "~~~"))


def past_blank_line(state: State) -> State:
    """Return what is still open after a blank line."""
    if in_fence(state):
        return state
    return tuple(mark for mark in state if not mark.ends_with_paragraph)


def trimmed(text: str, state: State) -> str:
    """Return `text` without the whitespace at its end that Discord drops from a message or from a code block."""
    return text.rstrip("\r\n") if in_fence(state) else text.rstrip()


def is_open(state: State, marker: str) -> bool:
    """Tell whether `marker` is among what is open."""
    return any(mark.marker == marker for mark in state)


def without(state: State, marker: str) -> State:
    """Close `marker`; what was opened inside it and never closed was a stray character."""
    return state[: next(index for index, mark in enumerate(state) if mark.marker == marker)]
