"""The commands about recorded history: what a tape is, what was earned on it, what may be searched in it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from scripts import options as opt
from scripts.collector import expect_to_keep
from scripts.command_line import Config, Json, answer, instant

Language = Annotated[str | None, typer.Option(help="of what people read: en or zh; default: monitor.yaml's")]


def register(app: typer.Typer) -> None:
    """Add them to the command line of main.py."""
    for command in (backtest, modules, sweep, download, calibrate):
        app.command()(command)
    tape_app = typer.Typer(help="Questions to a folder of recorded data.")
    tape_app.command()(check)
    app.add_typer(tape_app, name="tape")


def backtest(
    tape: Annotated[Path, typer.Option(help="folder of recorded data")],
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="2024-01-01; default: where the tape begins")
    ] = None,
    to: Annotated[str | None, typer.Option(help="default: where the tape ends")] = None,
    exit_: Annotated[
        str | None, typer.Option("--exit", help="expected_cost, hysteresis or sign; default: strategy.yaml's")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="an empty folder for report, tables and journal")] = None,
    seed: Annotated[int, typer.Option(help="of the order books, where the tape has none")] = 7,
    language: Language = None,
    path: Annotated[
        str | None,
        typer.Option(
            help="full looks at everything, fast leaps over what cannot change anything; default: fast"
        ),
    ] = None,
    resume_after: Annotated[
        str, typer.Option(help="a simulated operator resumes a stopped engine so long after: 7d; or never")
    ] = "never",
    account: Annotated[
        str, typer.Option(help="what backs the swap: futures, USDT alone; multi, coins at a discount too")
    ] = "futures",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="over the configuration: account.spot_ratio=0.66")
    ] = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """The engine on recorded history: what it would have done, earned and paid."""
    expect_to_keep()
    from scripts.backtest.command import BacktestOptions
    from scripts.backtest.command import backtest as tested

    options = BacktestOptions(
        tape=tape,
        instruments=opt.names_of(instruments),
        from_ms=instant(from_, "--from"),
        to_ms=instant(to, "--to"),
        exit_mode=exit_,
        out=out,
        config=config,
        seed=seed,
        json=json,
        language=language,
        path=path,
        resume_after_ms=None if resume_after == "never" else opt.duration_ms(resume_after, "--resume-after"),
        account=account,
        changes=tuple(set_ or ()),
    )
    raise typer.Exit(tested(options))


def modules(
    tape: Annotated[Path, typer.Option(help="folder of recorded data")],
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="2021-01-01; default: where the tape begins")
    ] = None,
    to: Annotated[str | None, typer.Option(help="default: where the tape ends")] = None,
    only: Annotated[str, typer.Option(help="like trend_breakout,factor_score; default: all")] = "",
    venue: Annotated[str | None, typer.Option(help="whose candles: binance, okx; default: the most")] = None,
    taker: Annotated[str, typer.Option(help="fee of a fill, of its notional")] = "0.0005",
    slippage: Annotated[str, typer.Option(help="half the spread and slippage, of the price")] = "0.0003",
    capital: Annotated[int, typer.Option(min=1, help="of the sleeve, USDT")] = 10_000,
    sets: Annotated[int, typer.Option(min=0, max=1_000, help="parameter sets of the walk-forward")] = 16,
    folds: Annotated[int, typer.Option(min=0, max=50, help="of the walk-forward; 0: none")] = 4,
    seed: Annotated[int, typer.Option(help="of the sets and the resampling")] = 7,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: one a core")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for page, figures and trades")] = None,
    language: Language = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """The signal modules on recorded history: what each would have earned or lost, and by chance."""
    from scripts.sweep.needs import AUXILIARY, need

    need(AUXILIARY, "make auxiliary", "modules")
    from scripts.modules.command import ModulesOptions, measure
    from scripts.sweep.pool import cores

    options = ModulesOptions(
        tape=tape,
        instruments=opt.names_of(instruments),
        from_ms=instant(from_, "--from"),
        to_ms=instant(to, "--to"),
        only=opt.words_of(only),
        venue=venue,
        taker=opt.fraction_of(taker, "--taker"),
        slippage=opt.fraction_of(slippage, "--slippage"),
        capital=Decimal(capital),
        sets=sets,
        folds=folds,
        seed=seed,
        workers=workers or cores(),
        out=out,
        config=config,
        json=json,
        language=language,
    )
    raise typer.Exit(measure(options))


def sweep(
    tape: Annotated[Path, typer.Option(help="folder with funding records")],
    space: Annotated[Path, typer.Option(help="YAML file: which keys, between what; docs/search.md")],
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="2024-01-01; default: where the record begins")
    ] = None,
    to: Annotated[str | None, typer.Option(help="default: where the record ends")] = None,
    sampler: Annotated[str, typer.Option(help="grid, tpe, nsga2 or cmaes")] = "tpe",
    trials: Annotated[
        int | None, typer.Option(min=2, max=1_000_000, help="sets drawn in each study; default: 200")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: one a core")] = None,
    cluster: Annotated[str | None, typer.Option(help="a Dask scheduler instead, tcp://10.0.0.5:8786")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for results, report and page")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the sweep in --out")] = False,
    seed: Annotated[int, typer.Option(help="of the sampler and the Monte-Carlo")] = 7,
    objective: Annotated[str, typer.Option(help="of several instruments: worst or mean")] = "worst",
    second: Annotated[str, typer.Option(help="what nsga2 lowers beside: drawdown or regret")] = "drawdown",
    cost: Annotated[str, typer.Option(help="of an opening or a closing, of the notional")] = "0.0016",
    splits: Annotated[str, typer.Option(help="walk: forward in time; kfold: purged folds")] = "walk",
    folds: Annotated[int, typer.Option(min=0, max=50, help="of the walk-forward; 0: none")] = 4,
    purge_days: Annotated[int, typer.Option(min=0, max=365, help="left out before what is judged")] = 30,
    embargo_days: Annotated[int, typer.Option(min=0, max=365, help="left out after the boundary")] = 10,
    paths: Annotated[int, typer.Option(min=100, max=1_000_000, help="of the Monte-Carlo")] = 10_000,
    confirm: Annotated[
        int, typer.Option(min=0, max=100, help="so many of the best through the whole engine")
    ] = 0,
    language: Language = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """Search for parameters on recorded funding, and judge how far to believe what is found."""
    from scripts.sweep.needs import SEARCH, need

    need(SEARCH, "make search")
    from scripts.sweep.command import SweepOptions
    from scripts.sweep.command import sweep as swept

    options = SweepOptions(
        tape=tape,
        space=space,
        instruments=opt.names_of(instruments),
        from_ms=instant(from_, "--from"),
        to_ms=instant(to, "--to"),
        sampler=sampler,
        trials=trials,
        workers=workers,
        cluster=cluster,
        out=out,
        resume=resume,
        seed=seed,
        objective=objective,
        second=second,
        switch_cost=opt.fraction_of(cost, "--cost"),
        splits=splits,
        folds=folds,
        purge_days=purge_days,
        embargo_days=embargo_days,
        paths=paths,
        confirm=confirm,
        config=config,
        json=json,
        language=language,
    )
    raise typer.Exit(swept(options))


def download(
    tape: Annotated[Path, typer.Option(help="folder of recorded data to write into, or to go on with")],
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[str | None, typer.Option("--from", help="2026-01-05; default: 90 days before")] = None,
    to: Annotated[str | None, typer.Option(help="default: now")] = None,
    bars: Annotated[str, typer.Option(help="1m to 4h, several with commas")] = "1h",
    kinds: Annotated[
        str, typer.Option(help="of spot,perp,mark,funding,open_interest")
    ] = "spot,perp,mark,funding,open_interest",
    format_: Annotated[str, typer.Option("--format", help="csv or parquet (make parquet)")] = "csv",
    venue: Annotated[str | None, typer.Option(help="a running simulated venue")] = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """Candles, mark candles, funding and open interest from OKX's public history into a tape folder."""
    from scripts.tape.download import DownloadOptions
    from scripts.tape.download import download as downloaded

    options = DownloadOptions(
        tape=tape,
        instruments=opt.names_of(instruments),
        from_ms=instant(from_, "--from"),
        to_ms=instant(to, "--to"),
        bars=opt.words_of(bars),
        kinds=opt.words_of(kinds),
        format=format_,
        venue=venue,
        config=config,
        json=json,
    )
    raise typer.Exit(downloaded(options))


def check(
    tape: Annotated[Path, typer.Option(help="folder of recorded data")],
    max_jump: Annotated[float, typer.Option(help="from one bar's close, a fraction")] = 0.2,
    max_mark_gap: Annotated[float, typer.Option(help="of mark to contract, a fraction")] = 0.02,
    json: Json = False,
) -> None:
    """File by file: gaps, duplicates, impossible bars; and what a backtest may use."""
    from scripts.tape.check import check as checked

    answer(checked(tape, max_jump, max_mark_gap), json)


def calibrate(
    tape: Annotated[Path, typer.Option(help="folder of recorded data to measure")],
    days: Annotated[int, typer.Option(min=1, help="length of a window")] = 20,
    seed: Annotated[int, typer.Option(help="the first of 20 of the generated market")] = 7,
    coin: Annotated[str, typer.Option(help="like BTC")] = "BTC",
    json: Json = False,
) -> None:
    """Figures of a tape and of the generated market, side by side."""
    from scripts.calibrate import calibrate as measured
    from scripts.questions import Answer

    found = measured(tape, coin, days, seed)
    answer(Answer(0, found.text, found.data), json)
