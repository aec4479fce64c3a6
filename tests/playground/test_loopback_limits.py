import time

import aiohttp
import discord
import pytest

from playground.discord import Actor, ChannelHandle, Limit, LoopbackDiscord, RateLimits, Settings
from tests.playground.small_bot import SmallBot


class Client:
    """Calls without discord.py's own pacing, which hides what the server says."""

    def __init__(self, server: LoopbackDiscord, session: aiohttp.ClientSession, token: str = "") -> None:
        self._base = f"{server.url}/api/v10"
        self._headers = {"Authorization": f"Bot {token or server.token}"}
        self._session = session

    async def post(self, path: str, body: object) -> tuple[int, dict[str, str], dict[str, float]]:
        async with self._session.post(self._base + path, json=body, headers=self._headers) as answer:
            return answer.status, dict(answer.headers), await answer.json()


async def test_the_sixth_message_in_five_seconds_is_refused(server: LoopbackDiscord, general: ChannelHandle) -> None:
    async with aiohttp.ClientSession() as session:
        client = Client(server, session)
        answers = [await client.post(f"/channels/{general.id}/messages", {"content": str(i)}) for i in range(6)]

    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    assert [headers["X-RateLimit-Remaining"] for _, headers, _ in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {headers["X-RateLimit-Limit"] for _, headers, _ in answers} == {"5"}
    _, headers, body = answers[-1]
    assert headers["Via"]
    assert headers["X-RateLimit-Scope"] == "user"
    assert 4 < body["retry_after"] <= 5
    assert server.rate_limit_hits == 1
    assert len(general.messages()) == 5


async def test_channels_do_not_share_a_bucket(server: LoopbackDiscord, general: ChannelHandle) -> None:
    other = general.thread("other")
    async with aiohttp.ClientSession() as session:
        client = Client(server, session)
        places = [general] * 5 + [other] * 5
        answers = [await client.post(f"/channels/{place.id}/messages", {"content": "x"}) for place in places]

    assert {status for status, _, _ in answers} == {200}


async def test_the_global_limit_is_named() -> None:
    settings = Settings(limits=RateLimits(total=Limit(2, 60)))
    async with LoopbackDiscord(settings) as server, aiohttp.ClientSession() as session:
        client = Client(server, session)
        answers = [await client.post("/users/@me/channels", {"recipient_id": "1"}) for _ in range(3)]

    assert [status for status, _, _ in answers] == [404, 404, 429]
    assert answers[-1][2]["global"]
    assert answers[-1][1]["X-RateLimit-Scope"] == "global"


async def test_discord_py_waits_out_a_429(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    fault = server.faults.rate_limit("POST", r"/messages$", retry_after=0.01, times=2)

    await bot.place(general).send("patient")

    assert fault.hits == 2
    assert server.rate_limit_hits == 2
    assert [message.content for message in general.messages()] == ["patient"]


async def test_an_interactions_calls_share_a_bucket(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    asked = anna.slash(general, "ask", prompt="Hi")
    await asked.message(lambda message: message.content == "and more")
    path = f"/webhooks/{server.settings.bot_id}/{asked.interaction.token}"
    async with aiohttp.ClientSession() as session:
        client = Client(server, session)
        statuses = [(await client.post(path, {"content": "x"}))[0] for _ in range(3)]

    # Two edits and a follow-up were before; the callback itself does not count.
    assert statuses == [200, 200, 429]


async def test_a_wrong_token_is_refused(server: LoopbackDiscord, general: ChannelHandle) -> None:
    async with aiohttp.ClientSession() as session:
        status, _, _ = await Client(server, session, "wrong").post(f"/channels/{general.id}/messages", {"content": "x"})

    assert status == 401
    assert server.invalid_requests == 1


async def test_an_answer_can_be_lost_after_the_call_took_effect(
    bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    server.faults.drop("POST", r"/messages$", after=True)

    with pytest.raises(aiohttp.ClientError):
        await bot.place(general).send("once", nonce="n")
    await bot.place(general).send("once", nonce="n")

    assert len(general.messages()) == 1


async def test_a_failing_call_has_no_effect(bot: SmallBot, server: LoopbackDiscord, general: ChannelHandle) -> None:
    fault = server.faults.fail("POST", r"/messages$", status=503, times=1)

    with pytest.raises(discord.DiscordServerError):
        await bot.place(general).send("x")

    assert fault.hits == 1
    assert general.messages() == []


async def test_latency_and_slowness_are_measured() -> None:
    async with LoopbackDiscord(Settings(latency=0.02)) as slow:
        place = slow.add_guild().add_channel()
        slow.faults.slow("POST", r"/messages$", seconds=0.03)
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                await Client(slow, session).post(f"/channels/{place.id}/messages", {"content": "x"})

    first, second = slow.calls
    assert first.seconds >= 0.05
    assert second.seconds >= 0.02


async def test_what_the_gateway_says_is_half_a_round_trip_on_its_way() -> None:
    async with LoopbackDiscord(Settings(latency=0.04)) as far, aiohttp.ClientSession() as session:
        started = time.monotonic()
        async with session.ws_connect(far.gateway.url) as socket:
            await socket.receive_json()
            assert time.monotonic() - started >= 0.02
