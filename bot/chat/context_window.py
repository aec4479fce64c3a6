"""Which past messages still go to the model.

The prompt's beginning must stay the same from turn to turn: the model keeps what it has read of a prompt and reads
only from the first difference on. So the window's start does not creep forward with every turn; when the window is
full it jumps, to about half, and then stays for many turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import PromptTooLong

LARGEST_RESERVE = 2
"""At most 1/2 of the context window is kept free of memory for the answer."""
SMALLEST_ROOM = 4
"""A question leaves at least 1/4 of the context window, or all that the answer may use, free."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A past message as the window sees it."""

    tokens: int
    opens_exchange: bool
    """Whether a person speaks here: the window starts only at such a message."""


def window_start(history: Sequence[Entry], budget: int) -> int:
    """Index of the first message to send, so that the rest has at most `budget` tokens.

    0 while everything fits; else about half of the budget is kept, from a person's message on;
    `len(history)` where not even the last exchange fits.
    """
    if sum(entry.tokens for entry in history) <= budget:
        return 0
    kept, start = 0, len(history)
    for index in range(len(history) - 1, -1, -1):
        kept += history[index].tokens
        if kept > budget:
            break
        if history[index].opens_exchange:
            # The last exchange is kept if it fits at all; older ones only up to half.
            if kept > budget // 2 and start < len(history):
                break
            start = index
    return start


def least_budget(history: Sequence[Entry], start: int) -> int:
    """The smallest budget for which `window_start` still gives this start that it gave."""
    kept = sum(entry.tokens for entry in history[start:])
    is_jump = start > 0 and any(entry.opens_exchange for entry in history[start + 1 :])
    return kept * 2 if is_jump else kept


def prompt_limit(*, num_ctx: int, num_predict: int) -> int:
    """The most tokens that system prompt and question may have together, so that there is room for an answer."""
    return num_ctx - min(num_predict, num_ctx // SMALLEST_ROOM)


def history_budget(*, num_ctx: int, num_predict: int, fixed: int) -> int:
    """Tokens left for past messages beside the system prompt and the question (`fixed`).

    Raises PromptTooLong where these two alone leave too little room for an answer.
    """
    limit = prompt_limit(num_ctx=num_ctx, num_predict=num_predict)
    if fixed > limit:
        raise PromptTooLong(
            f"That is too long for the model: together with the system prompt it has about {fixed:,} tokens, "
            f"and {limit:,} fit. Please ask something shorter, or attach smaller files or fewer images."
        )
    return max(num_ctx - min(num_predict, num_ctx // LARGEST_RESERVE) - fixed, 0)


def answer_limit(*, num_ctx: int, num_predict: int, prompt: int) -> int:
    """The num_predict to send: never more than the window has left, or the server would forget the prompt's start."""
    return max(min(num_predict, num_ctx - prompt), 1)
