"""What the command line says is read once, and a mistake is one sentence with what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UsageError
from scripts.options import Mode, RunOptions, duration_ms, instant_ms, names_of, speed_of


@pytest.mark.parametrize(
    ("text", "ms"),
    [("45s", 45_000), ("90m", 5_400_000), ("12h", 43_200_000), ("30d", 2_592_000_000), ("1.5h", 5_400_000)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "0d", "3 d", "1y", "1e3d", "３d x"])
def test_a_wrong_duration_names_the_option_the_value_and_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        duration_ms(text)
    assert "--for" in str(refused.value)
    assert repr(text) in str(refused.value)
    assert "like 30d" in str(refused.value)


def test_max_speed_is_no_pace_and_a_number_is_one() -> None:
    assert speed_of("max") is None
    assert speed_of("3600") == 3600.0


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf", ""])
def test_a_wrong_speed_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--speed"):
        speed_of(text)


def test_a_date_without_zone_is_utc() -> None:
    assert instant_ms("2024-01-01", "--from") == 1_704_067_200_000
    assert instant_ms("2024-01-01T08:00+08:00", "--from") == 1_704_067_200_000
    assert instant_ms("1704067200000", "--from") == 1_704_067_200_000


def test_a_wrong_date_names_its_option() -> None:
    with pytest.raises(UsageError, match=r"--to '2024-13-01'"):
        instant_ms("2024-13-01", "--to")


def test_instruments_are_separated_by_commas_and_unique() -> None:
    assert names_of("btc-usdt, ETH-USDT") == ("BTC-USDT", "ETH-USDT")
    with pytest.raises(UsageError, match="twice"):
        names_of("BTC-USDT,BTC-USDT")
    with pytest.raises(UsageError, match="'BTC-USDT-SWAP'"):
        names_of("BTC-USDT-SWAP")


@pytest.mark.parametrize(
    "wrong",
    [
        {"tape": Path("no/such/folder")},
        {"venue": "127.0.0.1:8080"},
        {"venue": "http://127.0.0.1:8080", "tape": Path(".")},
        {"mode": Mode.LIVE, "venue": "http://127.0.0.1:8080"},
        {"mode": Mode.DRY_RUN, "tape": Path(".")},
        {"from_ms": 1},
        {"tape": Path("."), "from_ms": 2, "to_ms": 1},
    ],
)
def test_options_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        RunOptions(**wrong)  # type: ignore[arg-type]


def test_a_regime_is_for_the_generated_market_of_a_demo(tmp_path: Path) -> None:
    RunOptions(regime="crash", hold_regime=False)
    for wrong in (
        {"mode": Mode.DRY_RUN, "regime": "crash"},
        {"tape": tmp_path, "regime": "crash"},
        {"venue": "http://127.0.0.1:8080", "regime": "crash"},
    ):
        with pytest.raises(UsageError, match="--regime: allowed in --mode demo only"):
            RunOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--regime is storm, allowed: calm"):
        RunOptions(regime="storm")
    with pytest.raises(UsageError, match="--from-regime: allowed with --regime only"):
        RunOptions(hold_regime=False)
