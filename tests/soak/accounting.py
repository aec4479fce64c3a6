"""After all is quiet: what became of each question, compared with what the model wrote, to the character."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise

from benchmarks.matching import Shown, body_of, is_whole, match_pages
from playground.discord import Message
from playground.discord.validation import walk
from playground.transcript import is_status

from .cases import Case, is_stoppable
from .model import SoakModel, Writing
from .plans import DELETIONS, ENDS_THE_PLACE, Deed, Way
from .records import BROKE_OFF, GIVEN_BACK, INTERRUPTED
from .weather import Weather

SAYS_NOTHING = "*The model said nothing."
OF_OUTAGES = ("Ollama does not answer at", "broke off")
"""What the bot may say of any answer while the line to Ollama is cut."""
BUSY = "Ollama has too much to do"
ANSWER_FILE = "answer.md"
_LAID_OUT = re.compile(r"[\W_]+|python")


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last page says below the text."""

    trouble: str = ""
    is_stopped: bool = False


class Books:
    """Everything that must add up."""

    def __init__(self, cases: Sequence[Case], model: SoakModel, weather: Weather) -> None:
        self._cases = cases
        self._model = model
        self._weather = weather
        self.ends: dict[str, int] = {}
        """How many answers ended how."""

    def problems(self) -> list[str]:
        """Every question of which something does not add up."""
        found = [f"{_named(case)}: {problem}" for case in self._cases for problem in self._problems_of(case)]
        return found + [f"the model was asked what nobody asked: {body}" for body in self._model.strangers]

    def _problems_of(self, case: Case) -> Iterable[str]:
        yield from self._asked_too_often(case)
        if case.given_up and not (case.plan.way is Way.PRIVATE and self._met_a_crash(case)):
            yield f"it came to no end: {_texts(case)}"
        elif problem := self._ending_of(case):
            yield problem

    def _asked_too_often(self, case: Case) -> Iterable[str]:
        begun = [it for it in self.writings(case) if it.sent]
        allowed = 1 + sum(press.deed in {Deed.REGENERATE, Deed.CONTINUE} for press in case.presses)
        if len(begun) > allowed:
            yield f"the model wrote {len(begun)} answers, {allowed} were asked for"
        silent = [it for it in self.writings(case) if not it.sent]
        if len(silent) > 3 * allowed:
            yield f"the model was asked in vain {len(silent)} times"

    def writings(self, case: Case) -> list[Writing]:
        """All that the model wrote for a question."""
        return self._model.writings.get(case.plan.number, [])

    def _end(self, how: str) -> str:
        self.ends[how] = self.ends.get(how, 0) + 1
        return ""

    def _ending_of(self, case: Case) -> str:
        """What is wrong with the end of a question; nothing where all is well."""
        if case.done in ENDS_THE_PLACE:
            return self._end("its place was closed")
        shown = case.shown
        if not shown:
            return self._without_pages(case)
        if case.done is Deed.EXPIRE and case.plan.way is Way.PRIVATE:
            return self._end("its token died")
        if case.done in DELETIONS and case.gone:
            return f"it was deleted, and this is left: {_texts(case)}"
        if any(is_stoppable(page) for page in shown):
            return self._left_open(case, f"a Stop button was left: {_texts(case)}")
        if any(page.thinking or is_status(line) for page in shown for line in page.content.split("\n")):
            return self._left_open(case, f"a status line was left: {_texts(case)}")
        return self._read(case, shown)

    def _left_open(self, case: Case, problem: str) -> str:
        if case.plan.way is Way.PRIVATE and self._met_a_crash(case):
            return self._end("private, and cut off by a crash")  # nothing reaches it any more
        return problem

    def _without_pages(self, case: Case) -> str:
        if case.refusal:
            return self._end("refused") if self._is_explained(case, case.refusal) else f"it was refused: {case.refusal}"
        if case.went_unheard:
            return self._end("Discord said that the command was not answered")
        deleted = any(press.deed is Deed.DELETE for press in case.presses) or case.done in DELETIONS
        return self._end("deleted") if deleted and case.gone else "nothing stands there"

    def _read(self, case: Case, shown: list[Message]) -> str:
        ending = _ending(shown[-1])
        file = next((it for page in shown for it in page.attachments if it.filename == ANSWER_FILE), None)
        bodies = [_body(page.content) for page in shown]
        candidates = list(self._candidates(case, file.data.decode() if file else "\n".join(bodies)))
        if file is not None:
            return self._read_file(case, file.data.decode(), ending, candidates)
        best = max(
            (match_pages(bodies, truth) for truth, _ in candidates),
            key=lambda one: (one.exact, one.end),
            default=Shown(0, exact=not any(bodies)),
        )
        if not best.exact:
            return f"what is shown is not what the model wrote: {_texts(case)}"
        wholes = [it for truth, it in candidates if is_whole(match_pages(bodies, truth), truth)]
        if ending.trouble:
            return self._read_trouble(case, ending.trouble, bodies, candidates)
        if ending.is_stopped:
            return self._end("stopped") if case.done is Deed.STOP else "it was stopped, and nobody wanted that"
        if any(it.is_complete for it in wholes):
            return self._end("whole")
        return self._left_open(case, f"it is not whole and does not say why: {_texts(case)}")

    def _read_file(self, case: Case, text: str, ending: Ending, candidates: list[tuple[str, Writing]]) -> str:
        if any(text == truth for truth, it in candidates if it.is_complete):
            return self._end("whole, in a file")
        is_partial = any(truth.startswith(text) for truth, _ in candidates)
        if is_partial and (ending.is_stopped or self._is_explained(case, ending.trouble)):
            return self._end("partial, in a file, and says why")
        return f"the file does not hold what the model wrote, but {text[:200]!r}"

    def _candidates(self, case: Case, shown: str) -> Iterable[tuple[str, Writing]]:
        """What may be shown: a version, or one with what was added to it."""
        writings = [it for it in self.writings(case) if it.trouble.status is None]
        for writing in writings:
            yield writing.whole, writing
        for before, after in pairwise(writings):
            if after.goes_on:
                yield from ((before.whole[:end] + after.whole, after) for end in _joints(before, after, shown))

    def _read_trouble(self, case: Case, trouble: str, bodies: list[str], candidates: list[tuple[str, Writing]]) -> str:
        if not self._is_explained(case, trouble):
            return f"nothing explains {trouble!r}"
        last = next((it for _, it in reversed(candidates)), None)
        is_certain = last and last.trouble.said in trouble and not self._met(case, self._weather.outages)
        if last and is_certain and last.trouble.said and not last.trouble.hangs_up:
            shown = match_pages(bodies, last.text)
            if not is_whole(shown, last.text):
                return f"it lacks what the model wrote before it failed: {_texts(case)}"
        return self._end("partial, and says why" if any(bodies) else "failed, and says why")

    def _is_explained(self, case: Case, said: str) -> bool:
        writings = self.writings(case)
        if any(it.trouble.said and it.trouble.said in said for it in writings):
            return True
        met_an_outage = self._met(case, self._weather.outages)
        if any(words in said for words in OF_OUTAGES) and met_an_outage:
            return True
        if (
            BUSY in said
            and met_an_outage
            and any(it.trouble.status == HTTPStatus.SERVICE_UNAVAILABLE for it in writings)
        ):
            return True  # the outage took the tries that it would have needed after that
        return said.startswith((INTERRUPTED, GIVEN_BACK, BROKE_OFF)) and self._met_a_crash(case)

    def _met_a_crash(self, case: Case) -> bool:
        return self._met(case, self._weather.crashes)

    @staticmethod
    def _met(case: Case, times: list[tuple[float, float]]) -> bool:
        # Some seconds more: what the bot found out then it may say later.
        until = case.ended_at + 1 if case.ended.is_set() else math.inf
        return any(begun <= until and case.asked_at <= ended + 1 for begun, ended in times)


