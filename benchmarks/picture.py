"""Tokens written and tokens visible over time, drawn as SVG on a ground of its own, for light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.replay import Step
from benchmarks.results import Summary

_WIDTH, _HEIGHT = 880, 436
_LEFT, _GAP, _RIGHT, _TOP, _BOTTOM = 64, 56, 32, 138, 62
_TICKS = 6
_NICE = (1, 2, 5, 10)
_SPACE = 1.02
"""How much longer than what is drawn the axes are."""

_GROUND, _EDGE, _INK, _FAINT = "#f6f5f1", "#c9c5b8", "#2b2a26", "#5a574e"
_COLORS = ("#2f5d46", "#b5541c")
_NAMED = 'aria-labelledby="title desc" font-family="system-ui, sans-serif"'
_STYLE = f"""
text {{ fill: {_FAINT}; font-size: 13px }} .title {{ fill: {_INK}; font-size: 18px; font-weight: 600 }}
.panel {{ fill: {_INK}; font-size: 15px; font-weight: 600 }} .grid {{ stroke: {_EDGE}; stroke-width: 1 }}
path {{ fill: none; stroke-width: 2; stroke-linejoin: round }} .written {{ stroke: {_FAINT}; stroke-dasharray: 2 4 }}
.bot0 {{ stroke: {_COLORS[0]} }} .bot1 {{ stroke: {_COLORS[1]} }}
.lag0 {{ stroke: none; fill: {_COLORS[0]}26 }} .lag1 {{ stroke: none; fill: {_COLORS[1]}26 }}
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """What one bot showed: from so many seconds after the first token on, so many tokens."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One answer: the model's tokens, and how each bot showed them."""

    title: str
    note: str = ""
    tokens: int
    rate: float
    curves: tuple[Curve, ...]

    @property
    def last_token(self) -> float:
        """Seconds from the first token to the last."""
        return (self.tokens - 1) / self.rate

    @property
    def seconds(self) -> float:
        """When the last token was visible everywhere."""
        return max([self.last_token, *(step[0] for curve in self.curves for step in curve.steps)])


def panel(found: Sequence[Summary], title: str, note: str = "") -> Panel:
    """Choose the typical answer of the first bot; the others' is the same one, so that one line of tokens does."""
    place, number = _typical(found[0])
    answers = [(summary.name, summary.runs[place].answers[number]) for summary in found]
    curves = tuple(Curve(name, answer.curve) for name, answer in answers)
    return Panel(title=title, note=note, tokens=answers[0][1].tokens, rate=found[0].scenario.rate, curves=curves)


def picture(title: str, description: str, panels: Sequence[Panel]) -> str:
    """Draw panels side by side; in each the model's tokens are a dotted line and each bot's are stairs below it."""
    width = (_WIDTH - _LEFT - _RIGHT - _GAP * (len(panels) - 1)) / len(panels)
    seconds = max(one.seconds for one in panels) * _SPACE
    tokens = max(one.tokens for one in panels) * _SPACE
    frames = [_Frame(one, _LEFT + place * (width + _GAP), width, seconds, tokens) for place, one in enumerate(panels)]
    names = [f"visible, {curve.name}" for curve in panels[0].curves]
    legend = [("written by the model", "written"), *((name, f"bot{number}") for number, name in enumerate(names))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {_NAMED}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(description)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect x=".5" y=".5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="12" fill="{_GROUND}" stroke="{_EDGE}"/>',
        f'<text class="title" x="24" y="36">{escape(title)}</text>',
        *_legend(legend),
        *(part for frame in frames for part in frame.parts()),
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 18}" text-anchor="end">seconds since the first token</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _typical(summary: Summary) -> tuple[int, int]:
    """Return which answer's mean staleness is in the middle of all: the place of its run, and its number there."""
    answers = [
        (answer.figures.staleness.mean, place, number)
        for place, run in enumerate(summary.runs)
        for number, answer in enumerate(run.answers)
    ]
    _, place, number = sorted(answers)[(len(answers) - 1) // 2]
    return place, number


@dataclass(frozen=True, slots=True)
class _Frame:
    """One panel's place in the picture, and what its axes reach to."""

    panel: Panel
    left: float
    width: float
    seconds: float
    tokens: float

    def parts(self) -> list[str]:
        """Return everything that belongs to the panel."""
        one = self.panel
        written = f"{self._point(0, 1)}L{self._point(one.last_token, one.tokens)}"
        stairs = [self._stairs(curve.steps) for curve in one.curves]
        back = f"L{self._point(self.seconds, one.tokens)}L{self._point(one.last_token, one.tokens)}Z"
        # The first bot comes last, on top of the others.
        drawn = [(f"lag{number}", path + back) for number, path in enumerate(stairs)][::-1]
        drawn += [(f"bot{number}", path) for number, path in enumerate(stairs)][::-1]
        return [
            f'<text class="panel" x="{self.left:g}" y="{_TOP - 42}">{escape(one.title)}</text>',
            f'<text x="{self.left:g}" y="{_TOP - 22}">{escape(one.note)}</text>',
            *self._axes(),
            *(f'<path class="{name}" d="M{path}"/>' for name, path in [*drawn, ("written", written)]),
        ]

    def _point(self, second: float, token: float) -> str:
        x = self.left + self.width * second / self.seconds
        y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * token / self.tokens
        return f"{x:.1f} {y:.1f}"

    def _stairs(self, steps: Sequence[Step]) -> str:
        path, visible = self._point(0, 0), 0
        for at, seen in steps:
            path += f"L{self._point(at, visible)}L{self._point(at, seen)}"
            visible = seen
        return f"{path}L{self._point(self.seconds, visible)}"

    def _axes(self) -> list[str]:
        parts = []
        for token in _ticks(self.tokens):
            x, y = self._point(0, token).split()
            parts.append(f'<path class="grid" d="M{x} {y}h{self.width:.1f}"/>')
            parts.append(f'<text x="{x}" y="{y}" dx="-8" dy="4" text-anchor="end">{token:g}</text>')
        for second in _ticks(self.seconds):
            x, y = self._point(second, 0).split()
            parts.append(f'<text x="{x}" y="{y}" dy="20" text-anchor="middle">{second:g}</text>')
        parts.append(f'<text x="{self.left - 8:g}" y="{_TOP - 4}" text-anchor="end">tokens</text>')
        return parts


def _ticks(most: float) -> list[float]:
    """Return round numbers from 0 on, about as many as fit."""
    step = most / _TICKS
    size = 10.0 ** (len(str(int(step))) - 1) if step >= 1 else 0.1
    step = next((nice * size for nice in _NICE if nice * size >= step), size)
    return [number * step for number in range(int(most / step) + 1)]


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    parts, x = [], 24
    for text, name in entries:
        parts.append(f'<path class="{name}" d="M{x} 62h26"/><text x="{x + 34}" y="66">{escape(text)}</text>')
        x += 62 + 7 * len(text)
    return parts
