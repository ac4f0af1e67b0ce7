"""Equity and funding of a stretch of time as a picture for a phone: dark on light, no more than it needs.

Drawn with Pillow, in a process of its own (painter.py), so that a daemon carries neither library nor picture.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from core.types import DAY_MS
from monitor import formats
from monitor.chat.painter import ordered
from monitor.chat.passbook import HOUR_MS, Stretch
from monitor.pnl_tracker import Point
from monitor.words import Language, label

WIDTH, HEIGHT = 1080, 810
FINER: Final = 2  # drawn so many times larger and shrunk, which makes lines smooth
LEFT, RIGHT, TOP, BOTTOM = 150, 40, 90, 60  # margins
GAP: Final = 90  # between the two panels
SHARE: Final = 0.62  # of the height for equity
BARS: Final = 48  # at most

PAPER, INK, SOFT, GRID = "#ffffff", "#1f2937", "#6b7280", "#e5e7eb"
LINE, AREA, GAIN, LOSS = "#1d4ed8", "#dbeafe", "#15803d", "#b91c1c"

# Where systems keep a font with Chinese signs; the first that is there is taken.
CHINESE_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw(stretch: Stretch, language: Language, fonts: Sequence[str] = CHINESE_FONTS) -> bytes | None:
    """The picture as PNG; None while there are not two points to draw a line between.

    fonts  files that hold Chinese signs; where none of them is there the labels are English.
    """
    if len(stretch.equity) < 2:
        return None
    path = next((name for name in fonts if Path(name).exists()), None) if language == "zh" else None
    picture = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    _Chart(ImageDraw.Draw(picture), stretch, "en" if path is None else language, path).draw()
    shrunk = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(256)
    out = BytesIO()
    shrunk.save(out, "PNG", optimize=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Panel:
    """A rectangle of the picture and what its edges mean."""

    top: float
    bottom: float
    from_ms: int
    to_ms: int
    low: float
    high: float

    def x(self, at_ms: float) -> float:
        share = (at_ms - self.from_ms) / max(1, self.to_ms - self.from_ms)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


class _Chart:
    """One picture being drawn. Coordinates are those of the finished size."""

    def __init__(
        self, pen: ImageDraw.ImageDraw, stretch: Stretch, language: Language, path: str | None
    ) -> None:
        self._pen, self._stretch, self._language, self._path = pen, stretch, language, path
        self._from_ms = stretch.equity[0][0]
        self._to_ms = stretch.equity[-1][0]
        self._split = TOP + (HEIGHT - TOP - BOTTOM - GAP) * SHARE

    def draw(self) -> None:
        s = self._stretch
        head = f"{label('equity', self._language)}  {formats.usdt(s.equity[-1][1])} USDT"
        change = s.equity[-1][1] - s.equity[0][1]
        self._text(LEFT, 24, head, 36, INK)
        self._text(WIDTH - RIGHT, 30, formats.signed_usdt(change), 30, GAIN if change >= 0 else LOSS, "ra")
        self._equity([(at_ms, float(value)) for at_ms, value in s.equity])
        total = sum((amount for _, amount in s.payments), Decimal(0))
        below = f"{label('funding', self._language)}  {formats.signed_usdt(total)}"
        self._text(LEFT, self._split + 44, below, 28, INK)
        self._funding(buckets(s.payments, self._from_ms, self._to_ms))

    def _equity(self, points: list[tuple[int, float]]) -> None:
        values = [value for _, value in points]
        low, high = _roomy(min(values), max(values))
        panel = _Panel(TOP, self._split, self._from_ms, self._to_ms, low, high)
        self._scale(panel, 4)
        line = [(panel.x(at_ms), panel.y(value)) for at_ms, value in points]
        area = [(line[0][0], panel.bottom), *line, (line[-1][0], panel.bottom)]
        self._pen.polygon([(x * FINER, y * FINER) for x, y in area], fill=AREA)
        self._grid(panel, 4)
        self._pen.line([(x * FINER, y * FINER) for x, y in line], LINE, 3 * FINER, joint="curve")
        self._times(panel)

    def _funding(self, bars: Sequence[tuple[int, int, float]]) -> None:
        sums = [amount for _, _, amount in bars]
        low, high = _roomy(min(0.0, *sums), max(0.0, *sums)) if any(sums) else (0.0, 1.0)
        low, high = (low if min(sums) < 0 else 0.0), (high if max(sums) > 0 or not any(sums) else 0.0)
        panel = _Panel(self._split + GAP, HEIGHT - BOTTOM, self._from_ms, self._to_ms, low, high)
        self._scale(panel, 2)
        self._grid(panel, 2)
        zero = panel.y(0)
        for begin_ms, end_ms, amount in bars:
            if amount:
                x, x2 = panel.x(begin_ms) + 1, max(panel.x(end_ms) - 1, panel.x(begin_ms) + 2)
                y, y2 = sorted((zero, panel.y(amount)))
                box = (x * FINER, y * FINER, x2 * FINER, max(y2, y + 1) * FINER)
                self._pen.rectangle(box, fill=GAIN if amount > 0 else LOSS)
        self._pen.line([(LEFT * FINER, zero * FINER), ((WIDTH - RIGHT) * FINER, zero * FINER)], SOFT, FINER)
        self._times(panel)

    def _grid(self, panel: _Panel, steps: int) -> None:
        for n in range(steps + 1):
            y = panel.y(panel.low + (panel.high - panel.low) * n / steps) * FINER
            self._pen.line([(LEFT * FINER, y), ((WIDTH - RIGHT) * FINER, y)], GRID, FINER)

    def _scale(self, panel: _Panel, steps: int) -> None:
        decimals = 0 if panel.high - panel.low >= 20 else 2
        for n in range(steps + 1):
            value = panel.low + (panel.high - panel.low) * n / steps
            self._text(LEFT - 12, panel.y(value), f"{value:z,.{decimals}f}", 22, SOFT, "rm")

    def _times(self, panel: _Panel) -> None:
        hours_tell = self._to_ms - self._from_ms <= 2 * DAY_MS
        for n, anchor in ((0, "la"), (1, "ma"), (2, "ma"), (3, "ra")):
            at_ms = self._from_ms + (self._to_ms - self._from_ms) * n // 3
            told = formats.clock_time(at_ms)
            shown = told[:-3] if hours_tell else told[:5]
            self._text(panel.x(at_ms), panel.bottom + 10, shown, 22, SOFT, anchor)

    def _text(self, x: float, y: float, text: str, size: int, color: str, anchor: str = "la") -> None:
        self._pen.text((x * FINER, y * FINER), text, color, self._font(size * FINER), anchor)

    def _font(self, size: int) -> Font:
        return ImageFont.load_default(size) if self._path is None else ImageFont.truetype(self._path, size)


def buckets(payments: Sequence[Point], from_ms: int, to_ms: int) -> list[tuple[int, int, float]]:
    """(begin_ms, end_ms, sum) of payments, in equal parts of whole hours or days, none left out."""
    width_ms = HOUR_MS
    while (to_ms - from_ms) / width_ms > BARS:
        width_ms = width_ms * 2 if width_ms < DAY_MS // 2 else width_ms + DAY_MS - width_ms % DAY_MS
    count = max(1, -(-(to_ms - from_ms) // width_ms))
    sums = [Decimal(0)] * count
    for at_ms, amount in payments:
        sums[min(count - 1, max(0, (at_ms - from_ms) // width_ms))] += amount
    begins = [from_ms + n * width_ms for n in range(count)]
    return [(b, min(b + width_ms, to_ms), float(total)) for b, total in zip(begins, sums, strict=True)]


def _roomy(low: float, high: float) -> tuple[float, float]:
    """A little room around; a flat line lies in the middle."""
    room = (high - low) * 0.06 or max(1.0, abs(high) * 0.0005)
    return low - room, high + room


if __name__ == "__main__":
    os.nice(10)  # whoever trades goes first
    sys.stdout.buffer.write(draw(*ordered(sys.stdin.buffer.read())) or b"")
