"""The tables of a sweep, the same ones on the console and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Final

from monitor import formats
from monitor.report.words import Said
from scripts.sheet import KEY, NUMBER, TEXT, Sheet, likelihood, lines_of, percent
from scripts.sweep import judgement
from scripts.sweep.report import SHOWN, Report
from scripts.sweep.scoring import Score
from scripts.sweep.space import ROOM, as_text, told
from scripts.sweep.stress import Stress
from scripts.sweep.study import Aim, Finished

FIGURES: Final = ("switches", "held", "sharpe")


def sheets(report: Report, said: Said) -> tuple[Sheet, ...]:
    """Every table of a report that has a row, in the order in which it is read."""
    makers = (_best, _front, _walks, _chance, _outlook, _stress, _runs)
    return tuple(sheet for make in makers if (sheet := make(report, said)).rows)


def tables(report: Report, said: Said) -> str:
    """The tables as text."""
    names, wall_s = ", ".join(report.instruments), f"{report.wall_s:.1f}"
    lines = [said("told", instruments=names, tried=report.tried, days=report.days, wall_s=wall_s)]
    return "\n".join([*lines, *lines_of(sheets(report, said))])


def leaders(best: Sequence[Finished], aim: Aim, said: Said) -> list[str]:
    """The first of a ranking, a line each."""
    return [
        said(
            "leader",
            net=f"{percent(aim.net(one.score)):>9}",
            fall=percent(aim.fall(one.score)),
            n=one.number,
            set=told(one.values),
        )
        for one in best
    ]


def _best(report: Report, said: Said) -> Sheet:
    note = said(f"sets.note.{report.aim.objective}")
    usual = _row(said("as_configured"), report.configured, report.aim, report.usual)
    return _sets("sets", note, report.best[:SHOWN], (usual,), report, said)


def _front(report: Report, said: Said) -> Sheet:
    note = said("front.note", second=said(report.aim.second))
    return _sets("front", note, report.front, (), report, said)


def _sets(
    name: str,
    note: str,
    found: Sequence[Finished],
    beside: tuple[tuple[str, ...], ...],
    report: Report,
    said: Said,
) -> Sheet:
    """Sets one below the other, a column for every key, so that what differs is seen."""
    words = (said("set"), said("net"), said(report.aim.second), *(said(one) for one in FIGURES))
    rows = (_row(str(one.number), one.score, report.aim, as_text(one.values)) for one in found)
    return Sheet(
        name,
        said(name),
        note,
        (TEXT, *[NUMBER] * (len(words) - 1), *[KEY] * len(report.usual)),
        (*words, *_keys(report)),
        (*rows, *beside) if found else (),
    )


def _keys(report: Report) -> tuple[str, ...]:
    return tuple(key.removeprefix(ROOM) for key in report.usual)


def _row(name: str, score: Score, aim: Aim, values: Mapping[str, str]) -> tuple[str, ...]:
    results = score.results.values()
    held = sum(one.held for one in results) / len(score.results)
    switches = sum(one.switches for one in results)
    nets = (percent(aim.net(score)), percent(aim.fall(score)))
    return (name, *nets, str(switches), percent(held), f"{score.sharpe:.3f}", *values.values())


def _walks(report: Report, said: Said) -> Sheet:
    rows = []
    for one in report.walks:
        from_ms, to_ms = one.split.judged_on
        part = said("span", begin=formats.utc_day(from_ms), end=formats.utc_day(to_ms - 1))
        nets = (one.chosen_net, one.judged_net, one.usual_net)
        rows.append((part, *map(percent, nets), *as_text(one.best.values).values()))
    if rows:
        each = zip(*((one.chosen_net, one.judged_net, one.usual_net) for one in report.walks), strict=True)
        rows.append((said("mean"), *(percent(fmean(one)) for one in each), *[""] * len(report.usual)))
    head = tuple(said(key) for key in ("judged_on", "chosen_net", "judged_net", "usual_net"))
    return Sheet(
        "walks",
        said("walks"),
        said("walks.note"),
        (TEXT, NUMBER, NUMBER, NUMBER, *[KEY] * len(report.usual)),
        (*head, *_keys(report)),
        tuple(rows),
    )


def _chance(report: Report, said: Said) -> Sheet:
    lucky = judgement.expected_best_sharpe(report.sharpe_variance, report.tried)
    rows = (
        (said("chance.best"), f"{report.best[0].score.sharpe:.4f}"),
        (said("chance.lucky", tried=report.tried), f"{lucky:.4f}"),
        (said("chance.merit"), likelihood(report.deflated_sharpe, said)),
    )
    head = (said("figure"), said("value"))
    return Sheet("chance", said("chance"), said("chance.note"), (TEXT, NUMBER), head, rows)


def _outlook(report: Report, said: Said) -> Sheet:
    one = report.outlook
    rows = [
        (said("outlook.mean"), percent(one.mean)),
        (said("outlook.losing"), likelihood(one.losing, said)),
    ]
    for level in one.var:
        rows.append((said("outlook.var", level=f"{level:.0%}"), percent(one.var[level])))
        rows.append((said("outlook.cvar", level=f"{level:.0%}"), percent(one.cvar[level])))
    rows += [(said("outlook.fall", level=f"{each:.0%}"), percent(v)) for each, v in one.drawdown.items()]
    note = said("outlook.note", paths=f"{one.paths:,}")
    head = (said("figure"), said("of_notional"))
    return Sheet("outlook", said("outlook"), note, (TEXT, NUMBER), head, tuple(rows))


def _stress(report: Report, said: Said) -> Sheet:
    rows = []
    for one in report.stresses:
        effect = percent(one.effect)
        rows.append(
            (said(one.name), said("a_year", share=effect) if one.per_year else effect, _detail(one, said))
        )
    head = (said("scenario"), said("effect"), said("detail"))
    return Sheet("stress", said("stress"), said("stress.note"), (TEXT, NUMBER, TEXT), head, tuple(rows))


def _detail(one: Stress, said: Said) -> str:
    """Of when and how much."""
    figures = dict(one.figures)
    if figures.get("starts") == 0:
        return said(f"{one.name}.short")
    fields: dict[str, object] = {name: f"{value:g}" for name, value in figures.items()}
    if "from_ms" in figures:
        fields["begin"] = formats.utc_day(int(figures["from_ms"]))
    return said(f"{one.name}.detail", **fields)


def _runs(report: Report, said: Said) -> Sheet:
    rows = tuple(
        (
            str(n + 1),
            percent(float(one["summary"]["net_apr"])),
            percent(float(one["summary"]["max_drawdown"])),
            str(one["summary"]["opens"]),
            str(one["summary"]["unexplained"]),
            *one["set"].values(),
        )
        for n, one in enumerate(report.runs)
    )
    figures = ("runs.net", "runs.fall", "runs.opens", "runs.unexplained")
    return Sheet(
        "runs",
        said("runs"),
        said("runs.note"),
        (TEXT, *[NUMBER] * len(figures), *[KEY] * len(report.usual)),
        (said("set"), *(said(key) for key in figures), *_keys(report)),
        rows,
    )
