"""Charts as HTML: shapes in a stretched SVG, words and numbers beside it as text, so that both stay readable
at any width. What a pointer shows lies beside each chart as data, already in the reader's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import median
from typing import Final

from monitor.formats import moment
from monitor.report import drawing
from monitor.report.drawing import Say, Shape
from monitor.report.scales import Values, decimals, thinned, ticks

MOST_POINTS: Final = 900
DENSE: Final = 300  # points from which a line is drawn finer
BROKEN: Final = 6  # usual steps without a point, from which a line is interrupted


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `color` is a class of page.css: s0 to s7, or a name; None values interrupt it.

    low, high  a shade around it, as long as `values`; empty: none.
    """

    name: str
    color: str
    values: Values
    filled: bool = False
    low: Values = ()
    high: Values = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    level: float
    name: str
    color: str


def line_chart(
    shape: Shape,
    times_ms: Sequence[int],
    lines: Sequence[Line],
    period: tuple[int, int],
    say: Say,
    thresholds: Sequence[Threshold] = (),
    bounds: tuple[float | None, float | None] = (None, None),
    height: str = "tall",
) -> str:
    """Lines over time, with a pointer that reads them. `bounds`: of the scale, where it shall not follow
    the data; values beyond are drawn at its edge."""
    known = [v for one in lines for vs in (one.values, one.low, one.high) for v in vs if v is not None]
    if not known:
        return ""
    low, high = bounds
    levels = [one.level for one in thresholds]
    low = min([*known, *levels]) if low is None else low
    high = max([*known, *levels]) if high is None else high
    marks = ticks(low, high)
    place = drawing.scale_of(marks[0], marks[-1])
    along = drawing.time_scale(period)
    kept = thinned([line.values for line in lines], MOST_POINTS)
    drawn_ms = [times_ms[n] for n in kept]
    longest_ms = BROKEN * median(b - a for a, b in pairwise(times_ms)) if len(times_ms) > 1 else 0
    inside = []
    for line in lines:
        gap_ms = max(longest_ms, (period[1] - period[0]) / 150)
        if line.low:
            edges = [
                drawing.runs_of([(ms, side[n]) for ms, n in zip(drawn_ms, kept, strict=True)], gap_ms)
                for side in (line.low, line.high)
            ]
            for lows, highs in zip(*edges, strict=True):
                ring = [(along(ms), place(value)) for ms, value in (*lows, *reversed(highs))]
                inside.append(drawing.ring_of(ring, line.color))
        spots = [(ms, line.values[n]) for ms, n in zip(drawn_ms, kept, strict=True)]
        for run in drawing.runs_of(spots, gap_ms):
            points = [(along(ms), place(value)) for ms, value in run]
            if line.filled:
                inside.append(drawing.area_of(points, place(max(marks[0], min(0.0, marks[-1]))), line.color))
            inside.append(drawing.path_of(points, f"{line.color} fine" if len(kept) > DENSE else line.color))
    digits = decimals(marks)
    shown = [
        (line.name, line.color, [drawing.in_words(line.values[n], say, digits + 1) for n in kept])
        for line in lines
    ]
    data = drawing.data_of(
        [along(ms) for ms in drawn_ms], [f"{moment(ms):%Y-%m-%d %H:%M}" for ms in drawn_ms], shown
    )
    body = drawing.framed(
        shape,
        "".join(
            [
                *drawing.grid_of(marks, place),
                *inside,
                *(drawing.rule_at(place(t.level), t.color) for t in thresholds),
            ]
        ),
        [(place(mark), say(mark, digits)) for mark in marks],
        drawing.time_words(period, drawing.WIDE if shape.wide else drawing.NARROW),
        data,
        height,
        "".join(drawing.note_at(place(t.level), t.name, t.color) for t in thresholds),
    )
    legend = [(line.name, line.color) for line in lines] if len(lines) > 1 else []
    return drawing.figure(shape, body, legend)


