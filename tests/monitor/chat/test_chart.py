"""The picture under /pnl: what is in it, and that it stays small and out of an idle engine."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal as D
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.tally import Terms
from core.types import DAY_MS
from monitor.chat.chart import AREA, BARS, GAIN, HEIGHT, LINE, LOSS, WIDTH, buckets, draw
from monitor.chat.painter import painted
from monitor.chat.passbook import HOUR_MS, Stretch
from monitor.pnl_tracker import Point
from tests.monitor.samples import NOW_MS


def stretch(equity: list[int], payments: dict[int, str] | None = None) -> Stretch:
    """An hour between two points; payments by hour."""
    points = tuple((NOW_MS + n * HOUR_MS, D(value)) for n, value in enumerate(equity))
    paid = tuple((NOW_MS + hour * HOUR_MS, D(amount)) for hour, amount in (payments or {}).items())
    return Stretch(NOW_MS, NOW_MS + len(equity) * HOUR_MS, Terms(), points, {}, paid, 0)


def picture(of: Stretch) -> Image.Image:
    png = draw(of, "en")
    assert png is not None and len(png) < 100_000
    image = Image.open(BytesIO(png)).convert("RGB")
    assert image.size == (WIDTH, HEIGHT)
    return image


def where(image: Image.Image, color: str) -> set[tuple[int, int]]:
    """The places that are (nearly) of this colour."""
    want = tuple(int(color[n : n + 2], 16) for n in (1, 3, 5))
    pixels = image.load()
    assert pixels is not None
    return {
        (x, y)
        for x in range(0, WIDTH, 2)
        for y in range(0, HEIGHT, 2)
        if sum(abs(a - b) for a, b in zip(pixels[x, y], want, strict=True)) < 40  # type: ignore[arg-type]
    }


def test_a_rising_equity_is_a_line_that_rises_over_its_area() -> None:
    image = picture(stretch([100_000 + 10 * n for n in range(24)]))
    line = sorted(where(image, LINE))
    assert line[0][1] > line[-1][1] + 100  # further down on the left
    assert where(image, AREA)


def test_what_was_paid_in_is_green_above_and_what_was_paid_out_red_below() -> None:
    image = picture(stretch([100_000] * 24, {2: "5", 10: "4", 18: "-3"}))
    head = 100  # the change of equity above it has a colour too
    gains = {spot for spot in where(image, GAIN) if spot[1] > head}
    losses = {spot for spot in where(image, LOSS) if spot[1] > head}
    assert gains and losses
    assert max(y for _, y in gains) <= min(y for _, y in losses)
    assert max(x for x, _ in gains) < min(x for x, _ in losses)


def test_one_point_is_no_picture() -> None:
    assert draw(stretch([100_000]), "en") is None
    assert draw(stretch([]), "zh") is None


@pytest.mark.parametrize("equity", [[0, 0], [-5, 5], [10**9, 10**9 + 1], [100_000] * 5_000])
def test_no_curve_is_too_odd_to_draw(equity: list[int]) -> None:
    assert draw(stretch(equity, {0: "0", 1: "-0.01"}), "en") is not None


def test_without_a_font_for_chinese_the_labels_are_english() -> None:
    of = stretch([100, 101, 102])
    assert draw(of, "zh", ("/nowhere/font.ttc",)) == draw(of, "en")


def test_with_a_font_for_it_the_labels_are_chinese(tmp_path: Path) -> None:
    # Any font file will do to see that it is taken; ours comes with the library.
    from PIL import ImageFont

    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    file = tmp_path / "font.ttf"
    file.write_bytes(font.font_bytes)
    of = stretch([100, 101, 102])
    assert draw(of, "zh", (str(file),)) != draw(of, "en")


amounts = st.tuples(st.integers(0, 400 * 24), st.integers(-5, 5))


@given(st.lists(amounts, max_size=50), st.integers(1, 400 * 24))
def test_no_payment_is_left_out_of_the_bars(paid: list[tuple[int, int]], hours: int) -> None:
    to_ms = NOW_MS + hours * HOUR_MS
    points: list[Point] = [(NOW_MS + hour * HOUR_MS, D(amount)) for hour, amount in paid if hour <= hours]
    bars = buckets(points, NOW_MS, to_ms)
    assert len(bars) <= BARS
    assert sum(amount for _, _, amount in bars) == sum(float(amount) for _, amount in points)
    assert (bars[0][0], bars[-1][1]) == (NOW_MS, to_ms)
    assert hours <= BARS or (bars[0][1] - bars[0][0]) % (2 * HOUR_MS) == 0 or len(bars) == 1
    assert hours <= BARS * 24 or (bars[0][1] - bars[0][0]) % DAY_MS == 0 or len(bars) == 1


def test_the_library_that_draws_is_not_loaded_by_an_engine() -> None:
    code = "import sys, monitor.chat.bot, scripts.daemon; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_picture_is_drawn_in_a_process_of_its_own_and_is_the_same() -> None:
    of = stretch([100_000, 100_010, 99_990], {1: "2.5", 2: "-1"})
    assert await painted(of, "en") == draw(of, "en")
    assert await painted(stretch([100_000]), "en") is None


async def test_a_painter_is_given_no_secret() -> None:
    code = "import os, sys; sys.stdout.write(','.join(sorted(os.environ)))"
    told = await painted(stretch([1, 2]), "en", ("-c", code))
    assert set((told or b"").decode().split(",")) <= {"", "LC_CTYPE"}


@pytest.mark.parametrize("command", [("-c", "raise SystemExit(1)"), ("-m", "monitor.chat.nothing")])
async def test_a_painter_that_fails_is_no_picture_and_no_error(
    command: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    assert await painted(stretch([1, 2]), "en", command) is None
    assert "picture_failed" in caplog.text
