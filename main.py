"""The one entry. Each command is a few lines that call scripts/; `main.py` alone is `main.py run`."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from core.errors import EngineError, UsageError
from scripts import options as opt
from scripts.command_line import DONE, FAILED, USAGE, Config, Data, Json, answer, ending, instant
from scripts.commands import Command, Verb, send
from scripts.folders import last_folder
from scripts.research import register

app = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)
journal_app = typer.Typer(help="Questions to the journal itself.")
app.add_typer(journal_app, name="journal")

Regime = Annotated[str | None, typer.Option(help="of the generated market: calm, crash, ...; docs/venue.md")]
HoldRegime = Annotated[
    bool, typer.Option("--hold-regime/--from-regime", help="stay in the regime, or only start from it")
]


@app.command()
def run(
    mode: Annotated[opt.Mode, typer.Option(help="demo needs no keys")] = opt.Mode.DEMO,
    for_: Annotated[str | None, typer.Option("--for", help="how long, in venue time: 30d, 12h, 90m")] = None,
    speed: Annotated[str, typer.Option(help="venue seconds per second of demo, or max")] = "3600",
    seed: Annotated[int, typer.Option(help="of the generated market")] = 7,
    tape: Annotated[Path | None, typer.Option(help="replay this tape folder instead")] = None,
    instruments: Annotated[str, typer.Option(help="instead of instruments.yaml's: BTC-USDT,ETH-USDT")] = "",
    from_: Annotated[str | None, typer.Option("--from", help="start of the tape, 2024-01-01")] = None,
    to: Annotated[str | None, typer.Option(help="end of the tape")] = None,
    venue: Annotated[str | None, typer.Option(help="an already running simulated venue")] = None,
    regime: Regime = None,
    hold_regime: HoldRegime = True,
    config: Config = Path("config"),
    data: Data = None,
    web: Annotated[bool, typer.Option("--web/--no-web", help="HTTP API, see monitor.yaml")] = True,
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
        from_ms=instant(from_, "--from"),
        to_ms=instant(to, "--to"),
        venue=venue,
        regime=regime,
        hold_regime=hold_regime,
        config=config,
        data=data,
        take_over=take_over,
        web=web,
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
            from_ms=instant(from_, "--from"),
            to_ms=instant(to, "--to"),
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
    seed: Annotated[int, typer.Option(help="of the generated market")] = 7,
    data: Annotated[
        Path | None, typer.Option(help="an empty folder; default: the next one of the demos")
    ] = None,
    json: Json = False,
) -> None:
    """Weeks of the demo through restarts: does memory, do files, does the journal grow as they may?"""
    from scripts.soak import soak as soaked

    answer(soaked(opt.duration_ms(for_), restarts_per_day, seed, data), json)


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

    answer(stormed(kills, seed, config, keep), json)


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
def status(data: Data = None, json: Json = False) -> None:
    """What the engine is, holds and waits for."""
    from scripts import questions

    answer(questions.status(last_folder(data)), json)


@app.command()
def why(
    instrument: Annotated[str | None, typer.Argument(help="like BTC-USDT; none: the last decision")] = None,
    at: Annotated[str | None, typer.Option(help="2026-01-31T08:05, 08:05 or UTC milliseconds")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Why the engine did, or did not: the last decision with every verdict and figure."""
    from scripts import questions

    name = opt.name_of(instrument) if instrument else None
    answer(questions.why(last_folder(data), name, at), json)


@app.command()
def pnl(
    by: Annotated[str | None, typer.Option(help="instrument, day or round")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Where the money came from."""
    from scripts import questions

    answer(questions.pnl(last_folder(data), by), json)


def _tell(verb: Verb, reason: str, data: Path | None, instrument: str = "") -> None:
    _send(last_folder(data), Command(verb, reason, instrument))


def _send(folder: Path, command: Command) -> None:
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: no such folder, so nobody was told; name the engine's own")
    pid = send(folder, command)
    told = f"process {pid} was told; `python main.py status` shows what came of it"
    if pid is None:
        told = f"no engine runs in {folder}: told at its start"
    print(f"{command.verb.value}: {told}")


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
def close(
    instrument: Annotated[str, typer.Argument(help="like BTC-USDT")],
    reason: Annotated[str, typer.Option()] = "operator",
    data: Data = None,
) -> None:
    """Give up one hedge, both legs; after the cooldown it may be opened again."""
    _tell(Verb.CLOSE, reason, data, opt.name_of(instrument))


@app.command()
def scan(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """One scan now, as if five minutes had passed."""
    _tell(Verb.SCAN, reason, data)


@app.command()
def configure(
    changes: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="KEY= goes back to the file's")
    ],
    reason: Annotated[str, typer.Option()] = "operator",
    config: Config = Path("config"),
    data: Data = None,
) -> None:
    """Change the configuration of a running engine: it holds its hedges and starts again with it."""
    from scripts.reconfiguration import Reconfiguration, changes_of

    folder, asked = last_folder(data), changes_of(changes)
    there = Reconfiguration(config, folder)
    version = there.version
    for one in there.propose(version, asked).diff:
        print(f"{one.key}: {one.before} -> {one.after}")
    if not there.is_as_started():
        print("and what else differs from the last start: files edited since, or its --instruments")
    _send(folder, Command(Verb.CONFIGURE, reason, "", version, asked))


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="folder for the copy; default: backups/ beside it")] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="drop all but so many of the youngest")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Copy the journal, verified, with the daemon running or not."""
    from scripts import copies

    answer(copies.backup(last_folder(data), to, keep, int(time.time() * 1000)), json)


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

    answer(copies.restore(source, last_folder(data), over_newer, int(time.time() * 1000)), json)


@app.command()
def adopt(
    instrument: Annotated[str, typer.Argument(help="like BTC-USDT")],
    reason: Annotated[str, typer.Option()] = "operator",
    data: Data = None,
) -> None:
    """Take a short without a journal, and the coins that hedge it, into the books; halt first."""
    _tell(Verb.ADOPT, reason, data, opt.name_of(instrument))


@app.command()
def refuse(reason: Annotated[str, typer.Option()] = "operator", data: Data = None) -> None:
    """Leave what on the account is not ours for ever as somebody else's."""
    _tell(Verb.REFUSE, reason, data)


@journal_app.command()
def verify(data: Data = None, json: Json = False) -> None:
    """Recompute the hash chain."""
    from scripts import questions

    answer(questions.journal_verify(last_folder(data)), json)


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

    answer(played(last_folder(data), load(config), at, set_ or []), json)


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


register(app)


def main(argv: list[str]) -> int:
    """Run one command; the user's mistakes are one line and exit code 2, never a traceback."""
    commands = {getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known = {*commands, *(group.name for group in app.registered_groups), "--help"}
    if argv and argv[0] not in known and not argv[0].startswith("-"):
        print(f"{argv[0]!r} is no command; `python main.py --help` lists them", file=sys.stderr)
        return USAGE
    arguments = argv if argv and argv[0] in known else ["run", *argv]
    try:
        app(arguments)
    except SystemExit as done:  # the command line library ends this way, with 2 for wrong usage
        return done.code if isinstance(done.code, int) else FAILED
    except EngineError as error:
        return ending(error)
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
