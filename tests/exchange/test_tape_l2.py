from pathlib import Path

import pytest

from core.errors import UsageError
from exchange.tape import read_tape
from exchange.tape_l2 import DEPTH, SNAPSHOT, TRADE, UNIT, feed_paths, read_feed
from tests.exchange.tapes import CANDLES, FUNDING, START_MS, settlements, write

HEADER = "ts,ts_local_us,symbol,ev,side,px,qty,id_first,id_last,id_prev"
SNAP = ["5,1,X,snapshot,b,99.5,1,,10,", "5,1,X,snapshot,a,100.25,2,,10,"]


def feed(folder: Path, *rows: str, name: str = "v_spot_l2_BTCUSDT.csv.gz") -> Path:
    return write(folder, name, HEADER, [row.replace("X", "BTCUSDT") for row in rows])


def test_what_the_snapshot_holds_is_left_out_and_what_it_does_not_hold_follows_it(tmp_path: Path) -> None:
    path = feed(
        tmp_path,
        "3,1,X,depth,b,98,1,8,10,7",
        "4,1,X,depth,b,97,1,11,12,10",
        "4,1,X,trade,b,100.25,1,70,,",
        *SNAP,
        "7,1,X,depth,b,99.5,0,13,14,12",
        "7,1,X,depth,a,100.5,3,13,14,12",
        "6,1,X,trade,s,99.5,0.00000001,71,,",
    )
    found = read_feed(path)
    assert list(found.kinds) == [SNAPSHOT, DEPTH, DEPTH, TRADE]
    assert list(found.ids) == [10, 12, 14, 71] and list(found.rows) == [0, 2, 3, 5, 6]
    assert list(found.times) == [5, 5, 7, 7], "time never goes back"
    assert found.skipped == 2 and found.tick == UNIT // 4
    assert found.prices[-1] == 99.5 * UNIT and found.sizes[-1] == 1 and found.buys[-1] == 0


def test_a_chain_may_also_be_told_by_the_id_before(tmp_path: Path) -> None:
    path = feed(tmp_path, *SNAP, "6,1,X,depth,b,1,1,9,20,8", "7,1,X,depth,b,1,2,25,30,20")
    assert list(read_feed(path).ids) == [10, 20, 30]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([*SNAP, "6,1,X,depth,b,1,1,12,12,11"], "line 4: id_first is '12', allowed: 11"),
        ([*SNAP, "6,1,X,depth,b,1,1,11,11,10", "6,1,X,depth,b,1,1,13,13,12"], "line 5: id_first is '13'"),
        (["6,1,X,trade,b,1,1,7,,"], "no snapshot"),
        ([*SNAP, "6,1,X,funding,b,1,1,7,,"], "line 4: ev is 'funding', allowed: snapshot, depth, trade"),
        ([*SNAP, "6,1,X,depth,s,1,1,11,11,10"], "line 4: side is 's', allowed: b or a"),
        ([*SNAP, "6,1,X,depth,b,0,1,11,11,10"], "line 4: px is '0', allowed: a number above 0"),
        ([*SNAP, "6,1,X,depth,b,1,-1,11,11,10"], "line 4: qty is '-1', allowed: 0 or more"),
        ([*SNAP, "6,1,X,depth,b,1,x,11,11,10"], "line 4: qty is 'x'"),
        ([*SNAP, "6,1,X,depth,b,1,1,a,11,10"], "line 4: id_first is 'a', allowed: a whole number"),
        ([*SNAP, "6,1,X"], "line 4: row is '6,1,BTCUSDT', allowed: 10 cells"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_feed(feed(tmp_path, *rows))
    assert "v_spot_l2_BTCUSDT.csv.gz" in str(refused.value) and said in str(refused.value)


def test_only_feeds_of_the_period_are_read(tmp_path: Path) -> None:
    feed(tmp_path, *SNAP, name="v_spot_l2_BTCUSDT.csv.gz")
    (tmp_path / "v_perp_l2_BTCUSDT_20240808.csv.gz").write_bytes(b"not even gzip")  # and not opened
    assert feed_paths(tmp_path, "BTC", "v", 0, 6).keys() == {"spot"}
    assert not feed_paths(tmp_path, "BTC", "v", 6, 9) and not feed_paths(tmp_path, "ETH", "v", 0, 6)
    with pytest.raises(UsageError, match=r"perp_l2.*not readable"):
        feed_paths(tmp_path, "BTC", "v", 1_723_075_200_000, 1_723_161_600_000)


def five_minutes(folder: Path) -> Path:
    for kind in ("spot", "perp"):
        rows = [f"{START_MS + n * 300_000},BTCUSDT,100,100,100,100,1" for n in range(12)]
        write(folder, f"v_{kind}_5m_BTCUSDT.csv.gz", CANDLES, rows)
        write(folder, f"v_{kind}_1h_BTCUSDT.csv.gz", CANDLES, rows[:1])
    write(folder, "v_funding_BTCUSDT.csv.gz", FUNDING, settlements("BTCUSDT", 2))
    return folder


def test_a_tape_has_the_feeds_of_its_period_and_two_at_once_are_refused(tmp_path: Path) -> None:
    rows = [row.replace("5,1,", f"{START_MS + 5},1,", 1) for row in SNAP]
    feed(five_minutes(tmp_path), *rows)
    tape = read_tape(tmp_path, ["BTC"])
    assert tape.coins[0].feeds["spot"].ids[0] == 10
    assert "BTC: spot order book from v_spot_l2_BTCUSDT.csv.gz" in tape.notes
    feed(tmp_path, *rows, name="v_spot_l2_BTCUSDT_b.csv.gz")
    with pytest.raises(UsageError, match="allowed: one in a period"):
        read_tape(tmp_path, ["BTC"])


def test_a_short_period_takes_the_fine_bars_it_is_covered_by(tmp_path: Path) -> None:
    tape = read_tape(five_minutes(tmp_path), ["BTC"], START_MS, START_MS + 900_000)
    assert tape.coins[0].spot.bar_ms == 300_000 and tape.end_ms == START_MS + 900_000
