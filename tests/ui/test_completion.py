from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.ui.completion import MAX_CHOICES, MAX_LENGTH, matching

TEXT = st.text(min_size=1, max_size=130)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=60), st.text(max_size=5))
def test_discord_takes_whatever_is_offered(options: list[tuple[str, str]], typed: str) -> None:
    choices = matching(options, typed)

    assert len(choices) <= MAX_CHOICES
    assert all(1 <= len(choice.name) <= MAX_LENGTH for choice in choices)
    assert all(1 <= len(choice.value) <= MAX_LENGTH for choice in choices)
    assert all(typed.strip().casefold() in choice.value.casefold() for choice in choices)


def test_what_begins_with_the_typed_text_comes_first_and_otherwise_the_order_stays() -> None:
    options = [(name, name) for name in ("no-poet", "pirate", "Poet", "a poem", "pod")]

    assert [choice.value for choice in matching(options, " PO")] == ["Poet", "pod", "no-poet", "a poem"]
