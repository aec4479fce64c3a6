from __future__ import annotations

from pathlib import Path

import pytest

from bot.chat.profiles import Profile
from bot.chat.scopes import Scope, ScopeKind, Source
from bot.errors import BadInput
from tests.fake_ollama import MODEL

from .parts import ANNA, BERND, CHANNEL, DIRECT, GUILD, IN_DM, IN_THREAD, PLACE, SERVER, Parts, put_together

THREAD_SCOPE = Scope(ScopeKind.CHANNEL, IN_THREAD.channel_id)
NEAREST_FIRST = [(Source.THREAD, THREAD_SCOPE), (Source.PARENT, CHANNEL), (Source.SERVER, SERVER)]


async def set_(parts: Parts, scope: Scope, **values: str) -> None:
    await parts.settings.change(scope, values, guild_id=GUILD, by=ANNA)


def parameters(profile: Profile) -> dict[str, tuple[object, Source]]:
    return {name: (found.value, found.source) for name, found in profile.parameters.items()}


async def test_where_nobody_set_anything_the_operator_and_the_model_decide(parts: Parts) -> None:
    profile = await parts.profiles.resolve(PLACE)

    assert (profile.model.value, profile.model.source) == (MODEL, Source.OPERATOR)
    assert (profile.persona.value.name, profile.persona.source) == ("assistant", Source.BOT)
    assert parameters(profile) == {
        "seed": ("random", Source.BOT),
        "num_predict": (1024, Source.BOT),
        "think": ("off", Source.BOT),
    }
    assert profile.options() == {"seed": "random", "num_predict": 1024}


@pytest.mark.parametrize("above", range(3))
async def test_the_nearest_scope_decides_each_value_and_is_named(parts: Parts, above: int) -> None:
    for number, (_, scope) in list(enumerate(NEAREST_FIRST))[above:]:
        await parts.personas.save(GUILD, f"persona {number}", f"You are number {number}.", by=ANNA)
        await set_(parts, scope, model=f"model{number}", persona=f"persona {number}", top_k=str(number))

    profile = await parts.profiles.resolve(IN_THREAD)

    source = NEAREST_FIRST[above][0]
    assert (profile.model.value, profile.model.source) == (f"model{above}", source)
    assert (profile.persona.value.prompt, profile.persona.source) == (f"You are number {above}.", source)
    assert parameters(profile)["top_k"] == (above, source)


async def test_values_of_different_scopes_come_together(parts: Parts) -> None:
    await set_(parts, THREAD_SCOPE, top_k="1")
    await set_(parts, CHANNEL, top_p="0.5", model="other")
    await set_(parts, SERVER, min_p="0.1", persona="commentator")

    profile = await parts.profiles.resolve(IN_THREAD)

    assert profile.model.source is Source.PARENT
    assert profile.persona.source is Source.SERVER
    assert parameters(profile) == {
        "top_k": (1, Source.THREAD),
        "top_p": (0.5, Source.PARENT),
        "min_p": (0.1, Source.SERVER),
        "seed": ("random", Source.BOT),
        "num_predict": (1024, Source.BOT),
        "think": ("off", Source.BOT),
    }


async def test_a_channel_does_not_hear_of_its_threads(parts: Parts) -> None:
    await set_(parts, THREAD_SCOPE, model="other", top_k="1")

    profile = await parts.profiles.resolve(PLACE)

    assert profile.model.source is Source.OPERATOR
    assert "top_k" not in profile.parameters


async def test_who_set_a_value_is_told_with_it(parts: Parts) -> None:
    await parts.settings.change(CHANNEL, {"top_k": "5"}, guild_id=GUILD, by=BERND)

    found = (await parts.profiles.resolve(PLACE)).parameters["top_k"]

    assert found.setting
    assert found.setting.changed_by == BERND


