"""Which of Discord's rate-limit buckets a write is counted in."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import discord

from bot.delivery.surface import TOKEN_LIFE, InteractionSurface, ReplySurface, Surface


def buckets(surface: Surface) -> list[object]:
    """Of editing the only page there is, and of sending a second one."""
    surface.message_ids = [7]
    return [surface.bucket_of(0), surface.bucket_of(1)]


def response(age: float) -> InteractionSurface:
    created_at = discord.utils.utcnow() - timedelta(seconds=age)
    interaction = SimpleNamespace(token="secret", channel_id=5, created_at=created_at)
    return InteractionSurface(cast("Any", interaction), private=False)


def test_a_reply_is_sent_and_edited_in_two_buckets_of_its_channel() -> None:
    surface = ReplySurface(cast("Any", SimpleNamespace()), cast("Any", SimpleNamespace(id=5)))

    assert buckets(surface) == [("edit", 5), ("send", 5)]


def test_a_response_has_one_bucket_for_as_long_as_its_token_lives() -> None:
    assert buckets(response(0)) == [("token", "secret")] * 2


def test_a_response_that_outlived_its_token_shares_its_channels_buckets() -> None:
    assert buckets(response(TOKEN_LIFE + 1)) == [("edit", 5), ("send", 5)]
