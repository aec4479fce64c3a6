"""The messages of one answer, state by state: how many tokens a reader had at any moment, and what was wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.matching import Shown, body_of, has_cursor, has_open_fence, is_whole, match_page, match_pages
from benchmarks.text import AnswerText
from benchmarks.words import places
from playground.transcript import is_status

Step = tuple[float, int]
"""From this moment on so many tokens were visible."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it read from a moment on."""

    at: float
    message: int
    content: str | None
    """None where it was deleted."""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the final messages differ from what the model wrote, in words; `altered` is any other difference."""

    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    altered: int = 0

    @property
    def exact(self) -> bool:
        """Everything is there, once, in order, and nothing else."""
        return not (self.lost or self.doubled or self.reordered or self.foreign or self.altered)


@dataclass(frozen=True, slots=True)
class Story:
    """One answer's course and end."""

    steps: tuple[Step, ...]
    frames: int
    torn_frames: int
    """States whose text was not the beginning of the answer: something was missing in the middle, or added."""
    open_fences: int
    """States that showed prose as code, or the reverse, to the message's end."""
    left_over: int
    """Final messages with a cursor or a line that says that more is to come."""
    verdict: Verdict


@dataclass(slots=True)
class _Screen:
    """What a reader sees: the newest state of each message, oldest message first."""

    truth: str
    pages: dict[int, Frame] = field(default_factory=dict)
    _known: dict[tuple[str, int], Shown] = field(default_factory=dict)

    def show(self, frame: Frame) -> Shown:
        if frame.content is None:
            self.pages.pop(frame.message, None)
        else:
            self.pages[frame.message] = frame
            self.pages = dict(sorted(self.pages.items()))
        return self._seen()

    def _seen(self) -> Shown:
        end, exact = 0, True
        for page in self.pages.values():
            found = self._match(body_of(page.content or ""), end)
            end, exact = found.end, exact and found.exact
        return Shown(end, exact)

    def _match(self, body: str, start: int) -> Shown:
        # Pages that are full stay as they are, and each is long: they are read once.
        key = body, start
        if key not in self._known:
            self._known[key] = match_page(body, self.truth, start)
        return self._known[key]


def replay(frames: Iterable[Frame], answer: AnswerText) -> Story:
    """Read an answer's states in the order in which they appeared."""
    screen = _Screen(answer.text)
    steps: list[Step] = []
    torn = fences = count = 0
    for frame in frames:
        count += 1
        shown = screen.show(frame)
        torn += not shown.exact
        fences += has_open_fence(frame.content or "")
        files = [file for page in screen.pages.values() for file in page.files]
        whole = is_in_files(files, shown, answer.text)
        visible = len(answer.tokens) if whole else answer.tokens_within(shown.end)
        if visible != (steps[-1][1] if steps else 0):
            steps.append((frame.at, visible))
    pages = tuple(screen.pages.values())
    return Story(
        steps=tuple(steps),
        frames=count,
        torn_frames=torn,
        open_fences=fences,
        left_over=sum(is_unfinished(page.content or "") for page in pages),
        verdict=judge(pages, answer),
    )


def is_unfinished(content: str) -> bool:
    """Tell whether a message says that more is to come."""
    last = content.rsplit("\n", 1)[-1]
    return is_status(last) or has_cursor(content)


def is_in_files(files: Sequence[str], shown: Shown, truth: str) -> bool:
    """Tell whether a file holds the whole answer, or all of it that the messages do not show."""
    rest = truth[shown.end :].strip()
    return shown.exact and any(file.strip() in (truth, rest) for file in files)


def judge(pages: Sequence[Frame], answer: AnswerText) -> Verdict:
    """Compare the final messages with what the model wrote."""
    bodies = [body_of(page.content or "") for page in pages]
    shown = match_pages(bodies, answer.text)
    files = [file for page in pages for file in page.files]
    if is_whole(shown, answer.text) or is_in_files(files, shown, answer.text):
        return Verdict()
    found = _words(" ".join(bodies), answer)
    return found if not found.exact else Verdict(altered=1)


def _words(text: str, answer: AnswerText) -> Verdict:
    seen = places(text)
    own = [index for number, index in seen if number == answer.number]
    firsts = list(dict.fromkeys(own))
    return Verdict(
        lost=len(set(places(answer.text)) - set(seen)),
        doubled=len(own) - len(firsts),
        reordered=sum(after < before for before, after in pairwise(firsts)),
        foreign=len(seen) - len(own),
    )
