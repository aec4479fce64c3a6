"""Which calls are counted together."""

from __future__ import annotations

import gc

from bot.delivery.budget import CALLS
from bot.delivery.budgets import GLOBAL_CALLS, RECENT, Budgets
from bot.delivery.lane import Lane


def named(lane: Lane, bucket: str) -> Lane:
    """The lane, after a response that gave its bucket a name."""
    lane.learn(0.0, limit=5, remaining=4, reset_after=5.0, sent=0.0, bucket=bucket)
    return lane


def test_a_channels_edits_are_counted_together_and_apart_from_other_channels() -> None:
    budgets = Budgets()
    here, again, elsewhere = budgets.edits(1), budgets.edits(1), budgets.edits(2)

    here.spend(0.0)

    assert (here.left(0.0), again.left(0.0), elsewhere.left(0.0)) == (CALLS - 1, CALLS - 1, CALLS)


def test_sending_is_counted_apart_from_editing_until_discord_says_otherwise() -> None:
    budgets = Budgets()
    budgets.edits(1).spend(0.0)
    assert budgets.messages(1).left(0.0) == CALLS


def test_every_interaction_has_a_bucket_of_its_own() -> None:
    budgets = Budgets()
    one, other = budgets.token("a"), budgets.token("b")

    one.spend(0.0)

    assert (one.left(0.0), budgets.token("a").left(0.0), other.left(0.0)) == (CALLS - 1, CALLS - 1, CALLS)


def test_all_channels_count_together_in_what_the_bot_may_do_but_tokens_do_not() -> None:
    budgets = Budgets()
    edits = [budgets.edits(channel) for channel in range(GLOBAL_CALLS)]
    for lane in edits:
        lane.spend(0.0)

    assert budgets.edits(-1).left(0.0) == 0
    assert budgets.messages(-1).left(0.0) == 0
    assert budgets.token("a").left(0.0) == CALLS


def test_a_bucket_that_nobody_has_held_for_long_is_forgotten() -> None:
    budgets = Budgets()
    for channel in range(3 * RECENT):
        budgets.edits(channel).spend(0.0)
    gc.collect()

    assert len(budgets._known) == RECENT


def test_the_next_answer_in_a_channel_knows_what_the_one_before_learnt() -> None:
    budgets = Budgets()
    budgets.edits(1).refuse(0.0, 5.0, everywhere=False)

    assert budgets.edits(1).left(1.0) == 0


def test_where_nothing_is_limited_a_thousand_calls_may_be_made() -> None:
    lane = Budgets(unlimited=True).edits(1)
    for _ in range(1000):
        lane.spend(0.0)
    assert lane.left(0.0) > 1000


def test_editing_and_sending_share_a_budget_in_every_channel_once_discord_names_one_bucket_for_both() -> None:
    budgets = Budgets()
    named(budgets.edits(1), "abc")
    named(budgets.messages(1), "abc")

    edits, messages = budgets.edits(2), budgets.messages(2)
    edits.spend(0.0)

    assert messages.left(0.0) == CALLS - 1
    assert messages.name == "send", "the way to write it is another one still"


def test_buckets_of_different_names_stay_apart() -> None:
    budgets = Budgets()
    named(budgets.edits(1), "abc")
    named(budgets.messages(1), "def")

    assert budgets.edits(1).budgets[0] is not budgets.messages(1).budgets[0]


def test_a_tokens_bucket_is_never_a_channels() -> None:
    budgets = Budgets()
    named(budgets.token("a"), "abc")
    named(budgets.messages(1), "abc")

    assert budgets.edits(1).budgets[0] is not budgets.messages(1).budgets[0]


def test_answers_that_are_being_written_when_that_is_learned_are_counted_as_before() -> None:
    budgets = Budgets()
    edits, messages = budgets.edits(1), budgets.messages(1)
    edits.budgets[0].sharers += 1

    named(edits, "abc")
    named(messages, "abc")

    assert budgets.edits(1).budgets[0] is edits.budgets[0]
    assert budgets.messages(1).budgets[0] is edits.budgets[0]
    assert edits.budgets[0].sharers == 1
    assert messages.budgets[0] is not edits.budgets[0], "this one lasts until its answer is written"
