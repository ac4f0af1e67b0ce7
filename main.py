"""The one entry. Each command is a few lines that call scripts/; `main.py` alone is `main.py run`."""

from __future__ import annotations

import asyncio
import sys
import time
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import EngineError, SelfCheckRefused, UsageError
from scripts import options as opt
from scripts.commands import Command, Verb, send
from scripts.folders import last_folder

if TYPE_CHECKING:
    from scripts.questions import Answer

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3

app = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)
journal_app = typer.Typer(help="Questions to the journal itself.")
app.add_typer(journal_app, name="journal")
tape_app = typer.Typer(help="Questions to a folder of recorded data.")
app.add_typer(tape_app, name="tape")

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on the last line of stdout")]
Data = Annotated[Path | None, typer.Option(help="data folder; default: that of the last run")]
Config = Annotated[Path, typer.Option(help="configuration folder")]

Regime = Annotated[str | None, typer.Option(help="of the generated market: calm, crash, ...; docs/venue.md")]
HoldRegime = Annotated[
    bool, typer.Option("--hold-regime/--from-regime", help="stay in the regime, or only start from it")
]


@app.command()
def run(
    mode: Annotated[opt.Mode, typer.Option(help="demo needs no keys")] = opt.Mode.DEMO,
    for_: Annotated[str | None, typer.Option("--for", help="how long, in venue time: 30d, 12h, 90m")] = None,
    speed: Annotated[str, typer.Option(help="venue seconds per second of demo, or max")] = "3600",
    seed: Annotated[int, typer.Option(help="the first of 20 of the generated market")] = 7,
    tape: Annotated[Path | None, typer.Option(help="replay this tape folder instead")] = None,
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[str | None, typer.Option("--from", help="start of the tape, 2024-01-01")] = None,
    to: Annotated[str | None, typer.Option(help="end of the tape")] = None,
    venue: Annotated[str | None, typer.Option(help="an already running simulated venue")] = None,
    regime: Regime = None,
    hold_regime: HoldRegime = True,
    config: Config = Path("config"),
    data: Data = None,
    web: Annotated[
        bool, typer.Option("--web/--no-web", help="accepted; this version has no dashboard")
    ] = True,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="start although another engine was just active here")
    ] = False,
    json: Json = False,
) -> None:
    """Run the engine: demo (default), dry-run or live."""
    from scripts.daemon import run_daemon

    options = opt.RunOptions(
        mode=mode,
        for_ms=opt.duration_ms(for_) if for_ else None,
        speed=opt.speed_of(speed),
        seed=seed,
        tape=tape,
        instruments=opt.names_of(instruments),
        from_ms=opt.instant_ms(from_, "--from") if from_ else None,
        to_ms=opt.instant_ms(to, "--to") if to else None,
        venue=venue,
        regime=regime,
        hold_regime=hold_regime,
        config=config,
        data=data,
        take_over=take_over,
        json=json,
    )
    raise typer.Exit(run_daemon(options))


@app.command()
def venue(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8080,
    tape: Annotated[Path | None, typer.Option(help="replay this tape folder")] = None,
    instruments: Annotated[str, typer.Option()] = "BTC-USDT,ETH-USDT",
    from_: Annotated[str | None, typer.Option("--from", help="2026-01-05, or now for this machine's")] = None,
    to: Annotated[str | None, typer.Option()] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="venue seconds per second")] = 1.0,
    seed: Annotated[int, typer.Option()] = 7,
    regime: Regime = None,
    hold_regime: HoldRegime = True,
    lockstep: Annotated[bool, typer.Option(help="time moves only by /sim/clock")] = False,
    environment: Annotated[
        str, typer.Option(help="whose keys there are: live, demo (x-simulated-trading: 1), or any")
    ] = "any",
    faults: Annotated[Path | None, typer.Option(help="YAML file of fault rules")] = None,
    log: Annotated[Path | None, typer.Option(help="write the event log to this file")] = None,
    restore: Annotated[Path | None, typer.Option(help="begin as the venue saved in this file")] = None,
    snapshot: Annotated[Path | None, typer.Option(help="save the venue to this file at the end")] = None,
    until_stdin_closes: Annotated[bool, typer.Option("--until-stdin-closes", hidden=True)] = False,
) -> None:
    """Only the simulated venue, for any OKX client."""
    from scripts.venue import serve

    asyncio.run(
        serve(
            port=port,
            tape=tape,
            seed=seed,
            speed=speed,
            instruments=opt.names_of(instruments),
            from_ms=_instant(from_, "--from"),
            to_ms=_instant(to, "--to"),
            lockstep=lockstep,
            environment=environment,
            faults=faults,
            log=log,
            restore=restore,
            snapshot=snapshot,
            stop_on_stdin_eof=until_stdin_closes,
            regime=regime,
            hold=hold_regime,
        )
    )


