"""From a seed to a story: which families of faults are on, how hard, when, in which market.

Swarm testing: a run with few families gets deeper than one with all of them, so each seed draws its own
few. Everything is drawn from the seed by its own stream of chance, family by family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from scripts.simulation.story import COARSE, HOUR_MS, MINUTE_MS, Story, Trouble
from scripts.simulation.way import Latency

ORDERS: Final = "POST /api/v5/trade/order"
REGIMES: Final = (("calm", 5), ("rally", 2), ("slide", 1), ("negative", 1), ("crash", 2), ("squeeze", 2),
                  ("thin", 1), ("depeg", 1))  # fmt: skip
EAGER: Final = (
    ("strategy.funding_rate_threshold.min", Decimal("0.00001")),
    ("strategy.forecast.horizon_hours", Decimal(8760)),
    ("strategy.exit.min_hold_hours", Decimal(0)),
    ("strategy.exit.cooldown_hours", Decimal("0.5")),
    ("strategy.regime.max_hourly_range_ratio", Decimal("0.2")),
)
LATENCIES: Final = (Latency(), Latency(15, 15, 5), Latency(60, 60, 40), Latency(200, 250, 150))
OTHER_COINS: Final = ("ETH", "SOL", "DOGE", "XRP")

# Codes the venue may refuse a leg with: margin, mode, band, busy, settlement, size, price protection.
REFUSALS: Final = ("51008", "51010", "51135", "51138", "50013", "50001", "51030", "51202", "54084", "51020")

SHAPES: Final = ("crossed", "empty", "no_bids", "no_asks")

# Where the engine is killed, and how far into a run that place can be expected to be passed.
CRASH_POINTS: Final[tuple[tuple[str, str, int], ...]] = (
    ("disk boot", "before", 1),
    ("disk boot", "after", 2),
    ("disk decision", "before", 60),
    ("disk decision", "after", 60),
    ("disk intent", "before", 6),
    ("disk intent", "after", 6),
    ("disk transfer", "before", 2),
    ("disk transfer", "after", 2),
    ("disk report", "before", 3),
    ("disk report", "after", 3),
    ("disk equity", "before", 8),
    ("disk equity", "after", 8),
    ("rest trade/order spot buy", "before", 3),
    ("rest trade/order spot buy", "after", 3),
    ("rest trade/order swap sell", "before", 3),
    ("rest trade/order swap sell", "after", 3),
    ("rest trade/order swap buy", "before", 2),
    ("rest trade/order swap buy", "after", 2),
    ("rest trade/order spot sell", "before", 2),
    ("rest trade/order spot sell", "after", 2),
    ("rest asset/transfer", "before", 2),
    ("rest asset/transfer", "after", 2),
    ("rest account/bills", "before", 10),
    ("rest account/bills", "after", 10),
    ("rest trade/fills", "before", 1),
    ("rest trade/fills", "after", 1),
    ("push private", "before", 200),
    ("push public", "before", 3000),
    ("connect private", "before", 2),
)

Draw = Callable[[Random, int, int], Iterator[Trouble]]


def story_of(seed: int) -> Story:
    """The story of a seed: the same on every machine and in every version that has the same families.

    The market begins with funding that pays, so that there is something to lose, and turns later. The
    settings are those of an engine in a hurry: it opens for little and soon again.
    """
    rng = Random(f"story {seed}")
    coins = ("BTC", *rng.sample(OTHER_COINS, rng.choice((0, 1, 1, 1, 2))))
    turns = tuple(
        (hour, rng.choices([name for name, _ in REGIMES], [weight for _, weight in REGIMES])[0])
        for hour in sorted(rng.sample(range(1, 22), rng.choice((1, 2, 2, 3))))
    )
    story = Story(
        seed,
        rng.choice(("rally", "rally", "calm", "squeeze")),
        coins,
        turns,
        (*EAGER, ("strategy.exit.mode", rng.choice(("expected_cost", "hysteresis", "sign", "sign"))),
         ("strategy.opening.maker_first", rng.random() < 0.25),
         ("risk.circuit_breaker.losing_rounds", rng.choice((1, 3, 3, 3))),
         *_capital(seed, coins)),
        latency=rng.choices(LATENCIES, (6, 2, 2, 1))[0],
        profile=replace(COARSE, settlement_block=rng.choice((0.0, 0.25, 1.0))),
    )  # fmt: skip
    chosen = rng.sample(list(FAMILIES), rng.choice((0, 1, 1, 2, 2, 3, 4)))
    troubles = [
        trouble
        for name in chosen
        for trouble in FAMILIES[name](Random(f"{name} {seed}"), story.warm_ms, story.warm_ms + story.chaos_ms)
    ]
    fitting = tuple(t for t in troubles if _fits(t, coins))
    return replace(story, troubles=(*fitting, *_in_part(seed, story.warm_ms)))


def _in_part(seed: int, warm_ms: int) -> Iterator[Trouble]:
    """In some worlds orders fill in part while half of what is told of them is lost: whether all that filled
    is known must then be asked."""
    if Random(f"in part {seed}").random() < 0.04:
        at_ms, lasts_ms = warm_ms - 8 * MINUTE_MS, HOUR_MS
        told = {"stream": "private", "channel": "orders"}
        yield _rule("streams", at_ms, lasts_ms, told, "drop", 0.5)
        some = {"fill": {"fraction": "0.37"}}
        yield _rule("refusals", at_ms, lasts_ms, {"rest": ORDERS, "inst_id": "*"}, some, 0.5)


def _capital(seed: int, coins: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Some engines have fewer places than coins, so that hedges change for better ones; some compound."""
    rng = Random(f"capital {seed}")
    if len(coins) > 1 and rng.random() < 0.4:
        yield "risk.caps.max_instruments", len(coins) - 1
        yield "strategy.rotation.min_gain_bps", Decimal(1)
    if rng.random() < 0.2:
        yield "account.compound", True


