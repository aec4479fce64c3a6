from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.parameters import REGISTRY, Parameter, Value, display, operator_defaults, parameter, shown
from bot.errors import BadInput, SettingError

NUMBERS = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "repeat_penalty": (0, 2),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
WHOLE_NUMBERS = {
    "seed": (0, 2**31 - 1),
    "num_predict": (1, 1_000_000),
    "top_k": (0, 1000),
    "repeat_last_n": (-1, 8192),
}
NO_NUMBERS = [
    *("", " ", "warm", "true", "[0.5]", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "9" * 5000),
    *("1,0,0", "1.2.3", ".", ",", "0.5 0.5", "0.5\n0.6", "1e", "--1", "1_0", "0x1"),
    *("\u0660", "\uff10.5", "½", "²"),
]
NO_WHOLE_NUMBERS = [
    *("", "five", "true", "40.0", "1e2", "4,0", "1 0", "1_0", "nan", "inf", "9" * 5000, "0x10", "++1"),
    *("\u0664", "\uff14"),
]
NO_STOPS = [
    *("", "|", "a||b", "a|", "1|2|3|4|5", "x" * 41),
    *("[]", "[1]", "[null]", '["a", 1]', '[["a"]]', '["a"', '[""]', f'["{"x" * 41}"]', r'["\ud800"]'),
    *("[" * 100_000, f"[{'1' * 5000}]"),
]
STOPS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), min_size=1, max_size=4)


def refusal(name: str, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parameter(name).read(text)
    return str(caught.value)


@pytest.mark.parametrize(("name", "bounds"), [*NUMBERS.items(), *WHOLE_NUMBERS.items()])
def test_both_bounds_are_allowed(name: str, bounds: tuple[int, int]) -> None:
    assert [parameter(name).read(str(bound)) for bound in bounds] == list(bounds)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, text) for name, (low, high) in NUMBERS.items() for text in (f"{low - 0.001:.3f}", f"{high}.001")),
        *((name, str(value)) for name, (low, high) in WHOLE_NUMBERS.items() for value in (low - 1, high + 1)),
    ],
)
def test_what_lies_outside_is_refused_in_one_sentence_with_the_range(name: str, text: str) -> None:
    low, high = (NUMBERS | WHOLE_NUMBERS)[name]

    sentence = refusal(name, text)

    assert sentence.startswith(f"`{name}` takes ")
    assert f"from {low} to {high}" in sentence
    assert sentence.endswith(f"not “{text}”.")
    assert "\n" not in sentence


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_takes_what_is_none(name: str, text: str) -> None:
    assert f"`{name}` takes a number from" in refusal(name, text)


@pytest.mark.parametrize("text", NO_WHOLE_NUMBERS)
@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_no_whole_number_takes_what_is_none(name: str, text: str) -> None:
    assert f"`{name}` takes a whole number from" in refusal(name, text)


@pytest.mark.parametrize(("name", "text"), [("temperature", "-1"), ("top_p", "5"), ("num_predict", "0")])
def test_what_ollama_takes_without_a_word_is_refused(name: str, text: str) -> None:
    assert "from" in refusal(name, text)


@pytest.mark.parametrize("text", ["0,7", "0.7", " 0.7 ", "+0.7", ".7", ",7", "7e-1", "0.70"])
def test_a_number_may_be_written_with_a_comma_or_a_point(text: str) -> None:
    assert parameter("temperature").read(text) == 0.7


def test_a_long_wrong_value_is_repeated_only_in_part_and_on_one_line() -> None:
    sentence = refusal("temperature", "`hot`\n" * 500)

    assert len(sentence) < 200
    assert "\n" not in sentence
    assert "“'hot' 'hot'" in sentence


@pytest.mark.parametrize("text", ["random", "RANDOM", " Random "])
def test_a_seed_may_be_random(text: str) -> None:
    assert parameter("seed").read(text) == "random"


def test_a_seed_that_is_neither_number_nor_random_is_refused() -> None:
    assert "or random" in refusal("seed", "rnd")


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("###", ["###"]),
        ("User:|Question:", ["User:", "Question:"]),
        (" a | b ", ["a", "b"]),
        (r"\n\n", ["\n\n"]),
        ('["a", "b|c"]', ["a", "b|c"]),
        ('[" "]', [" "]),
        ("[INST]|[/INST]", ["[INST]", "[/INST]"]),
        ("x" * 40, ["x" * 40]),
        ("🦙", ["🦙"]),
    ],
)
def test_stops_are_separated_by_bars_or_a_json_list(text: str, stops: list[str]) -> None:
    assert parameter("stop").read(text) == stops


