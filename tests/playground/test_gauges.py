"""What the panel is told: of a loopback Discord with real REST calls, and of a scripted Ollama behind the tap."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web

from bot.chat.messages import Message, Role
from bot.chat.model import ChatRequest, Text
from bot.llm.ollama import connect
from playground.discord import Actor, ChannelHandle, Limit, LoopbackDiscord, RateLimits
from playground.discord.api import Call
from playground.discord.buckets import Buckets
from playground.discord.payloads import Payload
from playground.discord.routes import application, channels, guilds, interactions
from playground.model.tap import Tap
from playground.page.calls import is_edit, words_of
from playground.page.gauges import Gauges
from tests.fake_ollama import MODEL, FakeOllama
from tests.playground.raw_client import RawClient, raw_client


@dataclass
class Desk:
    """Everything at hand: REST calls as the bot makes them, an Ollama behind the tap, and the gauges on both."""

    raw: RawClient
    ollama: FakeOllama
    tap: Tap
    gauges: Gauges

    def buckets(self) -> dict[str, tuple[int, int]]:
        return {bucket["what"]: (bucket["left"], bucket["limit"]) for bucket in self.gauges.now()["buckets"]}

    def answers(self) -> list[Payload]:
        answers: list[Payload] = self.gauges.now()["answers"]
        return answers

    async def ask(self, question: str) -> str:
        messages = (Message(Role.SYSTEM, "Be kind."), Message(Role.USER, question))
        request = ChatRequest(model=MODEL, messages=messages, options={"num_ctx": 2048}, think=False)
        async with connect(self.tap.url) as model:
            return "".join([event.text async for event in model.chat(request) if isinstance(event, Text)])


@pytest.fixture
async def desk(server: LoopbackDiscord, general: ChannelHandle) -> AsyncIterator[Desk]:
    ollama = FakeOllama()
    async with raw_client(server) as raw, ollama.serving() as host, Tap(host) as tap:
        yield Desk(raw, ollama, tap, Gauges(server, tap))


async def test_nothing_has_happened_yet(desk: Desk) -> None:
    assert desk.gauges.now() == {
        "buckets": [],
        "edits_per_second": 0,
        "calls_per_second": 0,
        "rate_limit_hits": 0,
        "unknown_routes": [],
        "calls": [],
        "answers": [],
    }


async def test_buckets_have_the_names_that_people_know(
    desk: Desk, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    server.world.set_commands(None, [{"name": "ask", "description": "d"}, {"name": "Explain", "type": 3}])
    await desk.raw.post(general)
    await desk.raw.edit(general.messages()[0])
    await desk.raw.edit(general.messages()[0])
    await desk.raw.post(anna.dm)
    for asked in (anna.slash(general, "ask"), anna.message_command(general, "Explain", general.messages()[0])):
        await desk.raw.respond(asked)
        await desk.raw.edit_original(asked)

    assert desk.buckets() == {
        "all calls": (46, 50),
        "messages in #general": (4, 5),
        "edits in #general": (3, 5),
        "messages in the direct message with Anna": (4, 5),
        "an interaction of /ask": (4, 5),
        "an interaction of Explain": (4, 5),
    }
    assert all(0 < bucket["resets_in"] <= 5 for bucket in desk.gauges.now()["buckets"])


async def test_only_the_newest_interactions_have_bars(
    desk: Desk, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    server.world.set_commands(None, [{"name": name, "description": "d"} for name in ("old", "new")])
    for command in ("old", *["new"] * 10):
        asked = anna.slash(general, command)
        await desk.raw.respond(asked)
        await desk.raw.edit_original(asked)
    await desk.raw.post(general)

    named = [bucket["what"] for bucket in desk.gauges.now()["buckets"]]

    assert named == ["all calls", "messages in #general", *["an interaction of /new"] * 10]


async def test_calls_that_are_counted_together_share_one_bucket(
    desk: Desk, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    server.limits = RateLimits(total=None, together=("message_create", "message_edit"))
    await desk.raw.post(general)
    await desk.raw.edit(general.messages()[0])

    assert desk.buckets() == {"messages and edits in #general": (3, 5)}


async def test_a_bucket_of_a_channel_that_is_gone_says_so(
    desk: Desk, server: LoopbackDiscord, general: ChannelHandle
) -> None:
    await desk.raw.post(general)
    general.delete()

    assert "messages in a channel that is gone" in desk.buckets()


def test_a_bucket_fills_again_at_the_end_of_its_window_and_is_shown_idle_for_a_while() -> None:
    now = 100.0
    buckets = Buckets(RateLimits(message_edit=Limit(5, 5)), clock=lambda: now)
    buckets.take("message_edit", "1")
    buckets.take("message_edit", "1")
    now += 2
    [level] = buckets.levels()
    assert (level.left, level.resets_in) == (3, 3)

    now += 3

    assert buckets.levels() == []
    [level] = buckets.levels(idle_for=1)
    assert (level.left, level.resets_in) == (5, 0)
    buckets.limits = RateLimits.none()
    assert buckets.levels(idle_for=1) == []


async def test_calls_come_newest_first_in_words(desk: Desk, server: LoopbackDiscord, general: ChannelHandle) -> None:
    await desk.raw.post(general)
    await desk.raw.edit(general.messages()[0])
    await desk.raw.call("GET", "/nonsense")
    server.limits = RateLimits(message_create=Limit(1, 60))
    await desk.raw.post(general)

    now = desk.gauges.now()

    assert [(call["method"], call["what"], call["status"]) for call in now["calls"]] == [
        ("POST", "send a message", 429),
        ("GET", "GET /nonsense", 404),
        ("PATCH", "edit a message", 200),
        ("POST", "send a message", 200),
    ]
    assert now["rate_limit_hits"] == 1
    assert now["unknown_routes"] == ["GET /api/v10/nonsense"]
    assert now["calls_per_second"] == 0.8
    assert now["edits_per_second"] == 0.2
    assert sorted((call["at"] for call in now["calls"]), reverse=True) == [call["at"] for call in now["calls"]]


async def test_only_the_newest_twenty_calls_are_told(desk: Desk, general: ChannelHandle) -> None:
    for _ in range(21):
        await desk.raw.call("POST", f"/channels/{general.id}/typing")

    now = desk.gauges.now()

    assert len(now["calls"]) == 20
    assert now["calls_per_second"] == 4.2


@pytest.mark.parametrize("module", [application, channels, guilds, interactions])
def test_every_route_of_the_loopback_has_words(module: object) -> None:
    routes = [route for route in module.routes if isinstance(route, web.RouteDef)]  # type: ignore[attr-defined]
    assert routes
    for route in routes:
        call = Call(route.method, route.path.replace("{", "").replace("}", ""), 200, 0.0, 0.0)
        assert words_of(call)[0].islower(), route.path


def test_a_refused_edit_is_none() -> None:
    path = "/api/v10/webhooks/1/token/messages/@original"

    assert is_edit(Call("PATCH", path, 200, 0.0, 0.0))
    assert not is_edit(Call("PATCH", path, 429, 0.0, 0.0))
    assert not is_edit(Call("GET", path, 200, 0.0, 0.0))


async def test_an_answer_is_followed_from_the_first_token_to_the_last(desk: Desk, general: ChannelHandle) -> None:
    desk.ollama.answer = ["One ", "two ", "three ", "four."]
    during: list[Payload] = []

    async def between(index: int) -> None:
        if index == 2:
            await desk.raw.post(general, "One\n-# Writing…")
        during.extend(desk.answers())

    desk.ollama.between = between

    assert await desk.ask("Count,\n please! " + "x" * 100) == "One two three four."

    before_the_first, after_the_post = during[0], during[2]
    assert (before_the_first["state"], before_the_first["generated"], before_the_first["visible"]) == ("waiting", 0, 0)
    assert (after_the_post["state"], after_the_post["visible"]) == ("writing", 1)
    assert {before_the_first[name] for name in ("first_token_ms", "per_second", "prompt_tokens")} == {None}
    await desk.raw.edit(general.messages()[0], "One two three four.\n-# tiny:1b")
    [answer] = desk.answers()
    assert (answer["n"], answer["model"], answer["state"]) == (1, MODEL, "done")
    assert (answer["generated"], answer["visible"]) == (4, 4)
    assert answer["per_second"] > 0
    assert answer["first_token_ms"] >= 0
    assert answer["prompt_tokens"] == 15
    assert answer["question"] == ("Count, please! " + "x" * 100)[:80]


async def test_gauges_that_come_late_know_what_is_there(
    desk: Desk, server: LoopbackDiscord, general: ChannelHandle, anna: Actor
) -> None:
    server.world.set_commands(None, [{"name": "ask", "description": "d"}])
    await desk.ask("Hello?")
    asked = anna.slash(general, "ask")
    await desk.raw.respond(asked, "Hello there.")
    await desk.raw.edit_original(asked, "Hello there.")

    late = Gauges(server, desk.tap).now()

    assert [answer["visible"] for answer in late["answers"]] == [2]
    assert [bucket["what"] for bucket in late["buckets"]] == ["an interaction of /ask"]


async def test_what_people_write_is_no_answer(desk: Desk, general: ChannelHandle, anna: Actor) -> None:
    await desk.ask("Hello?")

    anna.say(general, "Hello there.")

    assert [answer["visible"] for answer in desk.answers()] == [0]


async def test_the_newest_ten_answers_are_told_newest_first(desk: Desk) -> None:
    for number in range(12):
        await desk.ask(f"Question {number}")

    assert [answer["question"] for answer in desk.answers()] == [f"Question {number}" for number in range(11, 1, -1)]


async def test_a_prompt_is_what_the_model_got(desk: Desk) -> None:
    await desk.ask("Hello?")

    prompt = desk.gauges.prompt(1)

    assert prompt
    assert isinstance(prompt.pop("at"), str)
    assert prompt == {
        "n": 1,
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello?"}],
        "options": {"num_ctx": 2048},
        "other": {"stream": True, "think": False, "tools": []},
        "answer": "Hello there.",
    }
    assert desk.gauges.prompt(2) is None