async def test_the_operators_default_stands_between_server_and_model(tmp_path: Path) -> None:
    async with put_together(tmp_path, defaults={"temperature": "0,5", "num_predict": "7", "think": "on"}) as parts:
        await set_(parts, SERVER, num_predict="9")
        profile = await parts.profiles.resolve(PLACE)

    assert parameters(profile) == {
        "temperature": (0.5, Source.OPERATOR),
        "seed": ("random", Source.BOT),
        "num_predict": (9, Source.SERVER),
        "think": ("on", Source.OPERATOR),
    }
    assert profile.options() == {"temperature": 0.5, "seed": "random", "num_predict": 9}


async def test_a_persona_asked_for_with_the_question_comes_first(parts: Parts) -> None:
    await set_(parts, CHANNEL, persona="commentator")

    profile = await parts.profiles.resolve(PLACE, persona="Google-It")

    assert (profile.persona.value.name, profile.persona.source) == ("google-it", Source.QUESTION)


async def test_a_persona_asked_for_that_is_not_there_is_refused_with_a_list(parts: Parts) -> None:
    with pytest.raises(BadInput, match=r"There is no persona “pirate” here\. Available: `assistant`, `google-it`"):
        await parts.profiles.resolve(PLACE, persona="pirate")


async def test_a_channels_own_prompt_is_a_persona_without_a_name_of_its_own(parts: Parts) -> None:
    await set_(parts, SERVER, persona="commentator")
    await parts.preferences.set_prompt(PLACE, " Answer in rhymes. ", by=BERND)

    persona = (await parts.profiles.resolve(PLACE)).persona

    assert persona.source is Source.CHANNEL
    assert (persona.value.name, persona.value.prompt, persona.value.changed_by) == (
        "custom",
        "Answer in rhymes.",
        BERND,
    )


async def test_a_threads_persona_stands_over_its_channels_prompt(parts: Parts) -> None:
    await parts.preferences.set_prompt(PLACE, "Answer in rhymes.", by=ANNA)
    await parts.preferences.use_persona(IN_THREAD, "go-away", by=ANNA)

    persona = (await parts.profiles.resolve(IN_THREAD)).persona

    assert (persona.value.name, persona.source) == ("go-away", Source.THREAD)


async def test_a_deleted_persona_falls_back_to_the_next_scopes(parts: Parts) -> None:
    await parts.personas.save(GUILD, "Pirate", "You are a pirate.", by=ANNA)
    await parts.preferences.use_persona(PLACE, "pirate", by=ANNA)
    await set_(parts, SERVER, persona="commentator")

    scopes = await parts.personas.delete(GUILD, "PIRATE", by=BERND)
    persona = (await parts.profiles.resolve(PLACE)).persona

    assert scopes == [CHANNEL]
    assert (persona.value.name, persona.source) == ("commentator", Source.SERVER)


async def test_a_choice_of_a_persona_that_never_was_counts_as_none(parts: Parts) -> None:
    await set_(parts, CHANNEL, persona="ghost")

    assert (await parts.profiles.resolve(PLACE)).persona.source is Source.BOT


async def test_a_stored_value_that_is_no_longer_allowed_counts_as_not_set(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    await set_(parts, CHANNEL, temperature="-1", top_p="5")
    await set_(parts, SERVER, temperature="0.5")

    found = parameters(await parts.profiles.resolve(PLACE))

    assert found["temperature"] == (0.5, Source.SERVER)
    assert "top_p" not in found
    assert "A stored setting is ignored: `temperature` takes a number from 0 to 2, not “-1”." in caplog.messages


async def test_a_direct_message_has_settings_of_its_own_and_no_server(parts: Parts) -> None:
    await set_(parts, SERVER, top_k="1", persona="commentator")
    await parts.settings.change(Scope(ScopeKind.CHANNEL, DIRECT), {"top_p": "0.5"}, guild_id=None, by=ANNA)
    await parts.personas.save(GUILD, "Pirate", "You are a pirate.", by=ANNA)

    profile = await parts.profiles.resolve(IN_DM)

    assert parameters(profile)["top_p"] == (0.5, Source.DIRECT)
    assert "top_k" not in profile.parameters
    assert profile.persona.source is Source.BOT
    with pytest.raises(BadInput, match="There is no persona “Pirate” here"):
        await parts.profiles.resolve(IN_DM, persona="Pirate")
