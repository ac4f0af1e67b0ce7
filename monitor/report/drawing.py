"""The parts of a chart: a drawing that is stretched to its place, and the words and numbers around it.

Positions run from 0 to SIZE both ways, from the left and from the top.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from monitor.report.scales import time_ticks

SIZE: Final = 1000  # of the drawing, both ways, before it is stretched
EDGE: Final = 30  # of it, where a centred word would stand out over the end
WIDE, NARROW = 90.0, 130.0  # of it, that a word under the axis needs in a wide card and in a half one
Say = Callable[[float, int], str]  # a value with so many decimals


@dataclass(frozen=True, slots=True)
class Shape:
    """The frame of a chart: its name on the page, what it shows, and the classes it wears."""

    id: str
    title: str
    note: str
    more: str = ""  # ready HTML under the chart
    wide: bool = False


def figure(shape: Shape, body: str, legend: Sequence[tuple[str, str]] = ()) -> str:
    """A titled frame around a chart. `legend`: (name, color) of each series."""
    keys = "".join(f'<li class="{color}"><i></i>{escape(name)}</li>' for name, color in legend)
    return (
        f'<figure id="{shape.id}" class="card{" wide" if shape.wide else ""}"><figcaption>'
        f"<h3>{escape(shape.title)}</h3><p>{escape(shape.note)}</p></figcaption>"
        + (f'<ul class="legend">{keys}</ul>' if keys else "")
        + body
        + shape.more
        + "</figure>"
    )


def scale_of(low: float, high: float) -> Callable[[float], float]:
    """Where a value stands, from the top; values beyond the ends stand at them."""
    return lambda value: SIZE * (1 - (min(max(value, low), high) - low) / (high - low))


def time_scale(period: tuple[int, int]) -> Callable[[int], float]:
    begin, lasting = period[0], max(1, period[1] - period[0])
    return lambda at_ms: SIZE * min(1.0, max(0.0, (at_ms - begin) / lasting))


def time_words(period: tuple[int, int], least: float) -> list[tuple[float, str]]:
    """Where the times of an axis stand, those left out that would run into the one before."""
    along = time_scale(period)
    kept: list[tuple[float, str]] = []
    for at_ms, text in time_ticks(*period, most=int(SIZE / least)):
        x = along(at_ms)
        if not kept or x - kept[-1][0] >= least * (1.5 if x > SIZE - EDGE else 1.0):
            kept.append((x, text))
    return kept


def runs_of(spots: Sequence[tuple[int, float | None]], longest_ms: float) -> list[list[tuple[int, float]]]:
    """The stretches of a line without a gap."""
    runs: list[list[tuple[int, float]]] = [[]]
    for ms, value in spots:
        if runs[-1] and (value is None or ms - runs[-1][-1][0] > longest_ms):
            runs.append([])
        if value is not None:
            runs[-1].append((ms, value))
    return [run for run in runs if run]


def path_of(points: Sequence[tuple[float, float]], color: str) -> str:
    said = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    if len(points) == 1:  # a line of no length is drawn with its round ends
        said += f"L{points[0][0]:.1f} {points[0][1]:.1f}"
    return f'<path class="line {color}" d="M{said}"/>'


def area_of(points: Sequence[tuple[float, float]], base: float, color: str) -> str:
    said = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="area {color}" d="M{points[0][0]:.1f} {base:.1f}L{said}V{base:.1f}Z"/>'


def ring_of(points: Sequence[tuple[float, float]], color: str) -> str:
    said = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="area {color}" d="M{said}Z"/>'


def bar_of(x: float, width: float, begin: float, end: float, color: str) -> str:
    top, height = min(begin, end), abs(end - begin)
    return f'<rect class="{color}" x="{x:.1f}" width="{width:.1f}" y="{top:.1f}" height="{height:.1f}"/>'


def grid_of(marks: Sequence[float], place: Callable[[float], float]) -> list[str]:
    return [rule_at(place(mark), "grid") for mark in marks]


def rule_at(y: float, color: str) -> str:
    return f'<path class="line {color}" d="M0 {y:.1f}H{SIZE}"/>'


def note_at(y: float, name: str, color: str) -> str:
    return f'<span class="mark {color}-text" style="top:{y / SIZE:.2%}">{escape(name)}</span>'


def label_at(x: float, text: str) -> str:
    """Words under the axis, kept inside of it at both ends."""
    at_end = ' class="first"' if x < EDGE else ' class="last"' if x > SIZE - EDGE else ""
    return f'<span{at_end} style="left:{x / SIZE:.2%}">{escape(text)}</span>'


def svg(inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{inside}</svg>"
    )


def in_words(value: float | None, say: Say, digits: int) -> str:
    return "–" if value is None else say(value, digits)


def data_of(
    xs: Sequence[float], labels: Sequence[str], shown: Sequence[tuple[str, str, Sequence[str]]]
) -> str:
    """What page.js reads: positions along the chart, their labels, and each series' values in words."""
    series = [{"name": name, "color": color, "values": list(values)} for name, color, values in shown]
    said = {"x": [round(x / SIZE, 4) for x in xs], "labels": list(labels), "series": series}
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def framed(
    shape: Shape,
    inside: str,
    ys: Sequence[tuple[float, str]],
    xs: Sequence[tuple[float, str]],
    data: str,
    height: str,
    notes: str = "",
) -> str:
    left = "".join(f'<span style="top:{y / SIZE:.2%}">{escape(text)}</span>' for y, text in ys)
    below = "".join(label_at(x, text) for x, text in xs)
    widest = max((len(text) for _, text in ys), default=1)
    name = escape(f"{shape.title}. {shape.note}")
    return (
        f'<div class="frame {height}" style="--gutter:{widest + 1}ch">'
        f'<div class="ys" aria-hidden="true">{left}</div>'
        f'<div class="plot readable" tabindex="0" role="group" aria-label="{name}">'
        f"{svg(inside)}{notes}{data}</div>"
        f'<div class="xs" aria-hidden="true">{below}</div></div>'
    )