@app.command()
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
    language: Annotated[
        str | None, typer.Option(help="of the report: en or zh; default: monitor.yaml's")
    ] = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """The engine on recorded history: what it would have done, earned and paid."""
    from scripts.backtest.command import BacktestOptions
    from scripts.backtest.command import backtest as tested

    options = BacktestOptions(
        tape=tape,
        instruments=opt.names_of(instruments),
        from_ms=opt.instant_ms(from_, "--from") if from_ else None,
        to_ms=opt.instant_ms(to, "--to") if to else None,
        exit_mode=exit_,
        out=out,
        config=config,
        seed=seed,
        json=json,
        language=language,
    )
    raise typer.Exit(tested(options))


@app.command()
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
        from_ms=_instant(from_, "--from"),
        to_ms=_instant(to, "--to"),
        bars=opt.words_of(bars),
        kinds=opt.words_of(kinds),
        format=format_,
        venue=venue,
        config=config,
        json=json,
    )
    raise typer.Exit(downloaded(options))


@tape_app.command()
def check(
    tape: Annotated[Path, typer.Option(help="folder of recorded data")],
    max_jump: Annotated[float, typer.Option(help="from one bar's close, a fraction")] = 0.2,
    max_mark_gap: Annotated[float, typer.Option(help="of mark to contract, a fraction")] = 0.02,
    json: Json = False,
) -> None:
    """File by file: gaps, duplicates, impossible bars; and what a backtest may use."""
    from scripts.tape.check import check as checked

    _answer(checked(tape, max_jump, max_mark_gap), json)


@app.command()
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
        from_ms=opt.instant_ms(from_, "--from") if from_ else None,
        to_ms=opt.instant_ms(to, "--to") if to else None,
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
    )
    raise typer.Exit(swept(options))


@app.command()
def simulate(
    seeds: Annotated[str, typer.Option(help="A:B, one number, or numbers with commas")] = "0:100",
    workers: Annotated[int | None, typer.Option(min=1, help="processes; default: one a core")] = None,
    until: Annotated[float | None, typer.Option(min=0.1, help="hours of chaos instead of 23")] = None,
    fifo: Annotated[bool, typer.Option("--fifo", help="keep the order of callbacks")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="print what the first seed goes through")] = False,
    shrink: Annotated[bool, typer.Option(help="make the first failing seed small")] = True,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """Seeded fault simulation: the whole engine on a simulated venue, and everything that can go wrong."""
    from scripts.simulate import Orders, seeds_of, workers_of
    from scripts.simulate import simulate as simulated

    orders = Orders(seeds_of(seeds), config, workers_of(workers), until, fifo)
    raise typer.Exit(simulated(orders, json, trace, shrink))


@app.command()
def soak(
    for_: Annotated[str, typer.Option("--for", help="how long, in venue time")] = "60d",
    restarts_per_day: Annotated[float, typer.Option(min=0, max=100, help="clean stops and starts")] = 2.0,
    seed: Annotated[int, typer.Option(help="the first of 20 of the generated market")] = 7,
    data: Annotated[
        Path | None, typer.Option(help="an empty folder; default: the next one of the demos")
    ] = None,
    json: Json = False,
) -> None:
    """Weeks of the demo through restarts: does memory, do files, does the journal grow as they may?"""
    from scripts.soak import soak as soaked

    _answer(soaked(opt.duration_ms(for_), restarts_per_day, seed, data), json)


@app.command()
def storm(
    kills: Annotated[int, typer.Option(min=1, help="SIGKILLs of the daemon")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="of the first story; each venue has the next one")] = 0,
    keep: Annotated[Path | None, typer.Option(help="a new folder for journals, fault files, logs")] = None,
    config: Config = Path("config"),
    json: Json = False,
) -> None:
    """Kill the real daemon again and again amid faults: no order twice, no leg naked, nothing unexplained."""
    from scripts.storm.storm import storm as stormed

    _answer(stormed(kills, seed, config, keep), json)


@app.command()
def watchdog(
    mode: Annotated[opt.Mode, typer.Option(help="whose engine")] = opt.Mode.LIVE,
    venue: Annotated[str | None, typer.Option(help="a running simulated venue")] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of the engine")] = None,
    after: Annotated[str | None, typer.Option(help="how long a sign of life may be lost: 10s")] = None,
    config: Config = Path("config"),
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line, as things happen")] = False,
) -> None:
    """Watch the engine from beside it, and flatten what it holds when it has lost its grip."""
    from scripts.watchdog import watch

    options = opt.RunOptions(mode=mode, venue=venue, data=data, config=config, json=json)
    raise typer.Exit(watch(options, opt.duration_ms(after, "--after") if after else None))


@app.command()
def calibrate(
    tape: Annotated[Path, typer.Option(help="folder of recorded data to measure")],
    days: Annotated[int, typer.Option(min=1, help="length of a window")] = 20,
    seed: Annotated[int, typer.Option(help="the first of 20 of the generated market")] = 7,
    coin: Annotated[str, typer.Option(help="like BTC")] = "BTC",
    json: Json = False,
) -> None:
    """Figures of a tape and of the generated market, side by side."""
    from scripts.calibrate import calibrate as measured

    found = measured(tape, coin, days, seed)
    print(dumps(found.data) if json else found.text)


