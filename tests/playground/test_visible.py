"""How many tokens are visible: against the benchmark's exact reading, and where answers are alike."""

import json
from dataclasses import replace

import pytest

from benchmarks.matching import body_of, match_pages
from benchmarks.text import compose
from bot.chat.answers import Finished
from bot.chat.messages import EndReason
from bot.delivery.rendering import Rendering
from playground.discord import Message
from playground.discord.model import Attachment
from playground.model.exchange import Exchange, begin
from playground.page.visible import Visible

RULE = 11
"""Tokens of the longest line that is nothing but layout: whether it can be seen is not to be told from the letters."""


class Chat:
    """The bot's messages, as `Visible` finds them."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.visible = Visible(self.messages.get)

    def show(self, message_id: int, content: str, *, channel: int = 1, file: str = "", at: float = 1.0) -> None:
        attached = Attachment(1, "answer.md", file.encode(), "http://x", "text/markdown")
        self.messages[message_id] = Message(
            id=message_id,
            channel_id=channel,
            author_id=2,
            author_name="bot",
            content=content.strip(),
            attachments=(attached,) if file else (),
        )
        self.visible.changed(message_id, at)

    def tokens(self, *exchanges: Exchange) -> list[int]:
        return list(self.visible.tokens(exchanges).values())


@pytest.fixture
def chat() -> Chat:
    return Chat()


def written(text: str, number: int = 1, *, began: float = 0.0) -> Exchange:
    """An answer of one token for each word."""
    exchange = begin(number, b'{"messages": []}', began)
    assert exchange
    say(exchange, text)
    return exchange


def say(exchange: Exchange, text: str) -> None:
    for word in text.split(" "):
        exchange.take(json.dumps({"message": {"content": f" {word}"}}).encode() + b"\n", 1.0)


@pytest.mark.parametrize(("number", "count", "code_heavy"), [(0, 1500, False), (1, 1500, True), (2, 60, False)])
def test_it_agrees_with_the_exact_reading_in_every_frame(chat: Chat, number: int, count: int, code_heavy: bool) -> None:
    answer = compose(number, count, code_heavy=code_heavy)
    exchange = written("")
    exchange.tokens.clear()
    rendering = Rendering("-# Anna asked: what?", max_messages=9)

    def publish() -> int:
        while (page := rendering.pending()) is not None:
            look = rendering.look(page)
            chat.show(page + 1, look.content)
            rendering.wrote(page, look, rendering.version)
        return chat.tokens(exchange)[0]

    for index, token in enumerate(answer.tokens):
        exchange.tokens.append(token)
        rendering.feed(token)
        if index % 3 == 0:
            seen = publish()
            bodies = [body_of(message.content) for message in chat.messages.values()]
            exact = answer.tokens_within(match_pages(bodies, answer.text).end)
            assert abs(seen - exact) <= RULE
    rendering.finish(Finished(reason=EndReason.COMPLETE, model="tiny:1b", persona="Pirate"))

    assert publish() == count
    assert len(chat.messages) == {1500: 4, 60: 1}[count]


def test_nothing_is_visible_before_the_first_words(chat: Chat) -> None:
    answer = written(" \n\nHello there")

    chat.show(1, "-# Anna asked: hello\n-# Thinking…")

    assert chat.tokens(answer) == [0]


def test_space_before_an_answer_and_an_ellipsis_in_it_do_no_harm(chat: Chat) -> None:
    answer = written("\n\nWell… you see ● this █ works")

    chat.show(1, "Well… you see ●\n-# Writing…")

    assert chat.tokens(answer) == [4]


def test_two_answers_that_begin_alike_are_told_apart_once_they_differ(chat: Chat) -> None:
    cat, dog = written("The cat is asleep", 1), written("The dog is awake", 2)

    chat.show(1, "The")
    chat.show(2, "The")
    assert sorted(chat.tokens(cat, dog)) == [1, 1]
    chat.show(1, "The dog is")
    chat.show(2, "The cat")

    assert chat.tokens(cat, dog) == [2, 3]


def test_of_two_answers_that_are_the_same_each_has_its_message(chat: Chat) -> None:
    answers = written("It is a fine day", 1), written("It is a fine day", 2)

    chat.show(1, "It is")
    chat.show(2, "It is a fine")

    assert chat.tokens(*answers) == [2, 4]


def test_an_answer_goes_on_in_the_next_message_of_its_channel_only(chat: Chat) -> None:
    answer = written("one two three four")

    chat.show(1, "one two")
    chat.show(2, "three four", channel=7)
    assert chat.tokens(answer) == [2]
    chat.show(3, "three four")

    assert chat.tokens(answer) == [4]


def test_a_code_block_that_is_opened_again_is_read_on_from_its_second_line(chat: Chat) -> None:
    answer = written("```python\none \ntwo \nthree\n```")

    chat.show(1, "```python\none\n```")
    chat.show(2, "```python\ntwo\n```\n-# Writing…")

    assert chat.tokens(answer) == [2]


def test_a_page_that_differs_in_the_middle_is_read_to_its_end(chat: Chat) -> None:
    text = (
        "| a | b |\n| - | - |\n| first<br>second | third |\n\nAnd now for something completely different, said the man"
    )
    answer = written(text)

    chat.show(1, text.replace("<br>", " / "))

    assert chat.tokens(answer) == [len(answer.tokens)]


def test_what_is_deleted_is_no_longer_visible(chat: Chat) -> None:
    answer = written("one two three four")
    chat.show(1, "one two")
    chat.show(2, "three four")
    assert chat.tokens(answer) == [4]

    del chat.messages[2]
    assert chat.tokens(answer) == [2]
    del chat.messages[1]

    assert chat.tokens(answer) == [0]


def test_a_file_with_the_whole_answer_shows_all_of_it(chat: Chat) -> None:
    answer = written("one two three four")
    chat.show(1, "one two")
    assert chat.tokens(answer) == [2]

    chat.show(1, "one two\n-# The whole answer is in the file `answer.md`.", file=answer.text)

    assert chat.tokens(answer) == [4]


def test_what_the_bot_says_besides_shows_no_answer(chat: Chat) -> None:
    answer = written("Pirate is a word")

    chat.show(1, "**Pirate** answers in this channel now.")

    assert chat.tokens(answer) == [0]


def test_a_message_that_has_not_changed_since_an_answer_began_is_not_part_of_it(chat: Chat) -> None:
    old, new = written("Yes", 1), written("Yes", 2, began=5.0)

    chat.show(1, "Yes", at=1.0)
    assert chat.tokens(old, new) == [1, 0]
    chat.show(2, "Yes", at=6.0)

    assert chat.tokens(old, new) == [1, 1]
    assert chat.tokens(new) == [1]


def test_an_answer_written_anew_in_the_same_message_takes_it_over(chat: Chat) -> None:
    first, second = written("A long time ago", 1), written("Once upon a time", 2, began=2.0)
    chat.show(1, "A long time ago")
    assert chat.tokens(first, second) == [4, 0]

    chat.show(1, "-# One moment…", at=3.0)
    assert chat.tokens(first, second) == [0, 0]
    chat.messages[1] = replace(chat.messages[1], content="Once upon")
    chat.visible.changed(1, 4.0)

    assert chat.tokens(first, second) == [0, 2]
