"""The tables of a measurement, the same ones on the console and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from monitor import formats
from monitor.report.words import Said
from scripts.modules.claims import ALONE, ATS_FALL, ATS_PAYOFF, ATS_ROW, ATS_WIN, CLAIMS, Claim
from scripts.modules.measures import FEWEST, Figures, figures_of
from scripts.modules.study import Measured, Study
from scripts.modules.tape import Coin
from scripts.modules.walk import told
from scripts.sheet import NUMBER, TEXT, Sheet, likelihood, lines_of
from scripts.sweep.record import Span

PLAIN_ATS: Final = "ats"  # the preset without factor rules: its fixed stops
OWN_VOTES: Final = "ensemble"  # measured without the votes of a book and a crowd


def sheets(study: Study, said: Said) -> tuple[Sheet, ...]:
    """Every table that has a row, in the order in which it is read."""
    makers = (_overview, _claims, _money, _coins, _presets, _walks, _parts, _missing, _beside, _refusals)
    return tuple(sheet for make in makers if (sheet := make(study, said)).rows)


def text_of(study: Study, said: Said) -> str:
    """The headline and the tables as text."""
    return "\n".join([*headline(study, said), *lines_of(sheets(study, said)), "", said("promise")])


def headline(study: Study, said: Said) -> list[str]:
    """What a reader must come away with."""
    order, together = study.order, study.together_figures
    limits, costs = order.limits, order.costs
    alone = [each for each in study.measured if each.subject.is_module and each.figures.trades]
    earned, lost = ([e for e in alone if (e.figures.net > 0) is good] for good in (True, False))
    return [
        said("off"),
        said(
            "period",
            begin=formats.utc_day(order.from_ms),
            end=formats.utc_day(order.to_ms - 1),
            instruments=", ".join(coin.instrument for coin in study.coins),
        ),
        said("sources", sources="; ".join(_source(coin, said) for coin in study.coins)),
        said(
            "costs",
            taker=_fraction(costs.taker),
            slippage=_fraction(costs.slippage),
            capital=formats.usdt(limits.capital),
            risk=_fraction(limits.risk_ratio),
            coin=_fraction(limits.coin_ratio),
            day=limits.day,
        ),
        said(
            "together.told",
            net=formats.signed_usdt(together.net),
            ratio=_fraction(together.net / limits.capital),
            trades=together.trades,
            fall=_fraction(together.fall / limits.capital),
        ),
        said("earned", names=_names(earned, said)),
        said("lost", names=_names(lost, said)),
        said("luck"),
    ]


def _source(coin: Coin, said: Said) -> str:
    funding = coin.funding_venue or said("source.none")
    return said("source", instrument=coin.instrument, candles=coin.venue, funding=funding)


def _names(found: Sequence[Measured], said: Said) -> str:
    named = (
        said("told_of", name=each.subject.name, net=formats.signed_usdt(each.figures.net)) for each in found
    )
    return ", ".join(named) or said("nobody")


def _overview(study: Study, said: Said) -> Sheet:
    capital = study.order.limits.capital
    rows = [
        (
            each.subject.name,
            each.subject.system,
            each.frame,
            str(each.days),
            *_results(each.figures, said),
            *_toss(each),
            formats.signed_usdt(each.figures.net),
            _fraction(each.figures.net / capital),
            _fraction(each.figures.fall / capital),
        )
        for each in study.measured
        if each.days
    ]
    together = study.together_figures
    rows.append(
        (
            said("together"),
            "",
            "",
            "",
            *_results(together, said),
            "",
            "",
            formats.signed_usdt(together.net),
            _fraction(together.net / capital),
            _fraction(together.fall / capital),
        )
    )
    heads = ("module", "system", "bars", "days", *_RESULTS, "toss", "toss_win", "net", "ratio", "fall")
    return _sheet("overview", said, heads, rows, texts=3)


_RESULTS: Final = ("trades", "win", "payoff", "even", "r", "interval", "merit")


def _results(figures: Figures, said: Said) -> tuple[str, ...]:
    return (
        str(figures.trades),
        _share(figures.win_rate),
        _ratio(figures.payoff),
        _share(figures.even_win),
        _r(figures.mean_r),
        _interval(figures),
        formats.ABSENT if figures.merit is None else likelihood(figures.merit, said),
    )


def _toss(each: Measured) -> tuple[str, str]:
    mean, wins = each.toss or (None, None)
    return _r(mean), _share(wins)


def _claims(study: Study, said: Said) -> Sheet:
    rows = []
    for claim in CLAIMS:
        for each in study.measured:
            if each.subject.name == claim.subject and (each.days or each.figures.trades):
                label = each.by_label.get(claim.label)
                rows.append(_claim(claim, f"{each.subject.name}: {claim.label}", label, said))
            elif ALONE.get(each.subject.name) is claim and each.days:
                rows.append(_claim(claim, each.subject.name, each.figures, said))
    rows += _ats(study, said)
    heads = ("row", "claim", "on", "trades", "win", "payoff", "even", "r", "verdict")
    return _sheet("claims", said, heads, rows, texts=3)


def _claim(claim: Claim, on: str, figures: Figures | None, said: Said) -> tuple[str, ...]:
    verdict = "few"
    if figures is not None and figures.trades >= FEWEST:
        won = figures.win_rate is not None and figures.win_rate > (claim.win_rate or 0)
        paid = figures.payoff is not None and figures.payoff >= (claim.payoff or 0)
        verdict = "reached" if won and paid else "missed"
    measured = figures or figures_of(())
    return (
        claim.row,
        claim.text[1 if said.language == "zh" else 0],
        on,
        str(measured.trades),
        _share(measured.win_rate),
        _ratio(measured.payoff),
        _share(measured.even_win),
        _r(measured.mean_r),
        said(f"verdict.{verdict}"),
    )


def _ats(study: Study, said: Said) -> Iterator[tuple[str, ...]]:
    for each in study.measured:
        own, fixed = each.figures, each.presets.get(PLAIN_ATS)
        if each.subject.name != "factor_score" or fixed is None:
            continue
        changes = _changes(own, fixed)
        verdict = "few"
        if changes is not None and min(own.trades, fixed.trades) >= FEWEST:
            win, payoff, fall = changes
            held = win >= ATS_WIN and payoff >= ATS_PAYOFF and fall <= ATS_FALL
            verdict = "reached" if held else "missed"
        shown = changes or (None, None, None)
        win_told, payoff_told, fall_told = (_change(one) for one in shown)
        yield (
            ATS_ROW,
            said("claim.ats"),
            said("claim.ats.on", win=win_told, payoff=payoff_told, fall=fall_told),
            str(own.trades),
            _share(own.win_rate),
            _ratio(own.payoff),
            _share(own.even_win),
            _r(own.mean_r),
            said(f"verdict.{verdict}"),
        )


def _changes(own: Figures, fixed: Figures) -> tuple[float, float, float] | None:
    """Return how win rate, payoff and fall changed, as fractions of the fixed plan's."""
    if not (own.win_rate and own.payoff and fixed.win_rate and fixed.payoff and fixed.fall):
        return None
    return (
        own.win_rate / fixed.win_rate - 1,
        own.payoff / fixed.payoff - 1,
        float(own.fall / fixed.fall) - 1,
    )


