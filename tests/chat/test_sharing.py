"""The setting `memory`: one conversation for all in a channel, or one for each person."""

from __future__ import annotations

import pytest

from bot.chat.messages import Place
from bot.chat.scopes import ScopeKind, Source
from bot.chat.sharing import MEMORY, Conversations
from bot.errors import BadInput

from .parts import ANNA, BERND, IN_DM, IN_THREAD, PLACE, Hold, Parts


@pytest.fixture
def conversations(parts: Parts) -> Conversations:
    return Conversations(parts.settings)


async def split(parts: Parts, place: Place = PLACE, kind: ScopeKind = ScopeKind.CHANNEL, value: str = "person") -> None:
    await parts.preferences.set_parameter(place, kind, "memory", value, by=ANNA)


async def test_unless_somebody_chooses_a_channel_has_one_conversation(conversations: Conversations) -> None:
    assert await conversations.of(PLACE, ANNA) == PLACE
    found = await conversations.in_force(PLACE)
    assert (found.value, found.source) == ("channel", Source.BOT)


async def test_the_nearest_choice_counts(parts: Parts, conversations: Conversations) -> None:
    await split(parts, kind=ScopeKind.SERVER)
    assert (await conversations.of(PLACE, ANNA)).owner_id == ANNA.id
    assert (await conversations.of(IN_THREAD, BERND)).owner_id == BERND.id

    await split(parts, IN_THREAD, value="Channel")
    assert (await conversations.of(IN_THREAD, BERND)).owner_id is None
    assert (await conversations.in_force(IN_THREAD)).source == Source.THREAD


async def test_a_direct_message_has_one_conversation_whatever_is_chosen(
    parts: Parts, conversations: Conversations
) -> None:
    await split(parts, IN_DM)

    assert (await conversations.of(IN_DM, ANNA)).owner_id is None


@pytest.mark.parametrize("value", ["everybody", "", "per person"])
async def test_nothing_else_is_allowed(parts: Parts, value: str) -> None:
    with pytest.raises(BadInput, match="`memory` takes channel or person, not"):
        await split(parts, value=value)


async def test_nobody_chooses_it_for_themselves_alone(parts: Parts) -> None:
    with pytest.raises(BadInput, match="`memory` can be set for a channel or a server only"):
        await split(parts, kind=ScopeKind.PERSON)


def test_it_reads_back_what_it_shows() -> None:
    assert [MEMORY.read(example) for example in MEMORY.examples] == ["channel", "person"]


async def test_people_do_not_meet_in_a_channel_where_each_has_a_conversation(
    parts: Parts, conversations: Conversations
) -> None:
    await parts.ask("Together.")
    await split(parts)
    await parts.ask("I am Anna.", author=ANNA)
    await parts.ask("I am Bernd.", author=BERND)
    await parts.ask("And I?", author=ANNA)

    assert [content for _, content in parts.fake.prompts[-1][1:]] == ["I am Anna.", "Hello there.", "And I?"]
    hers, his = await conversations.of(PLACE, ANNA), await conversations.of(PLACE, BERND)
    assert await parts.contents(hers) == ["I am Anna.", "Hello there.", "And I?", "Hello there."]
    assert await parts.contents(his) == ["I am Bernd.", "Hello there."]
    assert await parts.contents(PLACE) == ["Together.", "Hello there."], "the shared one waits for being chosen again"


async def test_taking_back_and_forgetting_are_for_ones_own_conversation(
    parts: Parts, conversations: Conversations
) -> None:
    await split(parts)
    await parts.ask("I am Anna.", author=ANNA)
    await parts.ask("I am Bernd.", author=BERND)
    hers, his = await conversations.of(PLACE, ANNA), await conversations.of(PLACE, BERND)

    assert (await parts.history.undo(hers, only_by=ANNA.id)).content == "I am Anna."
    assert await parts.history.clear(his, only_by=BERND.id) == 2

    assert await parts.contents(hers) == await parts.contents(his) == []


async def test_two_people_are_answered_at_once_where_each_has_a_conversation(parts: Parts) -> None:
    await split(parts)
    held = parts.fake.between = Hold()
    first = parts.start("I am Anna.", author=ANNA)
    await held.reached.wait()
    held.reached.clear()
    second = parts.start("I am Bernd.", author=BERND)
    await held.reached.wait()
    held.go.set()
    await first.task
    await second.task

    assert second.view.ahead == []
