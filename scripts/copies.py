"""`main.py backup` and `main.py restore`, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from config.overlay import FILE_NAME as OVERLAY
from core.journal import FILE_NAME
from scripts.backup import FOLDER, Restored, as_data, make_backup
from scripts.backup import restore as put_back
from scripts.questions import Answer, when


def backup(data: Path, to: Path | None, keep: int | None, now_ms: int) -> Answer:
    """Make one backup of the data folder's journal under `to`."""
    made = make_backup(data, to or data / FOLDER, now_ms, keep)
    held = made.manifest
    text = f"{made.folder}: {held.rows} rows until {when(held.last_row_ms)}, verified, head {held.head}"
    if held.overlay_version:
        text += f"\nand version {held.overlay_version} of the changes over the configuration"
    if made.removed:
        text += f"\nremoved {len(made.removed)} older: {', '.join(made.removed)}"
    return Answer(0, text, as_data(made))


def restore(source: Path, data: Path, over_newer: bool, now_ms: int) -> Answer:
    """Put the backup into the data folder, and say what to do next."""
    done = put_back(source, data, now_ms, over_newer)
    held = done.manifest
    text = f"{data} holds the {held.rows} rows of {source} again, until {when(held.last_row_ms)}, verified"
    if FILE_NAME in done.replaced:
        rows = "that could not be read" if done.rows_before is None else f"of {done.rows_before} rows"
        text += f"\nthe journal {rows} is kept in {data / done.set_aside}"
    text += f"\n{_changes(done)}"
    if OVERLAY in done.replaced and held.overlay_version is not None:
        text += f"; those that were there are kept in {data / done.set_aside}"
    text += "\nthe next start asks the venue for everything since"
    facts = {"data": str(data), "rows_before": done.rows_before, "set_aside": done.set_aside}
    return Answer(0, text, {**facts, "replaced": list(done.replaced), **asdict(held)})


def _changes(done: Restored) -> str:
    """What became of the overlay."""
    match done.manifest.overlay_version:
        case None:
            return "the backup is from before changes over the configuration were kept: they stay as they are"
        case 0:
            return "no changes lie over the configuration, as then"
        case version:
            return f"version {version} of the changes lies over the configuration again"