def _fits(trouble: Trouble, coins: tuple[str, ...]) -> bool:
    """Whether what a trouble names exists in this world."""
    coin = trouble.what.get("coin")
    return coin is None or coin in coins


# --- families -----------------------------------------------------------------------------------


def _rule(family: str, at_ms: int, lasts_ms: int, where: dict[str, str], what: Any, chance: float) -> Trouble:
    rule = {"where": where, "what": what} | ({} if chance >= 1 else {"when": {"chance": chance}})
    return Trouble(family, "rule", at_ms, lasts_ms, {"rule": rule})


def _venue(family: str, at_ms: int, lasts_ms: int, what: dict[str, Any], **named: Any) -> Trouble:
    return Trouble(family, "venue", at_ms, lasts_ms, {"what": what, **named})


def _windows(
    rng: Random, begin_ms: int, end_ms: int, most: int, longest_ms: int
) -> Iterator[tuple[int, int]]:
    """Up to `most` stretches. One lies early, where hedges are being opened."""
    yield begin_ms - 8 * MINUTE_MS, rng.randrange(2 * MINUTE_MS, longest_ms)
    for _ in range(rng.randrange(most)):
        at_ms = rng.randrange(begin_ms, end_ms - longest_ms)
        yield at_ms, rng.randrange(MINUTE_MS, longest_ms)