@pytest.mark.parametrize("text", NO_STOPS)
def test_what_can_be_no_stop_is_refused(text: str) -> None:
    assert "takes 1 to 4 texts of at most 40 characters" in refusal("stop", text)


@pytest.mark.parametrize("text", ["0", "-1", "5", "1800", "30s", "5m", "1h30m", "2h", "1h1m1s", "0s", "9999h"])
def test_keep_alive_is_a_duration_as_ollama_reads_it(text: str) -> None:
    assert parameter("keep_alive").read(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "12345678", "5.5", "-2", "5 m", "5M", "m", "1d", "forever", "30m1h", "\u0665m", "5m\n5m", "1.5h", "-5m"],
)
def test_a_keep_alive_of_another_form_is_refused(text: str) -> None:
    assert "`keep_alive` takes a duration such as 30s, 5m or 1h30m, a number of seconds," in refusal("keep_alive", text)


@pytest.mark.parametrize("text", ["off", "ON", " Low ", "medium", "high"])
def test_think_is_one_of_five_words(text: str) -> None:
    assert parameter("think").read(text) == text.strip().lower()


@pytest.mark.parametrize("text", ["", "true", "max", "1", "on off"])
def test_think_takes_no_other_word(text: str) -> None:
    assert "`think` takes off, on, low, medium or high" in refusal("think", text)


@pytest.mark.parametrize("entry", REGISTRY.values(), ids=lambda entry: entry.name)
def test_every_example_and_default_is_allowed_and_every_entry_explained(entry: Parameter) -> None:
    texts = [*entry.examples, *([entry.default] if entry.default else [])]

    assert [entry.read(text) for text in texts]
    assert len(f"{entry.name}: {entry.help}") <= 200
    assert entry.help.endswith(".")


@pytest.mark.parametrize("name", NUMBERS)
@given(data=st.data())
def test_a_number_reads_as_it_is_displayed(name: str, data: st.DataObject) -> None:
    low, high = NUMBERS[name]
    value = data.draw(st.floats(low, high))

    assert parameter(name).read(display(value)) == value


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
@given(data=st.data())
def test_a_whole_number_reads_as_it_is_displayed(name: str, data: st.DataObject) -> None:
    low, high = WHOLE_NUMBERS[name]
    value = data.draw(st.integers(low, high))

    assert parameter(name).read(display(value)) == value


@given(STOPS)
@example(["\n", "|", "[", '"'])
@example(["\\n"])
def test_stops_read_as_they_are_displayed(stops: list[str]) -> None:
    assert parameter("stop").read(display(stops)) == stops


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(REGISTRY)))
def test_any_text_is_either_refused_or_a_value_that_reads_as_displayed(text: str, name: str) -> None:
    try:
        value = parameter(name).read(text)
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right, each for its texts
    else:
        assert parameter(name).read(display(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.1, "0.1"), (0.1234567, "0.1234567"), (7, "7"), ("5m", "5m")]
)
def test_a_value_is_displayed_as_short_as_it_can_be(value: Value, text: str) -> None:
    assert display(value) == text


@pytest.mark.parametrize("name", ["temperature", " Temperature ", "TOP_P", "top-p", "top p"])
def test_a_name_is_found_as_people_write_it(name: str) -> None:
    assert parameter(name).name in {"temperature", "top_p"}


def test_an_unknown_name_is_answered_with_all_there_are() -> None:
    with pytest.raises(BadInput, match="There is no parameter “warmth”") as caught:
        parameter("warmth")

    assert all(f"`{name}`" in str(caught.value) for name in REGISTRY)


def test_num_ctx_is_the_operators() -> None:
    with pytest.raises(BadInput, match="the operator sets it as OLLAMA_NUM_CTX"):
        parameter("num_ctx")


def test_the_operator_sets_defaults_by_variables() -> None:
    environment = {"OLLAMA_TEMPERATURE": " 0,5 ", "OLLAMA_STOP": "###", "OLLAMA_TOP_K": "  ", "TOP_P": "5"}

    assert operator_defaults(environment) == {"temperature": "0,5", "stop": "###"}


@pytest.mark.parametrize(
    ("name", "text"), [("temperature", "-1"), ("seed", "x"), ("keep_alive", "soon"), ("think", "?")]
)
def test_a_wrong_default_names_its_variable(name: str, text: str) -> None:
    variable = parameter(name).variable

    with pytest.raises(SettingError, match=f"^{variable} takes .+, not “") as caught:
        operator_defaults({variable: text})
    assert "\n" not in str(caught.value)


@given(st.text())
def test_a_repeated_text_is_short_and_cannot_end_its_quotation(text: str) -> None:
    found = shown(text)

    assert len(found) <= 60
    assert not set(found) & {"`", *string.whitespace.replace(" ", "")}
