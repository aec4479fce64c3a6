from hypothesis import given
from hypothesis import strategies as st

from bot.ui.heard import KEPT, Heard


def test_an_event_is_news_once() -> None:
    heard = Heard()
    assert [heard.is_news(1), heard.is_news(2), heard.is_news(1)] == [True, True, False]


@given(st.lists(st.integers(0, 50), max_size=200))
def test_each_of_a_few_events_is_news_exactly_once_whatever_their_order(told: list[int]) -> None:
    heard = Heard()
    assert [event for event in told if heard.is_news(event)] == list(dict.fromkeys(told))


def test_only_the_newest_are_remembered() -> None:
    heard = Heard()
    for event in range(KEPT + 1):
        assert heard.is_news(event)
    assert not heard.is_news(KEPT)
    assert not heard.is_news(1)
    assert heard.is_news(0)
