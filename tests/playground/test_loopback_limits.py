"""What the server says of its limits, seen without discord.py."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.discord import Actor, Asked, ChannelHandle, Limit, LoopbackDiscord, Message, RateLimits, Settings
from playground.discord.buckets import Buckets
from tests.playground.raw_client import RawClient, raw_client
from tests.playground.small_bot import SmallBot


@pytest.fixture
async def raw(server: LoopbackDiscord) -> AsyncIterator[RawClient]:
    async with raw_client(server) as raw:
        yield raw


@pytest.fixture
async def sent(raw: RawClient, general: ChannelHandle) -> Message:
    await raw.post(general)
    [message] = general.messages()
    return message


@pytest.fixture
def asked(server: LoopbackDiscord, general: ChannelHandle, anna: Actor) -> Asked:
    server.world.set_commands(None, [{"name": "ask", "description": "d"}])
    return anna.slash(general, "ask")


async def test_the_sixth_message_in_five_seconds_is_refused(
    server: LoopbackDiscord, raw: RawClient, general: ChannelHandle
) -> None:
    answers = [await raw.post(general) for _ in range(6)]

    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"5"}
    refused = answers[-1]
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert "X-RateLimit-Global" not in refused.headers
    assert refused.headers["Retry-After"] == "5"
    assert 4 < refused.body["retry_after"] <= 5
    assert refused.body["global"] is False
    assert server.rate_limit_hits == 1
    assert len(general.messages()) == 5


async def test_channels_do_not_share_a_bucket(raw: RawClient, general: ChannelHandle) -> None:
    answers = [await raw.post(place) for place in [general] * 5 + [general.thread("other")] * 5]

    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("limit", [Limit(5, 2), Limit(3, 5), Limit(10, 5)])
async def test_the_numbers_of_each_family_are_settings(limit: Limit) -> None:
    settings = Settings(limits=replace(RateLimits.none(), message_edit=limit, typing=limit, message_read=limit))
    async with LoopbackDiscord(settings) as server, raw_client(server) as raw:
        general = server.add_guild().add_channel()
        await raw.post(general)
        [message] = general.messages()
        for method, path in (
            ("PATCH", f"/channels/{general.id}/messages/{message.id}"),
            ("GET", f"/channels/{general.id}/messages"),
            ("POST", f"/channels/{general.id}/typing"),
        ):
            body = {"content": "y"} if method == "PATCH" else None
            answers = [await raw.call(method, path, body) for _ in range(limit.calls + 1)]

            assert [answer.status for answer in answers if answer.status < 300] == [answers[0].status] * limit.calls
            assert answers[-1].status == 429
            assert limit.seconds - 1 < float(answers[0].headers["X-RateLimit-Reset-After"]) <= limit.seconds


async def test_reading_and_typing_have_no_limit_by_default(raw: RawClient, general: ChannelHandle) -> None:
    answers = [await raw.call("POST", f"/channels/{general.id}/typing") for _ in range(20)]
    answers += [await raw.call("GET", f"/channels/{general.id}/messages") for _ in range(20)]

    assert {answer.status for answer in answers} == {204, 200}
    assert not any("X-RateLimit-Limit" in answer.headers for answer in answers)


async def test_limits_can_change_while_a_window_runs(server: LoopbackDiscord, raw: RawClient, sent: Message) -> None:
    first = await raw.edit(sent)

    server.limits = replace(server.limits, message_edit=Limit(2, 60))
    tighter = [await raw.edit(sent) for _ in range(2)]
    server.limits = replace(server.limits, message_edit=None)
    lifted = await raw.edit(sent)

    assert first.remaining == 4
    assert [(answer.status, answer.remaining) for answer in tighter] == [(200, 0), (429, 0)]
    assert tighter[1].body["retry_after"] <= 5
    assert lifted.status == 200
    assert "X-RateLimit-Limit" not in lifted.headers


async def test_posts_and_edits_are_counted_apart(raw: RawClient, general: ChannelHandle, sent: Message) -> None:
    posted, edited = await raw.post(general), await raw.edit(sent)

    assert (posted.remaining, edited.remaining) == (3, 4)
    assert posted.bucket != edited.bucket


async def test_posts_and_edits_can_share_one_bucket(
    server: LoopbackDiscord, raw: RawClient, general: ChannelHandle, sent: Message
) -> None:
    server.limits = RateLimits(message_edit=Limit(3, 5), together=("message_edit", "message_create"))

    answers = [await raw.post(general), await raw.edit(sent), await raw.edit(sent), await raw.post(general)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.remaining for answer in answers] == [2, 1, 0, 0]
    assert len({answer.bucket for answer in answers}) == 1
    assert (await raw.post(general.thread("other"))).remaining == 2


async def test_a_token_has_a_bucket_of_its_own(raw: RawClient, sent: Message, asked: Asked) -> None:
    await raw.respond(asked)
    by_token, by_channel = await raw.edit_original(asked), await raw.edit(sent)

    assert (by_token.remaining, by_channel.remaining) == (4, 4)
    assert by_token.bucket != by_channel.bucket


async def test_a_token_can_be_counted_with_the_edits_of_its_channel(
    server: LoopbackDiscord, raw: RawClient, sent: Message, asked: Asked
) -> None:
    server.limits = RateLimits(together=("message_edit", "interaction"))
    await raw.respond(asked)

    answers = [await raw.edit_original(asked), await raw.edit(sent), await raw.edit(asked.original)]

    assert [answer.remaining for answer in answers] == [4, 3, 2]
    assert len({answer.bucket for answer in answers}) == 1


async def test_the_global_limit_is_named(server: LoopbackDiscord, raw: RawClient, general: ChannelHandle) -> None:
    server.limits = RateLimits(total=Limit(2, 60))

    answers = [await raw.post(general) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.body["global"] is True
    assert refused.headers["X-RateLimit-Scope"] == "global"
    assert refused.headers["X-RateLimit-Global"] == "true"
    assert "X-RateLimit-Bucket" not in refused.headers


async def test_interactions_are_free_of_the_global_limit_and_their_callback_of_any(
    server: LoopbackDiscord, raw: RawClient, general: ChannelHandle, asked: Asked
) -> None:
    server.limits = RateLimits(total=Limit(1, 60), interaction=Limit(2, 5))
    await raw.post(general)

    assert (await raw.post(general)).status == 429
    answers = [await raw.respond(asked)] + [await raw.edit_original(asked) for _ in range(3)]

    assert [answer.status for answer in answers] == [204, 200, 200, 429]
    assert "X-RateLimit-Limit" not in answers[0].headers
    assert [answer.remaining for answer in answers[1:]] == [1, 0, 0]


async def test_edits_of_old_messages_hit_a_limit_that_no_header_announces(
    server: LoopbackDiscord, raw: RawClient, general: ChannelHandle, sent: Message
) -> None:
    young = await raw.edit(sent)
    server.age(sent, 3601)

    answers = [await raw.edit(sent) for _ in range(4)]

    assert [answer.status for answer in [young, *answers]] == [200, 200, 200, 200, 429]
    assert [answer.remaining for answer in answers] == [3, 2, 1, 0]
    refused = answers[-1]
    assert refused.body["code"] == 30046
    assert 19 < refused.body["retry_after"] <= 20
    assert refused.headers["Retry-After"] == "20"
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert float(refused.headers["X-RateLimit-Reset-After"]) <= 5
    assert general.messages()[0].edits == 4


async def test_what_counts_as_old_is_a_setting() -> None:
    limits = RateLimits(old_message_edit=Limit(1, 20))
    async with LoopbackDiscord(Settings(old_after=0, limits=limits)) as server, raw_client(server) as raw:
        general = server.add_guild().add_channel()
        await raw.post(general)
        [message] = general.messages()

        statuses = [(await raw.edit(message)).status for _ in range(2)]

    assert statuses == [200, 429]


async def test_discord_py_waits_before_it_edits_an_old_message_again(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    server.limits = RateLimits(old_message_edit=Limit(1, 0.05))
    sent = await bot.place(general).send("a")
    server.age(general.messages()[0], 3601)

    await sent.edit(content="b")
    await sent.edit(content="c")

    assert general.messages()[0].content == "c"


async def test_a_wrong_token_is_refused(server: LoopbackDiscord, general: ChannelHandle) -> None:
    async with raw_client(server, "wrong") as stranger:
        assert (await stranger.post(general)).status == 401

    assert server.invalid_requests == 1


EIGHTHS = st.integers(0, 40).map(lambda number: number / 8)


@given(calls=st.integers(1, 6), seconds=EIGHTHS.filter(bool), waits=st.lists(EIGHTHS, max_size=40))
def test_whoever_waits_as_told_is_let_through_and_never_more_than_the_limit(
    calls: int, seconds: float, waits: list[float]
) -> None:
    now = 0.0
    buckets = Buckets(RateLimits(message_edit=Limit(calls, seconds)), clock=lambda: now)
    passed = []
    for wait in waits:
        now += wait
        verdict = buckets.take("message_edit", "1")
        assert verdict
        if verdict.refused_for:
            now += verdict.refused_for
            verdict = buckets.take("message_edit", "1")
            assert verdict
            assert verdict.remaining == calls - 1
        assert not verdict.refused_for
        passed.append(now)

    # Calls of two windows may stand close together, those of three may not.
    spans = [later - earlier for earlier, later in zip(passed, passed[2 * calls :], strict=False)]
    assert all(span >= seconds for span in spans)
