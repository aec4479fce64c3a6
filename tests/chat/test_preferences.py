from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bot.chat.parameters import REGISTRY
from bot.chat.preferences import SETTABLE, settable
from bot.chat.scopes import Scope, ScopeKind
from bot.errors import BadInput
from bot.storage import schema

from .parts import ANNA, BERND, CHANNEL, IN_DM, IN_THREAD, PLACE, SERVER, Parts

ANNAS, BERNDS = Scope(ScopeKind.PERSON, ANNA.id), Scope(ScopeKind.PERSON, BERND.id)


async def stored(parts: Parts) -> dict[str, dict[str, str]]:
    found = await parts.settings.values([CHANNEL, SERVER])
    return {
        scope.kind.value: {key: setting.value for key, setting in values.items()} for scope, values in found.items()
    }


async def test_a_parameter_is_set_for_the_channel_or_the_server(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "Temperature", " 0,7 ", by=ANNA)
    await parts.preferences.set_parameter(PLACE, ScopeKind.SERVER, "top_k", "5", by=ANNA)

    assert await stored(parts) == {"channel": {"temperature": "0.7"}, "server": {"top_k": "5"}}


async def test_a_change_tells_what_was_before_and_by_whom(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "top_k", "5", by=ANNA)

    (change,) = await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "top_k", "6", by=BERND)

    assert (change.key, change.old, change.new, change.changed_by) == ("top_k", "5", "6", BERND)
    assert await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "top_k", "6", by=ANNA) == []
    assert [(made.old, made.new) for made in await parts.settings.changes(CHANNEL, limit=5)] == [
        ("5", "6"),
        (None, "5"),
    ]


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("top_p", "1.0", "1"),
        ("seed", " RANDOM ", "random"),
        ("think", "High", "high"),
        ("keep_alive", "90", "90"),
        ("stop", "User: | \\n", '["User:", "\\n"]'),
        ("stop", '["a|b", " c"]', '["a|b", " c"]'),
    ],
)
async def test_a_value_is_kept_in_one_form_however_it_was_written(
    parts: Parts, name: str, written: str, kept: str
) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, name, written, by=ANNA)

    assert await stored(parts) == {"channel": {name: kept}}
    assert await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, name, kept, by=BERND) == []
    assert (await parts.profiles.resolve(PLACE)).parameters[name].value == REGISTRY[name].read(written)


async def test_changes_of_persona_and_prompt_are_told_whatever_else_was_changed_since(parts: Parts) -> None:
    await parts.preferences.use_persona(PLACE, "go-away", by=ANNA)
    await parts.preferences.set_prompt(PLACE, "Rhyme.", by=BERND)
    await parts.preferences.use_persona(IN_THREAD, "commentator", by=ANNA)
    for number in range(9):
        await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "top_k", str(number), by=ANNA)

    changes = await parts.preferences.persona_changes(PLACE)
    newest = await parts.preferences.persona_changes(PLACE, limit=1)

    assert {(change.key, change.old, change.new, change.changed_by) for change in changes} == {
        ("persona", None, "go-away", ANNA),
        ("persona", "go-away", None, BERND),
        ("system_prompt", None, "Rhyme.", BERND),
    }
    assert changes[-1].changed_by == ANNA
    assert newest == changes[:1]


@pytest.mark.parametrize(("name", "value"), [("temperature", "3"), ("warmth", "1"), ("num_ctx", "3")])
async def test_a_wrong_value_stores_nothing(parts: Parts, name: str, value: str) -> None:
    with pytest.raises(BadInput):
        await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, name, value, by=ANNA)

    assert await stored(parts) == {}


async def test_one_parameter_or_all_of_a_scope_are_taken_back(parts: Parts) -> None:
    await parts.preferences.use_persona(PLACE, "go-away", by=ANNA)
    await parts.preferences.set_parameter(PLACE, ScopeKind.SERVER, "seed", "1", by=ANNA)
    for name in ("top_k", "top_p", "min_p"):
        await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, name, "1", by=ANNA)

    one = await parts.preferences.reset_parameters(PLACE, ScopeKind.CHANNEL, "top-k", by=ANNA)
    rest = await parts.preferences.reset_parameters(PLACE, ScopeKind.CHANNEL, None, by=ANNA)

    assert [change.key for change in one] == ["top_k"]
    assert {change.key for change in rest} == {"top_p", "min_p"} < set(REGISTRY)
    assert await stored(parts) == {"channel": {"persona": "go-away"}, "server": {"seed": "1"}}


