from decimal import Decimal
from functools import cache

import pytest

from exchange.sim.markets.generated import BAR_MS, DAY_MS, MOODS, START_MS, GeneratedMarket

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
    return [one.rate for one in market.settled(coin, START_MS + days * DAY_MS + 1, 3 * days)]


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
    assert one.settled("ETH", at_ms, 99) == two.settled("ETH", at_ms, 99)


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


def test_the_past_holds_two_months_of_bars_and_ninety_settlements() -> None:
    market = shared(7)
    track = market.tracks("BTC")[0]
    assert track.ts[0] == START_MS - 60 * DAY_MS
    market.quote("BTC", START_MS + DAY_MS)
    assert list(track.close[:-1]) == pytest.approx(list(track.open[1:]))
    past = market.settled("BTC", START_MS, 90)
    assert len(past) == 90 and past[-1].ts_ms == START_MS - 8 * 3_600_000


def test_seed_seven_shows_a_month_of_everything() -> None:
    market = shared(7)
    for coin in ("BTC", "ETH"):
        month = rates(market, coin, 30)
        positive = sum(1 for rate in month if rate > 0)
        assert len(month) == 90 and positive > 60, f"{coin}: only {positive} of 90 are positive"
        negative = "".join("-" if rate < 0 else "+" for rate in month)
        assert "---" in negative, f"{coin}: no stretch of negative funding"
        assert longest_run(closes(market, coin, 30)) >= 0.12


def test_other_seeds_differ_in_what_funding_pays() -> None:
    totals = {sum(rates(shared(seed), "BTC", 30)) for seed in range(1, 6)}
    assert len(totals) == 5 and max(totals) > 2 * min(totals)


def test_the_plateau_is_the_most_common_rate() -> None:
    found = [rate for seed in (1, 2, 3) for rate in rates(shared(seed), "BTC", 60)]
    assert found.count(D("0.0001")) == max(found.count(rate) for rate in set(found)) > len(found) / 4


def test_a_crash_thins_the_books_and_blows_the_basis_out() -> None:
    market = shared(7)
    market.quote("BTC", START_MS + MONTH_MS)
    paths = market._coins["BTC"]
    crash = [i for i, mood in enumerate(paths.moods) if mood is MOODS["crash"]]
    calm = [i for i, mood in enumerate(paths.moods) if mood is MOODS["calm"]]
    spot, swap, _ = paths.tracks

    def widest(bars: list[int]) -> float:
        return max(abs(swap.close[i] / spot.close[i] - 1) for i in bars)

    assert crash and widest(crash) > 0.003 and widest(crash) > widest(calm)
    quote = market.quote("BTC", paths.tracks[0].ts[crash[0]])
    assert quote.spread >= 5 and quote.depth <= 0.2


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
