"""What a sweep came to: judged once, told as tables, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from core.types import DAY_MS
from monitor import formats
from scripts.backtest.files import write_whole
from scripts.sweep import judgement
from scripts.sweep.judgement import Outlook
from scripts.sweep.scoring import Bench, Score
from scripts.sweep.space import Space, Values, as_text, told
from scripts.sweep.splits import Split
from scripts.sweep.stress import Stress, stresses
from scripts.sweep.study import JUDGES, Aim, Finished, front

SHOWN: Final = 10
Run = Mapping[str, Any]  # a confirmed set: its values, and the summary of its backtest


@dataclass(frozen=True, slots=True)
class Walk:
    """One fold: the net of the chosen set where it was chosen and where it is judged, and as configured."""

    split: Split
    best: Finished
    chosen_net: float
    judged_net: float
    usual_net: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said about a sweep. Nets are fractions of the notional a year."""

    instruments: tuple[str, ...]
    sampler: str
    aim: Aim
    seed: int
    tried: int
    days: int
    best: tuple[Finished, ...]
    front: tuple[Finished, ...]
    configured: Score
    sharpe_variance: float
    deflated_sharpe: float
    outlook: Outlook
    stresses: tuple[Stress, ...]
    walks: tuple[Walk, ...]
    runs: tuple[Run, ...]
    curve: tuple[tuple[int, float, float], ...]  # day's end in ms, running net of the best and as configured
    wall_s: float

    def plain(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "instruments": list(self.instruments),
            "sampler": self.sampler,
            "objective": self.aim.objective,
            "second": self.aim.second,
            "seed": self.seed,
            "sets_tried": self.tried,
            "days": self.days,
            "best": [self._set(one) for one in self.best[:SHOWN]],
            "front": [self._set(one) for one in self.front],
            "configured": {"net_per_year": self.aim.net(self.configured), **self.configured.plain()},
            "sharpe_variance": self.sharpe_variance,
            "deflated_sharpe": self.deflated_sharpe,
            "walk_forward": [
                {
                    "fold": one.split.name,
                    "chosen_on": one.split.chosen_on,
                    "judged_on": one.split.judged_on,
                    "set": as_text(one.best.values),
                    "chosen_net_per_year": one.chosen_net,
                    "judged_net_per_year": one.judged_net,
                    "configured_net_per_year": one.usual_net,
                }
                for one in self.walks
            ],
            "monte_carlo": asdict(self.outlook),
            "stress": [asdict(one) for one in self.stresses],
            "confirmed": [dict(one) for one in self.runs],
            "wall_s": round(self.wall_s, 1),
        }

    def _set(self, one: Finished) -> dict[str, Any]:
        net, fall = self.aim.net(one.score), self.aim.fall(one.score)
        said = {"number": one.number, "set": as_text(one.values), "net_per_year": net, self.aim.second: fall}
        return said | one.score.plain()


def judged(
    names: Sequence[str],
    sampler: str,
    aim: Aim,
    seed: int,
    paths: int,
    space: Space,
    bench: Bench,
    best: Sequence[Finished],
    walks: Sequence[Walk],
    runs: Sequence[Run],
    wall_s: float,
) -> Report:
    """Judge the best set. `best`: every distinct set, as `ranked` gives them."""
    top, chosen = best[0].score, space.strategy(best[0].values)
    variance = judgement.spread_of([one.score.sharpe for one in best])
    returns, usual = bench.daily([chosen])[0], bench.daily([space.base])[0]
    days = bench.days
    running = zip(days, returns.cumsum(), usual.cumsum(), strict=True)
    return Report(
        instruments=tuple(names),
        sampler=sampler,
        aim=aim,
        seed=seed,
        tried=len(best),
        days=top.days,
        best=tuple(best),
        front=tuple(front(best, aim)) if sampler == "nsga2" else (),
        configured=bench.scores([space.base])[0],
        sharpe_variance=variance,
        deflated_sharpe=judgement.deflated_sharpe(
            top.sharpe, top.days, top.skew, top.kurtosis, variance, len(best)
        ),
        outlook=judgement.outlook(returns, paths, seed),
        stresses=stresses(bench, chosen, JUDGES[aim.objective]),
        walks=tuple(walks),
        runs=tuple(runs),
        curve=tuple(((day + 1) * DAY_MS, float(a), float(b)) for day, a, b in running),
        wall_s=wall_s,
    )


# --- tables -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first column is text, the others are figures."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(report: Report) -> tuple[Sheet, ...]:
    """Every table of a report, in the order in which it is read."""
    found = [_best(report), *([_front(report)] if report.front else []), _walks(report)]
    found += [_chance(report), _outlook(report), _stress(report), _runs(report)]
    return tuple(one for one in found if one.rows)


def tables(report: Report) -> str:
    """The tables as text."""
    lines = [
        f"{', '.join(report.instruments)}: {report.tried} sets on {report.days} days in {report.wall_s:.1f} s"
    ]
    for sheet in sheets(report):
        lines += ["", sheet.title]
        widths = [max(len(row[n]) for row in (sheet.head, *sheet.rows)) for n in range(len(sheet.head))]
        for row in (sheet.head, *sheet.rows):
            cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
            lines.append("  " + "  ".join(cells).rstrip())
        lines.append(f"  {sheet.note}")
    return "\n".join(lines)


