from decimal import Decimal
from functools import cache

import pytest

from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import BAR_MS, DAY_MS, START_MS, GeneratedMarket
from exchange.sim.markets.measure import settled_rates
from exchange.sim.markets.regimes import MOODS, REGIMES

MONTH_MS = 30 * DAY_MS
D = Decimal


@cache
def shared(seed: int) -> GeneratedMarket:
    """One market of BTC and ETH per seed, for tests that only look."""
    return GeneratedMarket(seed)


def closes(market: GeneratedMarket, coin: str, days: int) -> list[float]:
    market.quote(coin, START_MS + days * DAY_MS)
    track = market.tracks(coin)[0]
    first = track.index(START_MS)
    return list(track.close[first : first + days * DAY_MS // BAR_MS])


def rates(market: GeneratedMarket, coin: str, days: int) -> list[Decimal]:
    return settled_rates(market, coin, 1, START_MS + days * DAY_MS + 1, 3 * days)


def longest_run(prices: list[float]) -> float:
    """The largest rise from any price to a later one."""
    low, best = prices[0], 0.0
    for price in prices:
        low = min(low, price)
        best = max(best, price / low - 1)
    return best


def test_the_same_seed_is_the_same_market_and_another_is_not() -> None:
    one, two, other = shared(4), GeneratedMarket(4), shared(5)
    at_ms = START_MS + 5 * DAY_MS + 12_345
    assert one.quote("BTC", at_ms) == two.quote("BTC", at_ms) != other.quote("BTC", at_ms)
    assert rates(one, "ETH", 5) == rates(two, "ETH", 5)


def test_how_far_ahead_somebody_looked_changes_nothing() -> None:
    patient, hasty = GeneratedMarket(4, ("BTC",)), shared(4)
    hasty.quote("BTC", START_MS + 40 * DAY_MS)
    for day in range(30):
        at_ms = START_MS + day * DAY_MS + 1
        assert patient.quote("BTC", at_ms) == hasty.quote("BTC", at_ms)


def test_a_coin_does_not_depend_on_the_company_it_keeps() -> None:
    alone, together = GeneratedMarket(4, ("ETH",)), shared(4)
    assert alone.quote("ETH", START_MS + DAY_MS) == together.quote("ETH", START_MS + DAY_MS)


def test_prices_start_where_they_are_said_to_and_move_without_jumps() -> None:
    market = shared(7)
    assert market.quote("BTC", START_MS).spot == pytest.approx(92_000)
    before = market.quote("BTC", START_MS)
    for n in range(1, 2_000):
        quote = market.quote("BTC", START_MS + n * 15_000)
        assert abs(quote.spot / before.spot - 1) < 0.03 and abs(quote.swap / before.swap - 1) < 0.03
        before = quote


def test_the_past_is_drawn_back_from_the_start_as_far_as_somebody_looks() -> None:
    market = GeneratedMarket(7, ("BTC",))
    track = market.tracks("BTC")[0]
    market.quote("BTC", START_MS)
    assert track.ts[0] == START_MS
    track.index(START_MS - 3 * DAY_MS)
    assert START_MS - 5 * DAY_MS < track.ts[0] <= START_MS - 3 * DAY_MS
    track.index(0)
    assert track.ts[0] == START_MS - 60 * DAY_MS
    assert list(track.close[:-1]) == pytest.approx(list(track.open[1:]))
    assert track.open[track.index(START_MS)] == 92_000


def test_what_was_looked_at_first_changes_neither_past_nor_future() -> None:
    back, ahead = GeneratedMarket(4, ("BTC",)), GeneratedMarket(4, ("BTC",))
    back.tracks("BTC")[0].index(0)
    ahead.quote("BTC", START_MS + 9 * DAY_MS)
    for at_ms in (START_MS - 59 * DAY_MS, START_MS - 1, START_MS + 8 * DAY_MS + 7):
        assert back.quote("BTC", at_ms) == ahead.quote("BTC", at_ms)


def test_seed_seven_shows_a_month_of_everything() -> None:
    market, longest = shared(7), 0
    for coin in ("BTC", "ETH"):
        month = rates(market, coin, 30)
        positive = sum(1 for rate in month if rate > 0)
        assert len(month) == 90 and positive > 60, f"{coin}: only {positive} of 90 are positive"
        signs = "".join("-" if rate < 0 else "+" for rate in month)
        assert "--" in signs, f"{coin}: no stretch of negative funding"
        longest = max(longest, *map(len, signs.split("+")))
        assert longest_run(closes(market, coin, 30)) >= 0.12
    assert longest >= 3, "or `hysteresis` would have nothing to leave for"


def test_other_seeds_differ_in_what_funding_pays() -> None:
    totals = {sum(rates(shared(seed), "BTC", 30)) for seed in range(1, 6)}
    assert len(totals) == 5 and max(totals) > 2 * min(totals)


def test_the_plateau_is_the_most_common_rate() -> None:
    found = [rate for seed in (1, 2, 3) for rate in rates(shared(seed), "BTC", 60)]
    assert found.count(D("0.0001")) == max(found.count(rate) for rate in set(found)) > len(found) / 4


def held(regime: str, days: int = 2, **more: bool) -> tuple[list[float], list[float], GeneratedMarket]:
    """(spot closes, swap / spot - 1) of a market that stays in a regime."""
    market = GeneratedMarket(3, ("BTC",), regime=regime, **{"hold": True, **more})
    market.quote("BTC", START_MS + days * DAY_MS)
    spot, swap, _ = market.tracks("BTC")
    first, count = spot.index(START_MS), days * DAY_MS // BAR_MS
    closes = list(spot.close[first : first + count])
    return closes, [swap.close[first + n] / close - 1 for n, close in enumerate(closes)], market


@pytest.mark.parametrize("regime", REGIMES)
def test_a_regime_can_be_held_and_is_then_never_left(regime: str) -> None:
    market = held(regime, 20)[2]
    assert {mood.name for mood in market._coins["BTC"].moods} == {regime if regime in MOODS else "calm"}


def test_a_regime_may_also_be_only_where_the_market_starts() -> None:
    moods = [mood.name for mood in held("crash", 20, hold=False)[2]._coins["BTC"].moods]
    assert moods[0] == "crash" and moods[-1] != "crash"


def test_an_unknown_regime_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"regime is storm, allowed: calm, rally, .*, delisting"):
        GeneratedMarket(1, regime="storm")


def test_a_crash_falls_thins_the_books_and_blows_the_basis_out_and_a_squeeze_the_other_way() -> None:
    (calm, calm_basis, _), (crash, crash_basis, market) = held("calm", 1), held("crash", 1)
    assert crash[-1] < 0.85 * crash[0] and abs(calm[-1] / calm[0] - 1) < 0.1
    assert min(crash_basis) < -0.003 < min(calm_basis)
    quote = market.quote("BTC", START_MS)
    assert quote.spread >= 5 and quote.depth <= 0.2
    squeeze, squeeze_basis, _ = held("squeeze", 1)
    assert squeeze[-1] > 1.1 * squeeze[0] and max(squeeze_basis) > 0.003


def test_negative_months_pay_the_longs() -> None:
    market = held("negative", 30)[2]
    month = rates(market, "BTC", 30)
    assert sum(rate < 0 for rate in month) > 60 and sum(month) < 0


def test_a_depeg_makes_the_dollar_dear_and_every_coin_with_it() -> None:
    market = held("depeg", 2)[2]
    assert market.usd(START_MS - 1) == 1.0
    assert 0.93 < market.usd(START_MS + 2 * DAY_MS) < 0.98
    back = held("depeg", 20, hold=False)[2]
    assert back.usd(START_MS + 15 * DAY_MS) == 1.0
    assert held("calm", 5)[2].usd(START_MS + 5 * DAY_MS) == 1.0


def test_a_thin_market_has_thin_books() -> None:
    quote = held("thin")[2].quote("BTC", START_MS + 1)
    assert quote.depth <= 0.1 and quote.spread > 1


def test_delistings_go_one_after_the_other_and_leave_the_first_coin() -> None:
    market = GeneratedMarket(1, ("BTC", "SOL", "DOGE"), regime="delisting")
    assert [one.coin for one in market.delistings] == ["SOL", "DOGE"]
    for one in market.delistings:
        assert START_MS < one.announced_ms < one.expires_ms
    assert market.delistings[0].announced_ms < market.delistings[1].announced_ms


def test_small_coins_may_go_by_chance_and_large_ones_stay() -> None:
    coins = ("BTC", "ETH", *(f"SMALL{n}" for n in range(20)))
    gone = {one.coin for one in GeneratedMarket(1, coins).delistings}
    assert gone and gone.isdisjoint({"BTC", "ETH"})


def test_the_grid_stops_at_a_bars_open_and_its_two_extremes() -> None:
    market = shared(7)
    at_ms, seen = START_MS, []
    for _ in range(5):
        at_ms = market.next_ms(at_ms, every_turn=True)
        seen.append((at_ms - START_MS) // 1000)
    assert seen == [75, 150, 300, 375, 450]


def test_the_extremes_of_a_calm_bar_are_passed_by_and_those_of_a_wild_one_are_not() -> None:
    market = shared(7)
    stops: list[int] = []
    while not stops or stops[-1] < START_MS + 20 * DAY_MS:
        stops.append(market.next_ms(stops[-1] if stops else START_MS))
    interior = {at_ms // BAR_MS for at_ms in stops if at_ms % BAR_MS}
    for bar in range(START_MS // BAR_MS, START_MS // BAR_MS + 20 * DAY_MS // BAR_MS):
        tracks = [market.tracks(c)[k] for c in ("BTC", "ETH") for k in (0, 1)]
        index = market.tracks("BTC")[0].index(bar * BAR_MS)
        wild = any(track.high[index] > track.low[index] * 1.004 for track in tracks)
        assert wild == (bar in interior)
    assert interior


@pytest.mark.parametrize("coin", ["SOL", "DOGE", "PEPE"])
def test_any_coin_can_be_invented(coin: str) -> None:
    market = GeneratedMarket(1, (coin,))
    quote = market.quote(coin, START_MS + 3 * DAY_MS)
    assert quote.spot > 0 and abs(quote.swap / quote.spot - 1) < 0.05


def test_nothing_is_drawn_for_what_nobody_asks() -> None:
    market = GeneratedMarket(7, ("BTC", "ETH"))
    venue = Exchange(market, 7)
    while venue.now_ms < START_MS + DAY_MS:
        venue.advance(START_MS + DAY_MS)
    for coin in ("BTC", "ETH"):
        assert market.tracks(coin)[0].ts[0] >= START_MS - DAY_MS
    assert len(venue.markets["BTC-USDT-SWAP"].settled) > 90
    assert market.tracks("BTC")[0].ts[0] < START_MS - 50 * DAY_MS