def _money(study: Study, said: Said) -> Sheet:
    found = [(each.subject.name, each.figures) for each in study.measured if each.days]
    rows = [
        (name, *(formats.signed_usdt(v) for v in (f.gross, -f.slippage, -f.fees, f.funding, f.net)))
        for name, f in (*found, (said("together"), study.together_figures))
    ]
    return _sheet("money", said, ("module", "gross", "slippage", "fees", "funding", "net"), rows)


def _coins(study: Study, said: Said) -> Sheet:
    rows = [
        (each.subject.name, coin, *_results(figures, said), formats.signed_usdt(figures.net))
        for each in study.measured
        for coin, figures in each.by_coin.items()
    ]
    return _sheet("coins", said, ("module", "coin", *_RESULTS, "net"), rows, texts=2)


def _presets(study: Study, said: Said) -> Sheet:
    rows = []
    for each in study.measured:
        if each.days and each.presets:
            for plan, figures in ((said("own"), each.figures), *each.presets.items()):
                rows.append(
                    (each.subject.name, plan, *_results(figures, said), formats.signed_usdt(figures.net))
                )
    return _sheet("presets", said, ("module", "plan", *_RESULTS, "net"), rows, texts=2)


def _walks(study: Study, said: Said) -> Sheet:
    rows = []
    for each in study.measured:
        if (walk := each.walk) is None:
            continue
        best = walk.best_figures
        rows.append(
            (
                each.subject.name,
                str(walk.sets),
                str(walk.judged.trades),
                _r(walk.judged.mean_r),
                _interval(walk.judged),
                _r(walk.usual.mean_r),
                _r(best.mean_r),
                *(
                    formats.ABSENT if merit is None else likelihood(merit, said)
                    for merit in (walk.best_naive_merit, best.merit)
                ),
                formats.signed_usdt(walk.judged.net),
            )
        )
    heads = ("module", "sets", "judged_trades", "judged_r", "interval", "default_r", "best_r", "naive",
             "deflated", "net")  # fmt: skip
    return _sheet("walks", said, heads, rows)


