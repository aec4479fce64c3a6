from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.personas import BUILT_IN, MAX_NAME, MAX_PROMPT, valid_name, valid_prompt
from bot.errors import BadInput

from .parts import ANNA, BERND, GUILD, Parts


def test_five_personas_come_with_the_bot() -> None:
    assert list(BUILT_IN) == ["assistant", "google-it", "go-away", "drunk-italian", "commentator"]
    assert all(persona.is_built_in and valid_name(persona.name) == persona.name for persona in BUILT_IN.values())
    assert len({persona.prompt for persona in BUILT_IN.values()}) == 5


@pytest.mark.parametrize("name", ["Pirate", "Größe 9", "Captain O'Hara", "x-y", "7", "x" * MAX_NAME, "海賊"])
def test_a_name_is_made_of_letters_digits_and_a_few_signs(name: str) -> None:
    assert valid_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name", ["", "  ", "-x", "'x", "x" * (MAX_NAME + 1), "a:b", "a\x00b", "@everyone", "a`b", "🦙"]
)
def test_anything_else_is_no_name(name: str) -> None:
    with pytest.raises(BadInput, match="A persona's name has 1 to 32 letters"):
        valid_name(name)


@given(st.text())
def test_a_valid_name_is_short_stands_on_one_line_and_stays_valid(text: str) -> None:
    try:
        name = valid_name(text)
    except BadInput:
        return
    assert 1 <= len(name) <= MAX_NAME
    assert name == " ".join(name.split())
    assert valid_name(name) == name


def test_a_prompt_loses_only_its_outer_white_space() -> None:
    assert valid_prompt("\n You are\n\n kind. ") == "You are\n\n kind."
    assert valid_prompt("x" * MAX_PROMPT) == "x" * MAX_PROMPT


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (" \n", "A persona needs a system prompt"),
        ("x" * (MAX_PROMPT + 1), "at most 4,000 characters; this one has 4,001"),
    ],
)
def test_an_empty_or_endless_prompt_is_refused(prompt: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        valid_prompt(prompt)


async def test_a_server_sees_the_built_in_ones_and_its_own(parts: Parts) -> None:
    await parts.personas.save(GUILD, "Zoe", "You are Zoe.", by=ANNA)
    await parts.personas.save(GUILD, "Adam", "You are Adam.", by=ANNA)
    await parts.personas.save(GUILD + 1, "Eve", "You are Eve.", by=ANNA)

    assert [persona.name for persona in await parts.personas.all(GUILD)] == [*BUILT_IN, "Adam", "Zoe"]
    assert [persona.name for persona in await parts.personas.all(None)] == [*BUILT_IN]


async def test_a_persona_is_found_in_any_spelling(parts: Parts) -> None:
    saved = await parts.personas.save(GUILD, "Sea  Captain", "Ahoy.", by=ANNA)

    assert saved.name == "Sea Captain"
    assert await parts.personas.get(GUILD, " sea   CAPTAIN ") == saved
    assert await parts.personas.find(GUILD, "ASSISTANT") == BUILT_IN["assistant"]
    assert await parts.personas.find(GUILD + 1, "Sea Captain") is None
    assert await parts.personas.find(None, "Sea Captain") is None


async def test_each_change_is_a_new_version_with_its_author(parts: Parts) -> None:
    first = await parts.personas.save(GUILD, "Pirate", "Ahoy.", by=ANNA)
    second = await parts.personas.save(GUILD, "pirate", "Arr.", by=BERND)

    assert (first.version, second.version) == (1, 2)
    assert second.changed_by == BERND
    assert not second.is_built_in


async def test_an_unknown_name_is_answered_on_one_line_with_all_there_are(parts: Parts) -> None:
    await parts.personas.save(GUILD, "Pirate", "Ahoy.", by=ANNA)

    with pytest.raises(BadInput) as caught:
        await parts.personas.get(GUILD, "a\n`b`" + "x" * 500)

    assert str(caught.value).startswith("There is no persona “a 'b'x")
    assert str(caught.value).endswith("`commentator`, `Pirate`.")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["assistant", " Google-It "])
async def test_a_built_in_persona_can_be_neither_changed_nor_deleted(parts: Parts, name: str) -> None:
    with pytest.raises(BadInput, match="comes with the bot and can't be changed"):
        await parts.personas.save(GUILD, name, "Ahoy.", by=ANNA)
    with pytest.raises(BadInput, match="comes with the bot and can't be deleted"):
        await parts.personas.delete(GUILD, name, by=ANNA)

    assert [persona.name for persona in await parts.personas.all(GUILD)] == [*BUILT_IN]


async def test_a_wrong_name_or_prompt_saves_nothing(parts: Parts) -> None:
    for name, prompt in (("-", "Ahoy."), ("Pirate", " ")):
        with pytest.raises(BadInput):
            await parts.personas.save(GUILD, name, prompt, by=ANNA)

    assert [persona.name for persona in await parts.personas.all(GUILD)] == [*BUILT_IN]


async def test_what_is_not_there_cannot_be_deleted(parts: Parts) -> None:
    with pytest.raises(BadInput, match="There is no persona “Pirate” here"):
        await parts.personas.delete(GUILD, "Pirate", by=ANNA)
