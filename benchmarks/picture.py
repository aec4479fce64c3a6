"""Tokens written and tokens visible over time, drawn as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.replay import Step
from benchmarks.results import Summary

_WIDTH, _HEIGHT = 860, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 56, 52
_TICKS = 6
_NICE = (1, 2, 5, 10)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #444 } .title { font-size: 15px; font-weight: 600 }
.axis { stroke: #8884 } path { fill: none; stroke-width: 2 } .written { stroke: #888; stroke-dasharray: 5 4 }
.bot0 { stroke: #2f6fdf } .bot1 { stroke: #d9822b }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .bot0 { stroke: #6ea0ff } .bot1 { stroke: #ffb366 } }
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """What one bot showed: from so many seconds after the first token on, so many tokens."""

    name: str
    steps: tuple[Step, ...]


def picture(title: str, *, tokens: int, rate: float, curves: Sequence[Curve]) -> str:
    """Draw the model's tokens as a dashed line and each bot's as stairs below it."""
    ends = [step[0] for curve in curves for step in curve.steps]
    frame = _Frame(max([(tokens - 1) / rate, *ends]) * 1.02, tokens)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="22">{escape(title)}</text>',
        *frame.axes(),
        f'<path class="written" d="M{frame.point(0, 1)}L{frame.point((tokens - 1) / rate, tokens)}"/>',
    ]
    parts += [f'<path class="bot{number}" d="{frame.stairs(curve.steps)}"/>' for number, curve in enumerate(curves)]
    parts += _legend(
        [("written by the model", "written"), *((f"visible, {c.name}", f"bot{n}") for n, c in enumerate(curves))]
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def typical(summary: Summary) -> tuple[int, int]:
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
    """From seconds and tokens to places in the picture."""

    seconds: float
    tokens: int

    def point(self, second: float, token: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / self.seconds
        y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * token / self.tokens
        return f"{x:.1f} {y:.1f}"

    def stairs(self, steps: Sequence[Step]) -> str:
        path, visible = f"M{self.point(0, 0)}", 0
        for at, seen in steps:
            path += f"L{self.point(at, visible)}L{self.point(at, seen)}"
            visible = seen
        return path

    def axes(self) -> list[str]:
        parts = []
        for token in _ticks(self.tokens):
            x, y = self.point(0, token).split()
            parts.append(f'<line class="axis" x1="{x}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y}" dy="4" text-anchor="end">{token:g}</text>')
        for second in _ticks(self.seconds):
            x, y = self.point(second, 0).split()
            parts.append(f'<text x="{x}" y="{y}" dy="20" text-anchor="middle">{second:g}</text>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 10}" text-anchor="end">seconds from the first token</text>'
        )
        parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 10}">tokens</text>')
        return parts


def _ticks(most: float) -> list[float]:
    """Return round numbers from 0 on, about as many as fit."""
    step = most / _TICKS
    size = 10.0 ** (len(str(int(step))) - 1) if step >= 1 else 0.1
    step = next((nice * size for nice in _NICE if nice * size >= step), size)
    return [number * step for number in range(int(most / step) + 1)]


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    parts, x = [], _LEFT
    for text, name in entries:
        parts.append(f'<path class="{name}" d="M{x} 40h26"/><text x="{x + 32}" y="44">{escape(text)}</text>')
        x += 60 + 8 * len(text)
    return parts
