"""What the bot leaves behind beside Discord: its database and its log."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from .cases import Case
from .plans import DELETIONS, Deed, Way, number_in

INTERRUPTED = "⚠️ Interrupted by a restart of the bot."
BROKE_OFF = "⚠️ This answer broke off, because something failed while it was written."
"""Said of an answer that failed, and that a start shows once more."""
GIVEN_BACK = "⚠️ The bot was restarted before it came to this question."

# Of these a traceback is part of what discord.py or the bot say of trouble that they expect.
EXPECTED = (
    re.compile(r"^Attempting a reconnect in "),
    re.compile(r"^An answer is left incomplete in Discord after "),
)


def unsound(file: Path, cases: Sequence[Case]) -> Iterable[str]:
    """What is wrong with the database after the bot has ended."""
    with closing(sqlite3.connect(file)) as connection:
        for check, well in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            if (found := connection.execute(f"PRAGMA {check}").fetchall()) != well:
                yield f"the database's {check} says {found}"
        for what in ("messages WHERE end_reason = 'running'", "open_answers"):
            if found := connection.execute(f"SELECT * FROM {what}").fetchall():  # noqa: S608  # our own words
                yield f"the database has {len(found)} {what}: {found[:3]}"
        rows = connection.execute("SELECT content FROM messages WHERE role = 'user'").fetchall()
    kept = Counter(number_in(content) for (content,) in rows)
    for case in cases:
        yield from _kept_wrongly(case, kept[case.plan.number])


def _kept_wrongly(case: Case, count: int) -> Iterable[str]:
    plan = case.plan
    if count > 1:
        yield f"question {plan.number} is in the database {count} times"
    is_deleted = any(press.deed is Deed.DELETE for press in case.presses) or case.done in DELETIONS
    deleted = is_deleted and not case.shown
    if count and plan.way is Way.PRIVATE:
        yield f"question {plan.number} was private and is in the database"
    elif count and deleted:
        yield f"question {plan.number} was deleted and is in the database"
    elif not count and any(GIVEN_BACK in page.content for page in case.shown):
        return  # it was waiting in line when the bot was killed, and could not be asked again
    elif not count and case.shown and not case.refusal and plan.way is not Way.PRIVATE and case.done is None:
        yield f"question {plan.number} was answered and is not in the database"


def unexpected(log: str) -> Iterable[str]:
    """The lines of a JSON log that tell of an error which nobody expected."""
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            yield f"the log has a line that is none: {line[:300]}"
            continue
        is_error = entry["level"] in {"error", "critical"} or "exception" in entry or "never" in entry["event"]
        if is_error and not any(known.search(entry["event"]) for known in EXPECTED):
            yield f"the log says: {entry['logger']}: {entry['event'][:500]}\n{entry.get('exception', '')[-1500:]}"