def _parts(study: Study, said: Said) -> Sheet:
    rows = [
        (
            each.subject.name,
            _span(part.judged_on, said),
            str(part.judged.trades),
            _r(part.judged.mean_r),
            _r(part.usual.mean_r),
            told(part.chosen) or said("default"),
        )
        for each in study.measured
        if each.walk
        for part in each.walk.parts
    ]
    heads = ("module", "judged_on", "judged_trades", "judged_r", "default_r", "chosen")
    kinds = (TEXT, TEXT, NUMBER, NUMBER, NUMBER, TEXT)
    return replace(_sheet("parts", said, heads, rows), kinds=kinds)


def _missing(study: Study, said: Said) -> Sheet:
    rows = []
    for each in study.measured:
        lacks = [said(f"lack.{key}") for key in each.subject.lacks]
        if not lacks and not each.days:
            frames = ", ".join(each.subject.make({}).needs.bars)
            lacks = [said("lack.bars", frames=frames)]
        elif each.subject.name == OWN_VOTES:
            lacks = [said("lack.book")]
        if lacks:
            rows.append((each.subject.name, "; ".join(lacks)))
    return _sheet("missing", said, ("module", "lacks"), rows, texts=2)


def _beside(study: Study, said: Said) -> Sheet:
    rows = [(said("nothing"), _fraction(Decimal(0)), _fraction(Decimal(0)))]
    rows += [
        (said("keeping", instrument=hold.instrument), _fraction(hold.net_ratio), _fraction(hold.fall))
        for hold in study.holdings
    ]
    return _sheet("beside", said, ("on", "net", "fall"), rows)


def _refusals(study: Study, said: Said) -> Sheet:
    rows = [
        (each.subject.name, said(f"refused.{reason}"), str(count))
        for each in study.measured
        for reason, count in sorted(each.played.refused.items())
    ]
    return _sheet("refusals", said, ("module", "reason", "count"), rows, texts=2)


def _sheet(
    name: str, said: Said, heads: Sequence[str], rows: Sequence[tuple[str, ...]], texts: int = 1
) -> Sheet:
    kinds = (*[TEXT] * texts, *[NUMBER] * (len(heads) - texts))
    return Sheet(
        name, said(name), said(f"{name}.note"), kinds, tuple(said(head) for head in heads), tuple(rows)
    )


def _span(span: Span, said: Said) -> str:
    return said("span", begin=formats.utc_day(span[0]), end=formats.utc_day(span[1] - 1))


def _fraction(value: Decimal) -> str:
    return formats.percent(value)


def _share(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:.1%}".replace("%", " %")


def _ratio(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:.2f}"


def _r(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:+.3f}"


def _change(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:+.0%}".replace("%", " %")


def _interval(figures: Figures) -> str:
    if figures.low_r is None or figures.high_r is None:
        return formats.ABSENT
    return f"{figures.low_r:+.3f} … {figures.high_r:+.3f}"