def stacked_bars(
    shape: Shape,
    labels: Sequence[str],
    lines: Sequence[Line],
    say: Say,
    height: str = "tall",
) -> str:
    """One bar a label, its parts on top of each other: gains upwards from zero, losses downwards."""
    if not labels:
        return ""
    columns = [[float(line.values[n] or 0) for line in lines] for n in range(len(labels))]
    highest = max(sum(v for v in column if v > 0) for column in columns)
    lowest = min(sum(v for v in column if v < 0) for column in columns)
    marks = ticks(min(lowest, 0.0), max(highest, 0.0))
    place = drawing.scale_of(marks[0], marks[-1])
    slot = drawing.SIZE / len(labels)
    width = min(slot * 0.7, 90.0)
    inside = []
    for n, column in enumerate(columns):
        up = down = 0.0
        for line, value in zip(lines, column, strict=True):
            base = up if value >= 0 else down
            inside.append(
                drawing.bar_of(
                    n * slot + (slot - width) / 2, width, place(base), place(base + value), line.color
                )
            )
            up, down = (up + value, down) if value >= 0 else (up, down + value)
    digits = decimals(marks)
    shown = [(line.name, line.color, [drawing.in_words(v, say, 2) for v in line.values]) for line in lines]
    centres = [(n + 0.5) * slot for n in range(len(labels))]
    every = -(-len(labels) // 12)
    body = drawing.framed(
        shape,
        "".join([*drawing.grid_of(marks, place), *inside, drawing.rule_at(place(0.0), "axis")]),
        [(place(mark), say(mark, digits)) for mark in marks],
        [(x, label) for n, (x, label) in enumerate(zip(centres, labels, strict=True)) if n % every == 0],
        drawing.data_of(centres, labels, shown),
        height,
    )
    return drawing.figure(shape, body, [(line.name, line.color) for line in lines])


def spikes(
    shape: Shape,
    events: Sequence[tuple[int, float, str]],
    period: tuple[int, int],
    threshold: Threshold,
    say: Say,
    empty: str,
) -> str:
    """A needle for each (time, height, what it was), under a threshold; `empty` is said without any."""
    marks = ticks(0.0, max([threshold.level * 1.2, *(height for _, height, _ in events)]))
    place, along = drawing.scale_of(marks[0], marks[-1]), drawing.time_scale(period)
    needles = [
        f'<path class="line {f"{threshold.color} solid" if value > threshold.level else "s0"}" '
        f'd="M{along(ms):.1f} {place(0.0):.1f}V{place(value):.1f}"/>'
        for ms, value, _ in events
    ]
    digits = decimals(marks)
    said = [say(value, 1) for _, value, _ in events]
    times = [f"{moment(ms):%Y-%m-%d %H:%M} {what}" for ms, _, what in events]
    notes = drawing.note_at(place(threshold.level), threshold.name, threshold.color)
    if not events:
        notes += f'<p class="empty">{escape(empty)}</p>'
    body = drawing.framed(
        shape,
        "".join(
            [
                *drawing.grid_of(marks, place),
                *needles,
                drawing.rule_at(place(threshold.level), threshold.color),
            ]
        ),
        [(place(mark), say(mark, digits)) for mark in marks],
        drawing.time_words(period, drawing.NARROW),
        drawing.data_of([along(ms) for ms, _, _ in events], times, [(shape.title, "s0", said)]),
        "tall",
        notes,
    )
    return drawing.figure(shape, body)


def strip(parts: Sequence[tuple[int, int, str]], period: tuple[int, int]) -> str:
    """Coloured stretches (begin, end, color) of one period, and its times below. None thinner than a hair."""
    along = drawing.time_scale(period)
    shapes = "".join(
        f'<rect class="{color}" x="{along(begin):.2f}" width="{max(1.2, along(end) - along(begin)):.2f}" '
        f'y="0" height="{drawing.SIZE}"/>'
        for begin, end, color in parts
    )
    xs = "".join(drawing.label_at(x, text) for x, text in drawing.time_words(period, drawing.NARROW))
    return f'<div class="strip"><div class="plot">{drawing.svg(shapes)}</div><div class="xs">{xs}</div></div>'


def waterfall(rows: Sequence[tuple[str, float, str, bool]]) -> str:
    """Rows of (name, value, value as text, is a total): each bar begins where the one before ended."""
    ends, at = [], 0.0
    for _, value, _, total in rows:
        begin, at = (0.0, value) if total else (at, at + value)
        ends.append((begin, at))
    low = min(0.0, *(min(pair) for pair in ends))
    span = max(0.0, *(max(pair) for pair in ends)) - low or 1.0
    said = []
    for (name, value, text, total), (begin, end) in zip(rows, ends, strict=True):
        left, right = (
            (min(begin, end) - low) / span * drawing.SIZE,
            (max(begin, end) - low) / span * drawing.SIZE,
        )
        color = "gain" if value > 0 else "loss" if value < 0 else "calm"
        zero, width = -low / span * drawing.SIZE, max(2.0, right - left) if value else 0.0
        bar = (
            f'<path class="line axis" d="M{zero:.1f} 0V{drawing.SIZE}"/>'
            f'<rect class="{color}" x="{left:.1f}" width="{width:.1f}" y="150" height="700"/>'
        )
        said.append(
            f'<tr class="{"total" if total else ""}"><th scope="row">{escape(name)}</th>'
            f'<td class="track">{drawing.svg(bar)}</td><td class="num {color}-text">{escape(text)}</td></tr>'
        )
    return f'<table class="waterfall"><tbody>{"".join(said)}</tbody></table>'
