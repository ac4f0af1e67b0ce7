"""The venue's public objects: instruments, quotes, trades, candles, funding."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from exchange.sim.markets.dollar import DOLLAR
from exchange.sim.model import Bar, BookLevel, FundingState, Instrument, Interest, PublicTrade, Settled
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface.rendering.text import DAY_MS, HOUR_MS, UNDOCUMENTED, UTC8_MS, Row, ms, num

_BIG = "9999999999.0000000000000000"  # algo size limits nobody reaches


def instrument(i: Instrument) -> Row:
    """One row of public/instruments. Spot rows leave the contract fields "", swap rows the coins."""
    swap = i.is_swap
    family = f"{i.base}-{i.quote}" if swap else ""
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "" if swap else i.base,
        "category": "1",
        "contTdSwTime": "",
        "ctMult": "1" if swap else "",
        "ctType": "linear" if swap else "",
        "ctVal": num(i.ct_val) if swap else "",
        "ctValCcy": i.base if swap else "",
        "expTime": ms(i.expires_ms),
        "floatPxLmtPct": "0.02",
        "futureSettlement": False,
        "groupId": i.group_id,
        "initPxLmtPct": "0.02",
        "instCategory": "1",
        "instFamily": family,
        "instId": i.inst_id,
        "instIdCode": i.code,
        "instType": i.inst_type,
        "lever": num(i.max_leverage),
        "listTime": ms(i.list_ms),
        "lotSz": num(i.lot),
        "maxIcebergSz": _BIG,
        "maxLmtAmt": num(i.max_limit_usd),
        "maxLmtSz": num(i.max_limit_size),
        "maxMktAmt": num(i.max_market_usd),
        "maxMktSz": num(i.max_market_size),
        "maxPlatOILmt": "",
        "maxPxLmtPct": "0.05",
        "maxStopSz": num(i.max_market_size),
        "maxTriggerSz": _BIG,
        "maxTwapSz": _BIG,
        "minSz": num(i.min_size),
        "openType": "",
        "optType": "",
        "posLmtAmt": "",
        "posLmtPct": "",
        "preMktSwTime": "",
        "quoteCcy": "" if swap else i.quote,
        "ruleType": "normal",
        "settleCcy": i.quote if swap else "",
        "state": i.state,
        "stk": "",
        "tickSz": num(i.tick),
        "tradeQuoteCcyList": [] if swap else [i.quote],
        "uly": family,
        "upcChg": list(i.upcoming),
        **UNDOCUMENTED,
    }


class DayOpens:
    """Opening prices of the running day, UTC and UTC+8, asked of a market once per day."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[int, str]] = {}

    def _open(self, side: MarketSide, now_ms: int, offset_ms: int) -> str:
        key, day = (side.instrument.inst_id, offset_ms), (now_ms + offset_ms) // DAY_MS
        known = self._known.get(key)
        if known is None or known[0] != day:
            bars = side.bars(DAY_MS, None, 1, offset_ms)
            known = self._known[key] = (day, num(bars[0].open if bars else side.last))
        return known[1]

    def of(self, side: MarketSide, now_ms: int) -> tuple[str, str]:
        """(sodUtc0, sodUtc8)."""
        return self._open(side, now_ms, 0), self._open(side, now_ms, UTC8_MS)


Top = tuple[str, str]  # price and size of a best level, "" and "" for an empty side


def top(levels: list[BookLevel]) -> Top:
    return (num(levels[0].price), num(levels[0].size)) if levels else ("", "")


def ticker(side: MarketSide, bid: Top, ask: Top, opens: DayOpens, now_ms: int) -> Row:
    """vol24h is contracts for a swap and coins for spot; volCcy24h coins for a swap, USDT for spot."""
    i = side.instrument
    utc0, utc8 = opens.of(side, now_ms)
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "last": num(side.last),
        "lastSz": num(side.last_size),
        "askPx": ask[0],
        "askSz": ask[1],
        "bidPx": bid[0],
        "bidSz": bid[1],
        "open24h": num(side.open_24h),
        "high24h": num(side.high_24h),
        "low24h": num(side.low_24h),
        "vol24h": num(side.volume_24h / i.ct_val),
        "volCcy24h": num(side.volume_24h if i.is_swap else side.quote_volume_24h),
        "sodUtc0": utc0,
        "sodUtc8": utc8,
        "ts": ms(side.ts_ms),
        **UNDOCUMENTED,
    }


def index_ticker(name: str, spot: MarketSide, opens: DayOpens, now_ms: int) -> Row:
    """The index has no day statistics of its own here: the spot market's stand for them."""
    utc0, utc8 = opens.of(spot, now_ms)
    return {
        "instId": name,
        "idxPx": num(spot.index_px),
        "high24h": num(spot.high_24h),
        "low24h": num(spot.low_24h),
        "open24h": num(spot.open_24h),
        "sodUtc0": utc0,
        "sodUtc8": utc8,
        "ts": ms(spot.ts_ms),
    }


def dollar_ticker(venue: Venue) -> Row:
    """The index of USDT-USD, with its day from its candles."""
    day = venue.usdt_bars(HOUR_MS, None, 24)
    utc0, utc8 = (venue.usdt_bars(DAY_MS, None, 1, offset_ms) for offset_ms in (0, UTC8_MS))
    return {
        "instId": DOLLAR,
        "idxPx": num(venue.usdt_usd),
        "high24h": num(max(bar.high for bar in day)),
        "low24h": num(min(bar.low for bar in day)),
        "open24h": num(day[-1].open),
        "sodUtc0": num(utc0[0].open),
        "sodUtc8": num(utc8[0].open),
        "ts": ms(venue.now_ms),
    }