def _joints(before: Writing, after: Writing, shown: str) -> Iterable[int]:
    """After which of its tokens an answer may have been broken off, to go on with what was written after it."""
    head = _letters(shown.partition("".join(after.tokens[:2]).strip())[0])
    at = 0
    for token in before.tokens:
        at += len(token)
        if _letters(before.whole[:at]) == head:
            yield at


def _letters(text: str) -> str:
    """What of a text is the same however it is laid out."""
    return _LAID_OUT.sub("", text)


def _ending(last: Message) -> Ending:
    lines = last.content.split("\n")
    trouble = next((line for line in reversed(lines[-3:]) if line.startswith("⚠️")), "")
    nothing = next((line for line in lines if line.startswith(SAYS_NOTHING)), "")
    return Ending(trouble or nothing, is_stopped=" · stopped" in lines[-1])


def _body(content: str) -> str:
    lines = [it for it in content.split("\n") if not it.startswith(("⚠️", SAYS_NOTHING))]
    return body_of("\n".join(lines))


def _named(case: Case) -> str:
    plan = case.plan
    trouble = f", model: {plan.trouble.name}" if plan.trouble else ""
    done = f", did: {case.done or ''} {[str(press.deed) for press in case.presses] or ''}"
    return f"question {plan.number} ({plan.way}, {plan.tokens} tokens{trouble}{done})"


def _texts(case: Case) -> str:
    """How the pages end, with their buttons."""
    told = []
    for page in case.shown:
        labels = [part.get("label") for part in walk(page.components) if part.get("label")]
        told.append(f"[{page.id}] …{page.content[-160:]!r} {labels}")
    return "; ".join(told) or "(nothing)"