async def test_persona_and_own_prompt_replace_each_other(parts: Parts) -> None:
    await parts.preferences.use_persona(PLACE, "GO-AWAY", by=ANNA)
    assert await stored(parts) == {"channel": {"persona": "go-away"}}

    await parts.preferences.set_prompt(PLACE, "Rhyme.", by=ANNA)
    assert await stored(parts) == {"channel": {"system_prompt": "Rhyme."}}

    await parts.preferences.use_persona(PLACE, "assistant", by=ANNA)
    assert await stored(parts) == {"channel": {"persona": "assistant"}}

    await parts.preferences.reset_persona(PLACE, by=ANNA)
    assert await stored(parts) == {}


async def test_an_unknown_persona_or_an_empty_prompt_changes_nothing(parts: Parts) -> None:
    await parts.preferences.use_persona(PLACE, "go-away", by=ANNA)

    with pytest.raises(BadInput):
        await parts.preferences.use_persona(PLACE, "ghost", by=ANNA)
    with pytest.raises(BadInput):
        await parts.preferences.set_prompt(PLACE, " ", by=ANNA)

    assert await stored(parts) == {"channel": {"persona": "go-away"}}


async def test_a_model_is_chosen_for_a_thread_alone(parts: Parts) -> None:
    await parts.preferences.use_model(IN_THREAD, "other:7b", by=ANNA)

    assert (await parts.profiles.resolve(IN_THREAD)).model.value == "other:7b"
    assert (await parts.profiles.resolve(PLACE)).model.value == "tiny:1b"


async def test_a_direct_message_has_no_server_to_set_anything_for(parts: Parts) -> None:
    await parts.preferences.set_parameter(IN_DM, ScopeKind.CHANNEL, "top_k", "5", by=ANNA)

    with pytest.raises(BadInput, match="A direct message belongs to no server"):
        await parts.preferences.set_parameter(IN_DM, ScopeKind.SERVER, "top_k", "5", by=ANNA)

    assert (await parts.profiles.resolve(IN_DM)).parameters["top_k"].value == 5


def guilds(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> set[object]:
    return set(connection.scalars(query))


async def test_what_a_person_chooses_belongs_to_them_and_to_no_server(parts: Parts) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.PERSON, "Ready-After", " 60 ", by=ANNA)
    (change,) = await parts.preferences.set_parameter(IN_DM, ScopeKind.PERSON, "ready_after", "0", by=ANNA)
    await parts.preferences.set_parameter(PLACE, ScopeKind.PERSON, "quiet", "on", by=BERND)

    assert (change.scope, change.old, change.new) == (ANNAS, "60", "off")
    found = await parts.settings.values([ANNAS, CHANNEL, SERVER])
    assert {scope: sorted(values) for scope, values in found.items()} == {ANNAS: ["ready_after"]}
    for table in (schema.settings, schema.changes):
        query = sa.select(table.c.guild_id).where(table.c.scope_kind == "me")
        assert await parts.database.read(guilds, query) == {None}, table.name


@pytest.mark.parametrize("name", ["temperature", "max_messages"])
async def test_what_concerns_everybody_can_not_be_set_for_oneself(parts: Parts, name: str) -> None:
    sentence = (
        f"^`{name}` can be set for a channel or a server only; for yourself you can set `quiet` and `ready_after`"
    )

    with pytest.raises(BadInput, match=sentence):
        await parts.preferences.set_parameter(PLACE, ScopeKind.PERSON, name, "1", by=ANNA)
    with pytest.raises(BadInput, match=sentence):
        await parts.preferences.reset_parameters(PLACE, ScopeKind.PERSON, name, by=ANNA)

    assert await parts.settings.values([ANNAS]) == {}


async def test_everybody_takes_back_only_what_they_chose_for_themselves(parts: Parts) -> None:
    for person in (ANNA, BERND):
        await parts.preferences.set_parameter(PLACE, ScopeKind.PERSON, "quiet", "on", by=person)
    await parts.preferences.set_parameter(PLACE, ScopeKind.CHANNEL, "quiet", "on", by=BERND)

    changes = await parts.preferences.reset_parameters(IN_THREAD, ScopeKind.PERSON, None, by=ANNA)

    assert [(change.scope, change.key) for change in changes] == [(ANNAS, "quiet")]
    assert set(await parts.settings.values([ANNAS, BERNDS, CHANNEL])) == {BERNDS, CHANNEL}


def test_everything_that_can_be_set_is_found_however_it_is_written() -> None:
    for name in SETTABLE:
        for written in (name, f" {name.upper()} ", name.replace("_", "-"), name.replace("_", " ")):
            assert settable(written) is SETTABLE[name]