@app.command()
def status(data: Data = None, json: Json = False) -> None:
    """What the engine is, holds and waits for."""
    from scripts import questions

    _answer(questions.status(last_folder(data)), json)


@app.command()
def why(
    instrument: Annotated[str | None, typer.Argument(help="like BTC-USDT; none: the last decision")] = None,
    at: Annotated[str | None, typer.Option(help="2026-01-31T08:05, 08:05 or UTC milliseconds")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Why the engine did, or did not: the last decision with every verdict and figure."""
    from scripts import questions

    _answer(questions.why(last_folder(data), instrument, at), json)


@app.command()
def pnl(
    by: Annotated[str | None, typer.Option(help="instrument, day or round")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Where the money came from."""
    from scripts import questions

    _answer(questions.pnl(last_folder(data), by), json)


def _tell(verb: Verb, reason: str, data: Path | None, instrument: str = "") -> None:
    folder = last_folder(data)
    pid = send(folder, Command(verb, reason, instrument))
    told = f"process {pid} was told" if pid is not None else f"no engine runs in {folder}: told at its start"
    print(f"{verb.value}: {told}")


@app.command()
def halt(
    flatten: Annotated[bool, typer.Option("--flatten", help="unwind everything first")] = False,
    reason: Annotated[str, typer.Option()] = "operator",
    data: Data = None,
) -> None:
    """Stop the engine: holding what is held, or flat."""
    _tell(Verb.FLATTEN if flatten else Verb.HALT, reason, data)


@app.command()
def resume(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """Leave STOPPED, after reconciling with the venue."""
    _tell(Verb.RESUME, reason, data)


@app.command()
def pause(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """Open nothing new; exits, repairs and rebalancing go on."""
    _tell(Verb.PAUSE, reason, data)


@app.command()
def unpause(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """End a pause."""
    _tell(Verb.UNPAUSE, reason, data)


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="folder for the copy; default: backups/ beside it")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="drop all but so many of the youngest")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Copy the journal, verified, with the daemon running or not."""
    from scripts import copies

    _answer(copies.backup(last_folder(data), to, keep, int(time.time() * 1000)), json)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="a folder made by backup")],
    over_newer: Annotated[
        bool, typer.Option("--over-newer", help="also over a journal that is newer or of other books")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a backup in the place of the journal; what was there is kept."""
    from scripts import copies

    _answer(copies.restore(source, last_folder(data), over_newer, int(time.time() * 1000)), json)


@app.command()
def adopt(
    instrument: Annotated[str, typer.Argument(help="like BTC-USDT")],
    reason: Annotated[str, typer.Option()] = "operator",
    data: Data = None,
) -> None:
    """Take a short without a journal, and the coins that hedge it, into the books; halt first."""
    [name] = opt.names_of(instrument) or ("",)
    _tell(Verb.ADOPT, reason, data, name)


@app.command()
def refuse(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """Leave what on the account is not ours for ever as somebody else's."""
    _tell(Verb.REFUSE, reason, data)


@journal_app.command()
def verify(data: Data = None, json: Json = False) -> None:
    """Recompute the hash chain."""
    from scripts import questions

    _answer(questions.journal_verify(last_folder(data)), json)


@journal_app.command()
def replay(
    at: Annotated[str | None, typer.Option(help="only until then; as in why --at")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="judge again with another limit: NAME=VALUE")
    ] = None,
    config: Config = Path("config"),
    data: Data = None,
    json: Json = False,
) -> None:
    """Rebuild the books row by row, prove them, and ask what other limits would have changed."""
    from config.loader import load
    from scripts.replay import replay as played

    _answer(played(last_folder(data), load(config), at, set_ or []), json)


@journal_app.command()
def export(
    kinds: Annotated[str, typer.Option(help="like decision,fill; none: all")] = "",
    data: Data = None,
) -> None:
    """Write the rows to stdout, one JSON object a line."""
    from scripts import questions

    wanted = [kind for kind in kinds.split(",") if kind]
    answer = questions.journal_export(last_folder(data), sys.stdout, wanted)
    print(answer.text, file=sys.stderr)


def _answer(answer: Answer, as_json: bool) -> None:
    print(dumps(answer.data, ensure_ascii=False) if as_json else answer.text)
    raise typer.Exit(answer.code)


def _instant(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    if text == "now" and option == "--from":
        return int(time.time() * 1000)
    return int(text) if text.isdigit() and len(text) == 13 else opt.instant_ms(text, option)


def main(argv: list[str]) -> int:
    """Run one command; the user's mistakes are one line and exit code 2, never a traceback."""
    commands = {getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known = {*commands, *(group.name for group in app.registered_groups), "--help"}
    arguments = argv if argv and argv[0] in known else ["run", *argv]
    try:
        app(arguments)
    except SystemExit as done:  # the command line library ends this way, with 2 for wrong usage
        return done.code if isinstance(done.code, int) else FAILED
    except UsageError as error:
        return _say(USAGE, str(error))
    except SelfCheckRefused as error:
        return _say(REFUSED, str(error))
    except EngineError as error:
        return _say(FAILED, str(error))
    return DONE


def _say(code: int, message: str) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