def level(one: BookLevel) -> list[str]:
    return [num(one.price), num(one.size), "0", str(one.orders)]


def book(side: MarketSide, depth: int) -> Row:
    return {
        "asks": [level(one) for one in side.asks(depth)],
        "bids": [level(one) for one in side.bids(depth)],
        "ts": ms(side.ts_ms),
        "seqId": side.seq_id,
    }


def full_book(side: MarketSide, depth: int) -> Row:
    """Levels of three columns; no sequence number."""
    return {
        "asks": [[num(one.price), num(one.size), str(one.orders)] for one in side.asks(depth)],
        "bids": [[num(one.price), num(one.size), str(one.orders)] for one in side.bids(depth)],
        "ts": ms(side.ts_ms),
    }


def trade(one: PublicTrade) -> Row:
    return {
        "instId": one.inst_id,
        "side": one.side,
        "sz": num(one.size),
        "px": num(one.price),
        "tradeId": str(one.trade_id),
        "source": "0",
        "ts": ms(one.ts_ms),
    }


def candle(bar: Bar, i: Instrument) -> list[str]:
    """[ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]; the quote volume is taken at the close."""
    quote = num(bar.volume * bar.close)
    return [
        ms(bar.ts_ms),
        num(bar.open),
        num(bar.high),
        num(bar.low),
        num(bar.close),
        num(bar.volume / i.ct_val),
        num(bar.volume) if i.is_swap else quote,
        quote,
        "1" if bar.closed else "0",
    ]


def price_candle(bar: Bar) -> list[str]:
    """A candle of a mark price or an index: nothing is traded at them."""
    prices = [num(bar.open), num(bar.high), num(bar.low), num(bar.close)]
    return [ms(bar.ts_ms), *prices, "1" if bar.closed else "0"]


def funding(i: Instrument, state: FundingState) -> Row:
    """`fundingRate` is the forecast of the settlement at `fundingTime`; nextFundingRate is always ""."""
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "method": "current_period",
        "formulaType": "withRate",
        "fundingRate": num(state.rate),
        "nextFundingRate": "",
        "fundingTime": ms(state.funding_ms),
        "nextFundingTime": ms(state.next_funding_ms),
        "minFundingRate": num(state.min_rate),
        "maxFundingRate": num(state.max_rate),
        "interestRate": num(state.interest),
        "impactValue": num(state.impact_value),
        "premium": num(state.premium),
        "settState": "processing" if state.processing else "settled",
        "settFundingRate": num(state.settled_rate),
        "ts": ms(state.ts_ms),
    }


def settled(i: Instrument, one: Settled) -> Row:
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "formulaType": "withRate",
        "method": "current_period",
        "fundingTime": ms(one.ts_ms),
        "fundingRate": num(one.forecast),
        "realizedRate": num(one.rate),
    }


def mark_price(side: MarketSide) -> Row:
    i = side.instrument
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "markPx": num(side.mark_px),
        "ts": ms(side.ts_ms),
    }


def price_limit(side: MarketSide) -> Row:
    i = side.instrument
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "buyLmt": num(side.buy_limit),
        "sellLmt": num(side.sell_limit),
        "ts": ms(side.ts_ms),
        "enabled": True,
    }


def open_interest(side: MarketSide) -> Row:
    i = side.instrument
    coins = side.open_interest * i.ct_val
    return {
        "instType": i.inst_type,
        "instId": i.inst_id,
        "oi": num(side.open_interest),
        "oiCcy": num(coins),
        "oiUsd": num(coins * side.mark_px),
        "ts": ms(side.ts_ms),
    }


def past_interest(one: Interest, i: Instrument) -> list[str]:
    """[ts, oi, oiCcy, oiUsd]: contracts, coins, dollars."""
    coins = one.contracts * i.ct_val
    return [ms(one.ts_ms), num(one.contracts), num(coins), num(coins * one.mark_px)]


_STATUS = {
    "title": "",
    "state": "scheduled",
    "begin": "",
    "end": "",
    "preOpenBegin": "",
    "href": "",
    "serviceType": "5",
    "system": "unified",
    "scheDesc": "",
    "maintType": "1",
    "env": "1",
}


def maintenance(window: dict[str, str]) -> Row:
    return {**_STATUS, **window}


def position_tiers(i: Instrument, tiers: Iterable[tuple[Decimal, ...]]) -> list[Row]:
    family = f"{i.base}-{i.quote}"
    return [
        {
            "uly": family,
            "instFamily": family,
            "instId": i.inst_id,
            "tier": str(n),
            "minSz": num(low),
            "maxSz": num(high),
            "mmr": num(mmr),
            "imr": num(imr),
            "maxLever": num(lever),
            "optMgnFactor": "0",
            "quoteMaxLoan": "",
            "baseMaxLoan": "",
        }
        for n, (low, high, mmr, imr, lever) in enumerate(tiers, 1)
    ]


def discount(ccy: str, tiers: list[tuple[Decimal, Decimal | None, Decimal]]) -> Row:
    return {
        "ccy": ccy,
        "amt": "0",
        "colRes": "0",
        "discountLv": "1",
        "minDiscountRate": num(min((rate for _, _, rate in tiers), default=None)),
        "details": [
            {
                "tier": str(n),
                "minAmt": num(low),
                "maxAmt": num(high),
                "discountRate": num(rate),
                "liqPenaltyRate": "",
                "disCcyEq": "",
            }
            for n, (low, high, rate) in enumerate(tiers, 1)
        ],
    }