def requests(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Answers lost, connections reset, gateways failing, slow ways."""
    kinds: tuple[tuple[str, Any], ...] = (
        (ORDERS, {"ack_lost": {"answer": "none"}}),
        (ORDERS, {"ack_lost": {"answer": "timeout"}}),
        (ORDERS, {"ack_lost": {"answer": "reset"}}),
        (ORDERS, {"delay": {"ms": "4s"}}),
        (ORDERS, {"delay": {"ms": "4s", "part": "request"}}),
        (ORDERS, {"delay": {"ms": "8s", "part": "request"}}),
        (ORDERS, {"drop": {"part": "request"}}),
        ("POST *", {"http": {"status": 502}}),
        ("POST *", {"http": {"status": 502, "executed": True}}),
        ("GET *", {"http": {"status": 502}}),
        ("GET *", {"drop": {"part": "answer"}}),
        ("GET /api/v5/account/positions", {"http": {"status": 500}}),
        ("*", {"reset": {"part": "answer"}}),
        ("GET /api/v5/trade/*", {"visibility": {"ms": "1500ms"}}),
        ("POST /api/v5/asset/transfer", {"ack_lost": {"answer": "none"}}),
    )
    for at_ms, lasts_ms in _windows(rng, begin_ms, end_ms, 5, 2 * HOUR_MS):
        path, what = rng.choice(kinds)
        yield _rule("requests", at_ms, lasts_ms, {"rest": path}, what, rng.choice((0.1, 0.3, 0.7)))
    if rng.random() < 0.3:  # transfers are few: a short window never meets one
        lost = {"ack_lost": {"answer": rng.choice(("none", "reset"))}}
        where = {"rest": "POST /api/v5/asset/transfer"}
        yield _rule("requests", begin_ms - 8 * MINUTE_MS, 6 * HOUR_MS, where, lost, 0.7)


def refusals(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """A leg refused, filled in part, or the rate limit hit."""
    for at_ms, lasts_ms in _windows(rng, begin_ms, end_ms, 5, HOUR_MS):
        leg = rng.choice(("*-SWAP", "*-USDT", "*"))
        what: Any = rng.choice(
            (
                {"reject": {"code": rng.choice(REFUSALS)}},
                {"reject": {"code": rng.choice(REFUSALS)}},
                {"fill": {"fraction": rng.choice(("0", "0.2", "0.37", "0.9"))}},
                "rate_limit",
            )
        )
        where = {"rest": ORDERS, "inst_id": leg}
        yield _rule("refusals", at_ms, lasts_ms, where, what, rng.choice((0.2, 0.5, 0.9)))


def streams(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Pushes lost, late, doubled or out of order; connections that end or fall silent."""
    kinds: tuple[tuple[dict[str, str], Any], ...] = (
        ({"stream": "private", "channel": "orders"}, "drop"),
        ({"stream": "private", "channel": "*"}, {"delay": {"ms": "3s"}}),
        ({"stream": "private", "channel": "*"}, {"duplicate": {"times": 1}}),
        ({"stream": "private", "channel": "*"}, "reorder"),
        ({"stream": "private"}, "reset"),
        ({"stream": "private"}, "half_open"),
        ({"stream": "private", "op": "login"}, {"reject": {"code": "60009"}}),
        ({"stream": "public", "channel": "books"}, "gap"),
        ({"stream": "public", "channel": "books"}, {"duplicate": {"times": 1}}),
        ({"stream": "public", "channel": "*"}, "stale"),
        ({"stream": "public"}, {"close": {"code": 1000}}),
        ({"stream": "public"}, "half_open"),
        ({"stream": "*", "op": "connect"}, {"http": {"status": 503}}),
        ({"stream": "*"}, {"notice": {"after": "30s"}}),
    )
    for at_ms, lasts_ms in _windows(rng, begin_ms, end_ms, 3, HOUR_MS):
        where, what = rng.choice(kinds)
        chance = rng.choice((0.002, 0.02, 0.2))
        if where.get("op") == "connect":  # somebody has to be thrown out before he can be kept out
            yield _rule("streams", at_ms, MINUTE_MS, {"stream": "*"}, "reset", chance)
            chance = 0.5
        yield _rule("streams", at_ms, min(lasts_ms, HOUR_MS), where, what, chance)


def market(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Bad prints and broken books; the market's own weather is the story's regime."""
    for at_ms, _ in _windows(rng, begin_ms, end_ms, 5, HOUR_MS):
        coin = rng.choice(("BTC", "ETH"))
        inst_id = rng.choice((f"{coin}-USDT", f"{coin}-USDT-SWAP"))
        seconds = rng.choice((2, 30, 240))
        lasts = f"{seconds}s"
        what = rng.choice(
            (
                {"spike": {"inst_id": inst_id, "change": rng.choice(("0.2", "-0.2")), "lasts": lasts}},
                {"book": {"inst_id": inst_id, "shape": rng.choice(SHAPES), "lasts": lasts}},
                {"seq_reset": {"inst_id": inst_id}},
            )
        )  # fmt: skip
        yield _venue("market", at_ms, seconds * 1000, what, coin=coin)


def account(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Forced reductions, and a human who trades the same account."""
    for at_ms, _ in _windows(rng, begin_ms + 12 * MINUTE_MS, end_ms, 3, HOUR_MS):  # there is a hedge by then
        coin, share = rng.choice(("BTC", "BTC", "ETH")), rng.choice(("0.1", "0.5", "1"))
        swap = f"{coin}-USDT-SWAP"
        adl = {"adl": {"account": "demo", "inst_id": swap, "fraction": share}}
        yield rng.choice(
            (
                _venue("account", at_ms, 0, adl, coin=coin),
                _venue("account", at_ms, 0, adl, coin=coin),
                _venue("account", at_ms, 0, adl, coin=coin),
                _venue("account", at_ms, 0, {"account": {"account": "demo", "set": {"liquidate": swap}}},
                       coin=coin),
                Trouble("account", "hand", at_ms, 0, {"does": "sell spot", "coin": coin, "share": share}),
                Trouble("account", "hand", at_ms, 0, {"does": "close short", "coin": coin, "share": share}),
                Trouble("account", "hand", at_ms, 0, {"does": "short more", "coin": coin, "share": share}),
                Trouble("account", "hand", at_ms, 0, {"does": "buy spot", "coin": coin, "share": share}),
            )
        )  # fmt: skip


def venue(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Maintenance, suspensions, a clock that is off, another funding interval, a fee level that changed."""
    for at_ms, _ in _windows(rng, begin_ms + 20 * MINUTE_MS, end_ms, 3, HOUR_MS):
        coin, minutes = rng.choice(("BTC", "ETH")), rng.choice((5, 20, 60))
        swap, lasts = f"{coin}-USDT-SWAP", f"{minutes}m"
        hours = {"funding_interval_h": rng.choice((1, 2, 4))}
        yield rng.choice(
            (
                _venue("venue", at_ms, minutes * MINUTE_MS, {"maintenance": {"lasts": lasts}}),
                _venue("venue", at_ms, (35 + minutes) * MINUTE_MS,
                       {"maintenance": {"after": "35m", "lasts": lasts}}),
                _venue("venue", at_ms, minutes * MINUTE_MS, {"suspend": {"inst_id": swap, "lasts": lasts}},
                       coin=coin),
                _venue("venue", at_ms, minutes * MINUTE_MS,
                       {"clock": {"ms": rng.choice((-45_000, -2_000, 2_000, 45_000)), "lasts": lasts}}),
                _venue("venue", at_ms, 0, {"instrument": {"inst_id": swap, "set": hours}}, coin=coin),
                _venue("venue", at_ms, 0, {"account": {"account": "demo", "set": {"fee_level": "VIP1"}}}),
            )
        )  # fmt: skip


def disk(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """The journal cannot be written for a while."""
    for at_ms, lasts_ms in _windows(rng, begin_ms, end_ms, 2, 30 * MINUTE_MS):
        error = rng.choice(("database or disk is full", "disk I/O error", "database is locked"))
        yield Trouble("disk", "disk", at_ms, lasts_ms, {"error": error})


def crash(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Killed at crossings between engine and world; the process is started again."""
    for _ in range(rng.choice((1, 2, 2, 3))):
        name, side, most = rng.choice(CRASH_POINTS)
        yield Trouble("crash", "crash", 0, 0, {"name": name, "side": side, "nth": 1 + rng.randrange(most)})


def operator(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """Halts, flattens, pauses, each taken back later, at any time or just as an order leaves; restarts on
    purpose."""
    if rng.random() < 0.5:
        verb, nth = rng.choice(("halt", "flatten")), rng.choice((1, 1, 2, 3))
        yield Trouble("operator", "operator", 0, 0, {"verb": verb, "nth_order": nth})
        yield Trouble("operator", "operator", begin_ms + 15 * MINUTE_MS, 0, {"verb": "resume"})
    for at_ms, lasts_ms in _windows(rng, begin_ms + 20 * MINUTE_MS, end_ms, 3, HOUR_MS):
        verb = rng.choice(("halt", "flatten", "pause", "restart"))
        if verb == "restart":
            yield Trouble("operator", "restart", at_ms, 0, {})
        else:
            yield Trouble("operator", "operator", at_ms, 0, {"verb": verb})
            back = "unpause" if verb == "pause" else "resume"
            yield Trouble("operator", "operator", at_ms + lasts_ms, 0, {"verb": back})


def host(rng: Random, begin_ms: int, end_ms: int) -> Iterator[Trouble]:
    """The host's wall clock is set wrong, and right again later."""
    for at_ms, lasts_ms in _windows(rng, begin_ms, end_ms, 3, HOUR_MS):
        off_ms = rng.choice((-120_000, -30_000, -2_000, -400, 400, 2_000))
        yield Trouble("host", "wall", at_ms, lasts_ms, {"ms": off_ms})


FAMILIES: Final[dict[str, Draw]] = {
    draw.__name__: draw
    for draw in (requests, refusals, streams, market, account, venue, disk, crash, operator, host)
}
