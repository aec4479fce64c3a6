from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.display import MAX_MESSAGES, OPTIONS, Display, Displays
from bot.chat.messages import Author, Place
from bot.chat.parameters import REGISTRY, display
from bot.chat.scopes import Scope, ScopeKind, Source
from bot.errors import BadInput

from .parts import ANNA, BERND, CHANNEL, GUILD, IN_DM, IN_THREAD, OTHER_PLACE, PLACE, SERVER, Parts

ANNAS = Scope(ScopeKind.PERSON, ANNA.id)
THREAD_SCOPE = Scope(ScopeKind.CHANNEL, IN_THREAD.channel_id)
NEAREST_FIRST = [
    (Source.PERSON, ANNAS),
    (Source.THREAD, THREAD_SCOPE),
    (Source.PARENT, CHANNEL),
    (Source.SERVER, SERVER),
]


@pytest.fixture
def displays(parts: Parts) -> Displays:
    return Displays(settings=parts.settings)


async def set_(parts: Parts, scope: Scope, **values: str) -> None:
    await parts.settings.change(scope, values, guild_id=GUILD, by=ANNA)


async def sources(displays: Displays, place: Place = PLACE, author: Author = ANNA) -> dict[str, tuple[object, Source]]:
    return {name: (found.value, found.source) for name, found in (await displays.in_force(place, author)).items()}


# Values


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("quiet", " ON ", "on"),
        ("quiet", "Off", "off"),
        ("ready_after", "90", 90),
        ("ready_after", "0", "off"),
        ("ready_after", "OFF", "off"),
        ("ready_after", "86400", 86_400),
        ("max_messages", "1", 1),
        ("max_messages", " 20 ", 20),
    ],
)
def test_a_value_has_one_form_however_it_was_written(name: str, written: str, kept: object) -> None:
    assert OPTIONS[name].read(written) == kept


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("quiet", ["", "yes", "1", "true", "on off"]),
        ("ready_after", ["", "-1", "1.5", "86401", "30s", "never", "1e2", "\u0663", "\uff13", "nan", "9" * 5000]),
        ("max_messages", ["", "0", "21", "-1", "+5", "5.0", "off", "five", "\u0663", "1_0"]),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_with_what_is_allowed(name: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(BadInput) as caught:
            OPTIONS[name].read(text)
        assert str(caught.value).startswith(f"`{name}` takes {OPTIONS[name].allowed}, not “")
        assert "\n" not in str(caught.value)


@given(st.sampled_from(sorted(OPTIONS)), st.text() | st.integers().map(str) | st.sampled_from(["on", "off"]))
@example("ready_after", "00")
def test_a_value_is_refused_or_reads_the_same_once_it_is_written_down(name: str, text: str) -> None:
    try:
        value = OPTIONS[name].read(text)
    except BadInput:
        return
    assert OPTIONS[name].read(display(value)) == value


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_offered_and_the_default_are_allowed(name: str) -> None:
    option = OPTIONS[name]
    for text in (*option.examples, option.default):
        option.read(text)
    assert option.name == name
    assert name not in REGISTRY


# What is in force


async def test_where_nobody_chose_anything_answers_are_shown_as_ever(displays: Displays) -> None:
    assert await displays.resolve(PLACE, ANNA) == Display()
    assert await sources(displays) == {
        "quiet": ("off", Source.BOT),
        "ready_after": ("off", Source.BOT),
        "max_messages": (MAX_MESSAGES, Source.OPERATOR),
    }


@pytest.mark.parametrize("above", range(4))
async def test_the_nearest_scope_decides_and_is_named(parts: Parts, displays: Displays, above: int) -> None:
    for number, (_, scope) in list(enumerate(NEAREST_FIRST))[above:]:
        await set_(parts, scope, ready_after=str(10 + number))

    assert (await displays.resolve(IN_THREAD, ANNA)).ready_after == 10 + above
    assert (await sources(displays, IN_THREAD))["ready_after"] == (10 + above, NEAREST_FIRST[above][0])


async def test_a_thread_has_the_length_of_its_channel(parts: Parts, displays: Displays) -> None:
    await set_(parts, CHANNEL, max_messages="3")
    await set_(parts, SERVER, max_messages="9")

    found = [(await displays.resolve(place, ANNA)).max_messages for place in (IN_THREAD, PLACE, OTHER_PLACE, IN_DM)]

    assert found == [3, 3, 9, MAX_MESSAGES]


async def test_a_persons_own_choice_holds_for_that_person_everywhere(parts: Parts, displays: Displays) -> None:
    await parts.preferences.set_parameter(PLACE, ScopeKind.PERSON, "quiet", "on", by=ANNA)

    annas = [(await displays.resolve(place, ANNA)).quiet for place in (PLACE, IN_THREAD, OTHER_PLACE, IN_DM)]
    bernds = [(await displays.resolve(place, BERND)).quiet for place in (PLACE, IN_THREAD, OTHER_PLACE, IN_DM)]

    assert annas == [True] * 4
    assert bernds == [False] * 4


async def test_a_person_may_choose_off_in_a_quiet_server(parts: Parts, displays: Displays) -> None:
    await set_(parts, SERVER, quiet="on")
    await set_(parts, ANNAS, quiet="off")

    assert not (await displays.resolve(PLACE, ANNA)).quiet
    assert (await displays.resolve(PLACE, BERND)).quiet


async def test_the_operator_chooses_the_length_where_nobody_else_does(parts: Parts) -> None:
    displays = Displays(settings=parts.settings, max_messages=2)
    await set_(parts, SERVER, max_messages="7")

    assert (await displays.resolve(PLACE, ANNA)).max_messages == 7
    assert (await displays.resolve(IN_DM, ANNA)).max_messages == 2


async def test_what_can_not_be_chosen_for_oneself_is_not_looked_for_there(parts: Parts, displays: Displays) -> None:
    await set_(parts, ANNAS, max_messages="20")

    assert (await displays.resolve(PLACE, ANNA)).max_messages == MAX_MESSAGES


async def test_a_stored_value_that_is_not_allowed_counts_as_not_set(
    parts: Parts, displays: Displays, caplog: pytest.LogCaptureFixture
) -> None:
    await set_(parts, ANNAS, quiet="maybe")
    await set_(parts, CHANNEL, quiet="on", max_messages="0", ready_after="soon")

    assert await displays.resolve(PLACE, ANNA) == Display(quiet=True)
    assert "A stored setting is ignored: `quiet` takes on or off, not “maybe”." in caplog.messages


async def test_options_and_parameters_of_one_scope_do_not_disturb_each_other(parts: Parts, displays: Displays) -> None:
    await set_(parts, CHANNEL, quiet="on", top_k="5")

    profile = await parts.profiles.resolve(PLACE)

    assert profile.parameters["top_k"].value == 5
    assert not profile.parameters.keys() & OPTIONS.keys()
    assert (await displays.resolve(PLACE, ANNA)).quiet
