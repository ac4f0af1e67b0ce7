"""A sheet to draw on, in SVG: few shapes, colours by their meaning, readable in light and in dark.

Seen alone a picture follows the reader's system; put into a page it takes the page's palette, for which
`stylesheet` has the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal

Language = Literal["en", "zh"]
Words = tuple[str, str]  # English, Chinese
Point = tuple[float, float]

# name -> light, dark. All but `soft` and `line` have a contrast of 4.5 : 1 or more on their paper.
COLOURS: Final = {
    "paper": ("#f7f9fa", "#1b2026"),
    "ink": ("#1d262d", "#e4e9ed"),
    "dim": ("#55626c", "#a3b0ba"),
    "line": ("#c3ccd3", "#44505a"),
    "soft": ("#e7edf0", "#28313a"),
    "long": ("#00695c", "#4db6ac"),
    "short": ("#b23c17", "#ff8a65"),
    "gain": ("#6d5a00", "#e3c04f"),
    "calm": ("#1f5fa8", "#82b1ff"),
    "bad": ("#b3261e", "#f2867e"),
}
_SHAPES: Final = (
    "text{font-family:system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;font-size:13px}"
)


def _colours(which: int) -> str:
    return "".join(f"--{name}:{both[which]};" for name, both in COLOURS.items())


def _uses() -> str:
    """Classes `f-NAME` and `s-NAME`: filled, or drawn, in a colour."""
    fills = "".join(f".f-{name}{{fill:var(--{name})}}" for name in COLOURS)
    strokes = "".join(f".s-{name}{{stroke:var(--{name});fill:none}}" for name in COLOURS)
    return fills + strokes


def own_style() -> str:
    """What a picture carries in itself, for whoever looks at the file alone."""
    dark = f"@media (prefers-color-scheme:dark){{svg{{{_colours(1)}}}}}"
    return f"svg{{{_colours(0)}}}{dark}{_SHAPES}{_uses()}"


def stylesheet() -> str:
    """The same for all pictures of the site, by the palette the reader has chosen there."""
    inside = "".join(f".drawing {rule}}}" for rule in (_SHAPES + _uses()).split("}") if rule)
    return (
        "/* Written by `make docs` (scripts/pictures/svg.py). */\n"
        f".drawing{{{_colours(0)}}}\n"
        f'[data-md-color-scheme="slate"] .drawing{{{_colours(1)}}}\n'
        f"{inside}\n"
    )


def number(value: float) -> str:
    """A place on the sheet, to a tenth."""
    text = f"{value:.1f}"
    return text.removesuffix(".0").replace("-0", "0") if text in ("-0.0", "0.0") else text.removesuffix(".0")


@dataclass(slots=True)
class Sheet:
    """Shapes in the order in which they are drawn. Places in px from the upper left corner."""

    language: Language
    title: Words
    width: int = 760
    height: int = 320
    _parts: list[str] = field(default_factory=list)

    def say(self, words: Words | str) -> str:
        if isinstance(words, str):
            return words
        return words[self.language == "zh"]

    def text(
        self,
        x: float,
        y: float,
        words: Words | str,
        colour: str = "ink",
        anchor: str = "start",
        size: int = 13,
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text class="f-{colour}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" '
            f'style="font-size:{size}px"{weight}>{escape(self.say(words))}</text>'
        )

    def line(self, points: Sequence[Point], colour: str = "line", width: float = 1, dash: str = "") -> None:
        way = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline class="s-{colour}" points="{way}" stroke-width="{width}"{dashed} '
            'stroke-linejoin="round"/>'
        )

    def curve(self, path: str, colour: str = "dim", width: float = 1.5) -> None:
        self._parts.append(f'<path class="s-{colour}" d="{path}" stroke-width="{width}"/>')

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "soft",
        edge: str = "",
        round_: int = 6,
    ) -> None:
        drawn = f' style="stroke:var(--{edge});stroke-width:1.5"' if edge else ""
        self._parts.append(
            f'<rect class="f-{fill}" x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" '
            f'height="{number(max(height, 0))}" rx="{round_}"{drawn}/>'
        )

    def bar(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        self.box(x, y, width, height, fill, round_=0)

    def dot(self, x: float, y: float, colour: str, radius: float = 4) -> None:
        self._parts.append(f'<circle class="f-{colour}" cx="{number(x)}" cy="{number(y)}" r="{radius}"/>')

    def arrow(self, start: Point, end: Point, colour: str = "dim") -> None:
        """A straight arrow with its head at `end`."""
        self.line((start, end), colour, 1.5)
        self.head(start, end, colour)

    def head(self, start: Point, end: Point, colour: str = "dim") -> None:
        """Only the head of an arrow that comes from the direction of `start`."""
        (x0, y0), (x1, y1) = start, end
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        left, right = (
            (x1 - 8 * ux - 4 * uy, y1 - 8 * uy + 4 * ux),
            (x1 - 8 * ux + 4 * uy, y1 - 8 * uy - 4 * ux),
        )
        ends = " ".join(f"{number(x)},{number(y)}" for x, y in (end, left, right))
        self._parts.append(f'<polygon class="f-{colour}" points="{ends}"/>')

    def svg(self) -> str:
        """The file. Its title is what a screen reader says."""
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" '
            f'viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">\n'
            f"<title>{escape(self.say(self.title))}</title>\n<style>{own_style()}</style>\n"
            f'<rect class="f-paper" width="{self.width}" height="{self.height}" rx="8"/>\n{body}\n</svg>\n'
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places: `low` lies at `begin`, `high` at `end`."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)
