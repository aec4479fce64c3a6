"""What `/history show` says of the memory and the window, in words alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.chat.context_meter import NEWEST, Reading
from bot.chat.memory import Summary
from bot.chat.messages import Author, Message, Place, Role, StoredMessage
from bot.chat.personas import BUILT_IN, MAX_NAME
from bot.chat.profiles import Profile, Sourced
from bot.chat.prompt import Prompt
from bot.chat.scopes import Source
from bot.delivery.pages import LIMIT
from bot.delivery.text import units
from bot.errors import ModelUnreachable
from bot.ui.context_meter import described

HERE, THEN = Place(20, 10), datetime(2026, 1, 2, tzinfo=UTC)
WORDS = StoredMessage(9, Role.USER, "What is\nred?", THEN, Author(1, "Anna"))
PROFILE = Profile(Sourced("tiny:1b", Source.OPERATOR), Sourced(BUILT_IN["assistant"], Source.BOT), {})
PROMPT = Prompt(
    messages=(Message(Role.SYSTEM, "Be kind."), *[Message(Role.USER, "?")] * 11),
    num_predict=1024,
    estimate=1_522,
    raw_estimate=1_700,
    beside_question=1_500,
    window_start=9,
    left_out=4,
    system=200,
    room=1_350,
)
READING = Reading(
    remembered=Summary(total=18, window=[WORDS] * 14, newest=[WORDS]),
    profile=PROFILE,
    num_ctx=4096,
    is_models_own=False,
    prompt=PROMPT,
    first=WORDS,
    first_shown_at=30,
    trouble=None,
)


def test_it_says_what_goes_what_does_not_and_how_the_window_is_filled() -> None:
    assert (
        described(READING, HERE)
        == """\
18 messages are remembered here. With your next question the newest 10 go to the model, from \
**Anna**: “What is red?” (https://discord.com/channels/10/20/30) on.
The 8 before no longer go, because the context window was full; they stay remembered and in `/history export`. \
More fit into a larger window: ask the operator to raise `OLLAMA_NUM_CTX`, or begin anew with `/history clear`.
The context window of **tiny:1b** holds 4,096 tokens, as the operator set it (a token is about ¾ of an English word):
- system prompt of assistant: about 200
- remembered messages: about 1,300
- free for your question and the answer: about 2,596, of which the answer may take 1,024
A question of up to about 1,350 tokens, files included, takes all these messages along; with a longer one, \
older messages are left out.
The last messages:
- **Anna**: What is red?"""
    )


def test_where_hardly_any_question_has_room_it_is_said_so() -> None:
    full = replace(READING, prompt=replace(PROMPT, room=19))

    assert "Your next question leaves out the older half of these messages, unless" in described(full, HERE)


def test_where_nothing_remembered_fits_that_is_the_reason() -> None:
    prompt = replace(PROMPT, messages=(*PROMPT.messages[:2],), window_start=None)

    told = described(replace(READING, prompt=prompt, first=None, first_shown_at=None), HERE)

    assert told.startswith("18 messages are remembered here. None of them goes to the model with your next question")
    assert "Your question can have up to about 1,350 tokens, files included." in told


def test_a_system_prompt_without_room_for_a_question_is_told_with_what_helps() -> None:
    told = described(replace(READING, prompt=None, first=None, first_shown_at=None), HERE)

    assert "The system prompt of assistant alone is too long for it, so no question can be answered." in told
    assert "A shorter one helps (`/persona set`), or a larger window." in told


def test_what_discord_shows_nowhere_has_no_link_and_a_direct_message_has_its_own() -> None:
    nowhere = described(replace(READING, first_shown_at=None), HERE)
    directly = described(READING, Place(20))

    assert "“What is red?” on." in nowhere
    assert "(https://discord.com/channels/@me/20/30)" in directly


def test_a_conversation_of_ones_own_is_called_so() -> None:
    own = described(READING, replace(HERE, owner_id=1))

    assert own.splitlines()[-1].endswith("this is yours.")
    assert "this is yours." not in described(READING, HERE)


@pytest.mark.parametrize("letter", ["x", "*", "🦙"])
def test_the_longest_that_there_can_be_fits_into_a_message(letter: str) -> None:
    long = StoredMessage(9, Role.USER, letter * 4000, THEN, Author(1, letter * 32))
    persona = replace(BUILT_IN["assistant"], name="x" * MAX_NAME)
    last = replace(long, content="The last one.")
    told = described(
        replace(
            READING,
            remembered=Summary(total=100_000, window=[long], newest=[*[long] * (NEWEST - 1), last]),
            profile=replace(PROFILE, model=Sourced("m" * 60, Source.OPERATOR), persona=Sourced(persona, Source.BOT)),
            num_ctx=4_194_304,
            first=long,
            first_shown_at=10**19,
            trouble=ModelUnreachable("x" * 200),
        ),
        Place(10**19, 10**19, owner_id=1),
    )

    assert units(told) <= LIMIT
    assert told.count("\n- **") >= 2
    assert told.splitlines()[-2].endswith("**: The last one.")
