"""Each fault that a soak strikes with, one after the other, or each in a channel of its own."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from playground.discord import ChannelHandle
from playground.discord.faults import Fault
from tests.fake_ollama import MODEL
from tests.wire.stage import Stage, is_finished, numbered, paced, pages, staged

from .model import SoakModel
from .plans import TROUBLES, Plan, Trouble, Way
from .weather import DELETE, FOLLOW, KINDS, READ, RESPOND, Kind

pytestmark = [pytest.mark.wire, pytest.mark.asyncio(loop_scope="module")]

FOOTER = f"-# {MODEL} · assistant"
SHORT = {"OLLAMA_FIRST_TOKEN_TIMEOUT": "3", "OLLAMA_STALL_TIMEOUT": "2", "MAX_PARALLEL_ANSWERS": "100"}


def plan_of(number: int) -> Plan:
    return Plan(number, Way.MENTION, 60, code_heavy=False, rate=1000, trouble=TROUBLES[number], deed=None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def troubled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, SoakModel]]:
    """A bot whose model fails as the question's number says."""
    model = SoakModel(plan_of)
    async with staged(tmp_path_factory.mktemp("bot")) as direct, model.serving() as host:
        stage = replace(direct, ollama_host=host)
        async with stage.bot(**SHORT) as bot:
            yield stage, model
            assert await bot.stop() == 0
            assert "Traceback" not in bot.log()
            assert stage.discord.unknown_routes == []


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
async def test_what_came_before_a_failure_of_the_model_stands_there_with_the_reason(
    troubled: tuple[Stage, SoakModel], trouble: Trouble
) -> None:
    stage, model = troubled
    number = TROUBLES.index(trouble)
    place = stage.guild.add_channel("talk")

    done = await stage.reply_to(stage.anna.say(place, plan_of(number).question, mention_bot=True))

    *_, last = model.writings[number]
    assert trouble.said in done.content
    assert done.content.startswith(last.text)
    assert last.is_complete is (not trouble.said or trouble.says_nothing)
    if not trouble.said:
        assert done.content.removeprefix(last.whole).startswith(f"\n{FOOTER}")
    assert len(pages(place)) == 1
    assert len(model.writings[number]) <= (1 if trouble.status != 503 else 3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("bot")) as stage, stage.bot(**SHORT) as bot:
        yield stage
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log()
        assert stage.discord.unknown_routes == []


UNSEEN = {READ, DELETE}
"""Calls that an answer alone does not need."""
TOO_LATE = "a response takes too long"


async def test_each_fault_of_a_call_leaves_an_answer_whole(stage: Stage) -> None:
    stage.ollama.answer = numbered(450)
    paced(stage.ollama, rate=300)
    struck = {name: strike(stage, kind) for name, kind in KINDS.items() if kind.call not in UNSEEN and name != TOO_LATE}

    for place, _ in struck.values():
        await stage.said(place, is_finished)

    assert {name for name, (_, fault) in struck.items() if not fault.hits} == set()
    assert {name for name, (place, _) in struck.items() if words(place) != stage.ollama.answer} == set()
    assert {len(pages(place)) for place, _ in struck.values()} == {2}


def strike(stage: Stage, kind: Kind) -> tuple[ChannelHandle, Fault]:
    """Ask in a channel of its own, in the way in which the fault can meet a call, and let it."""
    place = stage.guild.add_channel("struck")
    fault = kind.make(stage.discord.faults, random.Random(1))  # noqa: S311  # no secret: the same each time
    if kind.call in {RESPOND, FOLLOW}:
        # The answer to a command with a file begins with a follow-up, because the command was deferred.
        file = {"file": ("note.txt", b"Note.")} if kind.call == FOLLOW else {}
        token = re.escape(stage.anna.slash(place, "ask", prompt="Count", **file).interaction.token)
        fault.path = re.compile(f"{token}/callback$" if kind.call == RESPOND else f"/webhooks/.*{token}")
    else:
        fault.path = re.compile(f"/channels/{place.id}/messages")
        stage.anna.say(place, "Count", mention_bot=True)
    return place, fault


def words(place: ChannelHandle) -> list[str]:
    """What all messages of an answer say, as the model's tokens."""
    texts = [message.content.removeprefix("-# Anna asked: Count\n") for message in pages(place)]
    return [f"{word} " for text in texts for word in text.replace(FOOTER, "").split()]
