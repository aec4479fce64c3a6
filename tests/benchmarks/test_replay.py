from __future__ import annotations

import pytest

from benchmarks.replay import Frame, Verdict, replay
from benchmarks.text import compose

ANSWER = compose(3, 200)
TEXT = ANSWER.text
HALF = TEXT.index("\n\n", len(TEXT) // 2)
HEADER, WRITING, FOOTER = "-# Anna asked: hello", "-# Writing…", "-# scripted:1b · assistant"


def frames(*contents: str | tuple[int, str] | None) -> list[Frame]:
    """One state a second, of message 1 unless it says which."""
    told = [one if isinstance(one, tuple) else (1, one) for one in contents]
    return [Frame(float(at), message, content) for at, (message, content) in enumerate(told)]


def test_tokens_become_visible_with_the_states_that_show_them() -> None:
    words = len("".join(ANSWER.tokens[:5]))
    story = replay(
        frames(
            f"{HEADER}\n-# One moment…",
            f"{HEADER}\n{TEXT[:words]}\n{WRITING}",
            f"{HEADER}\n{TEXT[:words]}\n-# Still writing…",
            f"{HEADER}\n{TEXT}\n{FOOTER}",
        ),
        ANSWER,
    )
    assert story.steps == ((1.0, 5), (3.0, 200))
    assert (story.frames, story.torn_frames, story.open_fences, story.left_over) == (4, 0, 0, 0)
    assert story.verdict.exact


def test_pages_are_read_in_the_order_in_which_they_were_sent() -> None:
    story = replay(frames(TEXT[:HALF], (2, TEXT[HALF:].strip()), (1, TEXT[:HALF])), ANSWER)
    assert [seen for _, seen in story.steps] == [ANSWER.tokens_within(HALF), 200]
    assert story.verdict.exact


def test_a_page_that_comes_before_the_one_before_it_is_full_tears_the_text() -> None:
    story = replay(frames(TEXT[:50], (2, TEXT[HALF:].strip()), (1, TEXT[:HALF])), ANSWER)
    assert story.torn_frames == 1
    assert story.steps[-1] == (2.0, 200)
    assert story.verdict.exact


def test_a_deleted_message_takes_its_text_with_it() -> None:
    story = replay(frames(TEXT, None), ANSWER)
    assert story.steps == ((0.0, 200), (1.0, 0))
    assert story.verdict.lost


def test_a_block_that_nothing_closes_is_counted() -> None:
    inside = TEXT.index("```") + 20
    assert replay(frames(TEXT[:inside], TEXT), ANSWER).open_fences == 1


@pytest.mark.parametrize(
    "last", [f"{TEXT}\n{WRITING}", f"{TEXT} ▌", f"{TEXT}\n-# Waiting: one other answer comes first."]
)
def test_what_says_that_more_will_come_is_left_over(last: str) -> None:
    story = replay(frames(last), ANSWER)
    assert story.left_over == 1
    assert story.verdict.exact


def test_a_file_may_hold_the_rest_or_everything() -> None:
    for held in (TEXT, TEXT[HALF:]):
        story = replay([Frame(0.0, 1, TEXT[:HALF]), Frame(1.0, 1, TEXT[:HALF], (held,))], ANSWER)
        assert story.steps[-1] == (1.0, 200)
        assert story.verdict.exact
    assert replay([Frame(0.0, 1, TEXT[:HALF], ("else",))], ANSWER).verdict.lost


def test_a_file_stays_visible_when_another_message_changes() -> None:
    told = [Frame(0.0, 1, TEXT[:HALF]), Frame(1.0, 2, "", (TEXT,)), Frame(2.0, 1, f"{TEXT[:HALF]}\n{FOOTER}")]
    assert replay(told, ANSWER).steps[-1] == (1.0, 200)


def test_text_that_no_message_has_room_for_is_not_visible_before_its_file() -> None:
    told = [Frame(0.0, 1, TEXT[:HALF]), Frame(5.0, 1, TEXT[:HALF]), Frame(9.0, 2, "", (TEXT,))]
    assert replay(told, ANSWER).steps == ((0.0, ANSWER.tokens_within(HALF)), (9.0, 200))


def test_the_verdict_counts_words() -> None:
    def verdict(*pages: str) -> Verdict:
        return replay(frames(*enumerate(pages, 1)), ANSWER).verdict

    first, rest = TEXT[:HALF], TEXT[HALF:].strip()
    words = len([word for word in rest.split() if len(word.strip("*`.,:()")) >= 6])
    assert verdict(first, rest) == Verdict()
    assert verdict(first).lost >= words - 8
    assert verdict(first, rest, rest).doubled == verdict(first).lost
    assert verdict(rest, first) == Verdict(reordered=1)
    assert verdict(first, rest, compose(4, 20).text).foreign > 0
    assert verdict(TEXT.replace(",", ";", 1)) == Verdict(altered=1)
    assert verdict(first, rest, "⚠️ Something went wrong.") == Verdict(altered=1)


def test_nothing_shown_is_everything_lost() -> None:
    story = replay([], ANSWER)
    assert story.steps == ()
    assert story.verdict.lost > 50
