"""Naked time is told by the venue's instants, for every cause and after every restart."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.facts import Kind, Row
from core.ledger import Ledger
from core.naked import NAKED, NakedTimes
from core.types import Base
from tests.safety.stage import Stage, play

D = Decimal
BTC = "BTC-USDT"


class Told:
    """Rows as the journal would hold them, one fill after the other."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.naked = NakedTimes(self.ledger.tallies, lambda _: Base(D("0.0001")))
        self.seq = 0

    def row(self, kind: Kind, at_ms: int, body: dict[str, object]) -> None:
        self.seq += 1
        row = Row(self.seq, kind, at_ms, body, "")
        self.ledger.apply(row)
        self.naked.apply(row)

    def fill(self, leg: str, side: str, size: str, ts_ms: int, at_ms: int | None = None) -> None:
        fill = {
            "inst_id": BTC if leg == "spot" else f"{BTC}-SWAP", "trade_id": str(self.seq), "ord_id": "1",
            "cl_id": "", "side": side, "px": "60000", "size": size, "fee": "0", "fee_ccy": "USDT",
            "ts_ms": ts_ms, "maker": False, "bill_id": "",
        }  # fmt: skip
        body = {"hedge_id": "h1", "instrument": BTC, "leg": leg, "ref_mid": "60000"}
        ct_val = "1" if leg == "spot" else "0.01"
        self.row(Kind.FILL, at_ms or ts_ms, body | {"ct_val": ct_val, "fill": fill})


def test_a_spell_lasts_from_the_fill_that_parts_the_legs_to_the_one_that_joins_them() -> None:
    told = Told()
    told.fill("spot", "buy", "0.5", 1_000)
    told.fill("swap", "sell", "20", 1_100)
    assert told.naked.longest_ms(0, 1_200) == 200, "one that lasts counts until now"
    told.fill("swap", "sell", "30", 1_400)
    [spell] = told.naked.spells
    assert (spell.lasted_ms, spell.coins) == (400, D("0.5"))


def test_who_watches_sees_which_legs_stand_apart_and_how_long_it_took_each_time() -> None:
    told = Told()
    told.fill("spot", "buy", "0.5", 1_000)
    assert told.naked.standing() == {BTC: 1_000}
    told.fill("swap", "sell", "50", 3_500)
    assert told.naked.standing() == {}
    lasted, repairs = told.naked.lasted_s.read(), told.naked.repairs_s.read()
    assert (lasted.count, lasted.total) == (repairs.count, repairs.total) == (1, 2.5)


def test_a_forced_reduction_counts_from_when_it_happened_not_from_when_it_was_noticed() -> None:
    told = Told()
    told.fill("spot", "buy", "0.5", 1_000)
    told.fill("swap", "sell", "50", 1_000)
    told.fill("swap", "buy", "25", 60_000, at_ms=3_600_000)  # while nobody was there
    told.fill("spot", "sell", "0.25", 3_600_400)
    spell = told.naked.spells[-1]
    assert (spell.began_ms, spell.noticed_ms, spell.lasted_ms) == (60_000, 3_600_000, 3_540_400)


def test_fills_told_in_the_wrong_order_leave_the_same_spell() -> None:
    told = Told()
    told.fill("swap", "sell", "50", 1_140)
    told.fill("spot", "buy", "0.5", 1_100)
    assert [s.lasted_ms for s in told.naked.spells] == [40]


def test_what_the_account_lacks_without_a_fill_counts_once_it_has_outlived_a_second() -> None:
    told = Told()
    assert told.naked.suspect(BTC, D("0.2"), 1_000) is None
    assert told.naked.suspect(BTC, D(0), 1_500) is None, "two streams were out of step"
    told.naked.suspect(BTC, D("0.2"), 2_000)
    assert told.naked.longest_ms(0, 7_000) == 5_000
    note = told.naked.suspect(BTC, D(0), 8_000)
    assert note == {"what": NAKED, "instrument": BTC, "began_ms": 2_000, "coins": D("0.2")}
    told.row(Kind.NOTE, 8_000, dict(note))
    assert [s.lasted_ms for s in told.naked.spells] == [6_000]


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_the_least_spell_that_so_many_do_not_exceed(lasted: list[int], share: int) -> None:
    told = Told()
    now_ms = 0
    for ms in lasted:
        told.fill("spot", "buy", "1", now_ms)
        told.fill("swap", "sell", "100", now_ms + ms)
        now_ms += 200_000
    found = told.naked.percentile_ms(D(share) / 100, 0, now_ms)
    assert found in lasted
    assert sum(ms <= found for ms in lasted) * 100 >= share * len(lasted)
    assert sum(ms < found for ms in lasted) * 100 < share * len(lasted)


def test_the_engines_figure_is_the_venues_own(tmp_path: Path) -> None:
    """Opening, ADL, restart and a sale by hand: what the engine tells is what the venue saw."""

    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        stage.edit(adl={"BTC-USDT-SWAP": "0.5"})
        await stage.wait(10)
        told = sorted(s.lasted_ms for s in stage.app.naked.spells)
        seen = sorted(end - begin for _, begin, end, _ in stage.truth.spells)
        assert len(told) == len(seen) == 2
        assert all(abs(a - b) <= 5 for a, b in zip(told, seen, strict=True)), (told, seen)
        await stage.stop()
        await stage.start()
        assert sorted(s.lasted_ms for s in stage.app.naked.spells) == told, "a restart knows them"

    play(tmp_path, story)