def leaders(best: Sequence[Finished], aim: Aim) -> list[str]:
    """The first of a ranking, a line each."""
    return [
        f"{percent(aim.net(one.score)):>9} a year, fall {percent(aim.fall(one.score))}, set {one.number}: "
        f"{told(one.values)}"
        for one in best
    ]


def percent(ratio: float) -> str:
    return f"{ratio * 100:.2f} %"


def likelihood(share: float) -> str:
    """A probability as it may be read: what rests on a record and a model is never certain."""
    if share > 0.999:
        return "above 99.9 %"
    return "below 0.1 %" if share < 0.001 else percent(share)


def short(values: Values) -> str:
    return told(values) or "as configured"


def _best(report: Report) -> Sheet:
    aim = report.aim
    rows = [_row(short(one.values), one.score, aim) for one in report.best[:SHOWN]]
    rows.append(_row("as configured", report.configured, aim))
    note = f"Net a year per unit of swap notional, {aim.objective} of the instruments, costs deducted."
    return Sheet(
        "Best sets", note, ("set", "net", aim.second, "switches", "held", "Sharpe a day"), tuple(rows)
    )


def _front(report: Report) -> Sheet:
    rows = tuple(_row(short(one.values), one.score, report.aim) for one in report.front)
    note = f"No other set has both a higher net and a lower {report.aim.second}."
    head = ("set", "net", report.aim.second, "switches", "held", "Sharpe a day")
    return Sheet("Front", note, head, rows)


def _row(name: str, score: Score, aim: Aim) -> tuple[str, ...]:
    results = score.results.values()
    held = sum(one.held for one in results) / len(score.results)
    switches = sum(one.switches for one in results)
    return (
        name, percent(aim.net(score)), percent(aim.fall(score)), str(switches), percent(held),
        f"{score.sharpe:.3f}",
    )  # fmt: skip


def _walks(report: Report) -> Sheet:
    rows = [
        (
            f"{formats.utc_day(one.split.judged_on[0])} to {formats.utc_day(one.split.judged_on[1] - 1)}",
            *(percent(net) for net in (one.chosen_net, one.judged_net, one.usual_net)),
            short(one.best.values),
        )
        for one in report.walks
    ]
    if rows:
        nets = [(one.chosen_net, one.judged_net, one.usual_net) for one in report.walks]
        rows.append(("mean", *(percent(fmean(each)) for each in zip(*nets, strict=True)), ""))
    note = "Each part is judged by the set that was best on other parts, chosen without seeing this one."
    return Sheet(
        "Walk-forward",
        note,
        ("judged on", "net where chosen", "net where judged", "as configured there", "set"),
        tuple(rows),
    )


def _chance(report: Report) -> Sheet:
    lucky = judgement.expected_best_sharpe(report.sharpe_variance, report.tried)
    rows = (
        ("Sharpe ratio of the best, a day", f"{report.best[0].score.sharpe:.4f}"),
        (f"expected of the best of {report.tried} without merit", f"{lucky:.4f}"),
        ("probability that it has merit (deflated Sharpe ratio)", likelihood(report.deflated_sharpe)),
    )
    note = "Days are taken as independent, which funding is not: read it as too good, never as certainty."
    return Sheet("Chance", note, ("figure", "value"), rows)


def _outlook(report: Report) -> Sheet:
    one = report.outlook
    rows = [("mean of a year", percent(one.mean)), ("years below zero", percent(one.losing))]
    for level in one.var:
        rows.append((f"loss of a year, VaR {level:.0%}", percent(one.var[level])))
        rows.append((f"mean loss beyond it, CVaR {level:.0%}", percent(one.cvar[level])))
    rows += [(f"largest fall, {level:.0%} of paths below", percent(v)) for level, v in one.drawdown.items()]
    note = (
        f"{one.paths:,} years made of random stretches of the record. A loss below zero is a gain. "
        "What never was in the record is in none of them."
    )
    return Sheet("Monte-Carlo", note, ("figure", "of the notional"), tuple(rows))


def _stress(report: Report) -> Sheet:
    rows = tuple(
        (one.name, percent(one.effect) + (" a year" if one.per_year else ""), one.detail)
        for one in report.stresses
    )
    return Sheet(
        "Stress", "What each does to the net of the best set.", ("scenario", "effect", "detail"), rows
    )


def _runs(report: Report) -> Sheet:
    rows = tuple(
        (
            ", ".join(f"{key.removeprefix('strategy.')} {v}" for key, v in one["set"].items()),
            percent(float(one["summary"]["net_apr"])),
            percent(float(one["summary"]["max_drawdown"])),
            str(one["summary"]["opens"]),
            str(one["summary"]["unexplained"]),
        )
        for one in report.runs
    )
    note = "The whole engine on the tape, on its capital, with books, margin and compounding."
    return Sheet(
        "Confirmed", note, ("set", "net APR on capital", "largest fall", "opened", "unexplained"), rows
    )


# --- files ------------------------------------------------------------------------------------------


def write(report: Report, folder: Path) -> None:
    """sweep.json for programs, sweep.html for people."""
    from scripts.sweep.page import page

    write_whole(folder / "sweep.json", json.dumps(report.plain(), indent=1) + "\n")
    write_whole(folder / "sweep.html", page(report))
