"""What is said in README's pictures: a team's questions, and a scripted model's answers to them."""

from __future__ import annotations

from tests.fake_ollama import Json

MODEL = "example:4b"
NOTE = "A scripted model answers in this picture."

REVIEW = "Why does this test fail only on Mondays? assert (date.today() - timedelta(1)).weekday() < 5"
_REVIEW = """Because on a Monday, *yesterday* is a Sunday: `weekday()` counts from Monday as 0, so Sunday is 6. \
On Sundays it fails as well, but then nobody runs it.

Give the function its date instead of asking the clock:

```python
def was_workday(today: date) -> bool:
    return (today - timedelta(days=1)).weekday() < 5

def test_the_day_before_a_monday_is_no_workday() -> None:
    assert not was_workday(date(2026, 3, 2))
```

Then the test says the same thing **every** day of the week."""

_COMMENTATOR = """AND HERE THEY COME, ladies and gentlemen! **SEARCH** answers before you lift your finger! \
**DARK MODE** takes the field at night! And the drafts, *OH MY*, the drafts: NOT ONE LOST ALL SEASON!"""

SHORTER = "Name the release in one line: faster search, dark mode, no lost drafts."
_SHORTER = [
    "Search at the speed of thought, in the dark, and nothing lost.",
    "**Nothing lost in the dark**, and all found.",
]

RELEASE = "Release notes, please: faster search, dark mode, no lost drafts."
_RELEASE = """- **Search** answers while you type.
- **Dark mode** follows your system, or your own choice.
- **Drafts** survive a reload, a crash and a Monday."""

NAMING = "Is `data2` a good name for the cleaned rows?"
_NAMING = (
    """It says that there was a `data1`, and not much else. `clean_rows` tells the next reader what happened to them."""
)

_ANSWERS = {REVIEW: _REVIEW, RELEASE: _RELEASE, NAMING: _NAMING}


def answer(body: Json) -> list[str]:
    """The tokens of the scripted model's answer."""
    messages = body["messages"]
    if "sports" in messages[0]["content"]:
        return _tokens(_COMMENTATOR)
    question = messages[-1]["content"]
    if SHORTER in question:
        return _tokens(_SHORTER[body["options"]["seed"] % len(_SHORTER)])
    return _tokens(next((text for asked, text in _ANSWERS.items() if asked in question), "Good question!"))


def _tokens(text: str) -> list[str]:
    """Pieces of about the length that a model's tokens have."""
    words = text.replace(" ", "\0 ").replace("\n", "\0\n").split("\0")
    return [piece for word in words for piece in (word[:6], word[6:]) if piece]
