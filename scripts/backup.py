"""Copies of the journal that can be trusted, and the way back: `main.py backup` and `main.py restore`.

A backup is a folder: the journal itself, its rows as JSON lines for reading, the changes that lie over the
configuration, and a manifest. It appears under its name only when it is complete and has been verified by
reopening it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from config.overlay import FILE_NAME as OVERLAY
from config.overlay import read_overlay
from core.errors import JournalBroken, JournalFailed, UsageError
from core.fallback import fallback_of, sync_folder
from core.journal import FILE_NAME
from core.journal_reader import JournalReader, VerifyResult, as_json, verify
from core.lock import FolderLock
from monitor.status import STATE_FILE
from scripts.version import VERSION

EXPORT: Final = "journal.jsonl.gz"
MANIFEST: Final = "manifest.json"
FOLDER: Final = "backups"  # inside the data folder, where nobody says otherwise
UNFINISHED: Final = ".unfinished"
PAGES_PER_STEP: Final = -1  # all at once: in WAL mode a reader holds nobody up


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `head` is the hash of the last row, times are UTC ms of this machine's clock.

    overlay_version  of the changes over the configuration; 0 when there were none, None in a backup from
                     before they were kept.
    """

    made_ms: int
    version: str
    rows: int
    head: str
    decision_head: str
    last_row_ms: int
    sha256: str  # of journal.db
    overlay_version: int | None = None
    overlay_sha256: str = ""  # of overlay.json; "" without one


@dataclass(frozen=True, slots=True)
class Backup:
    folder: Path
    manifest: Manifest
    removed: tuple[str, ...] = ()


def make_backup(data: Path, to: Path, now_ms: int, keep: int | None = None) -> Backup:
    """Copy the journal of the data folder into a new folder under `to`, verify it, and drop old ones.

    The daemon may run. keep: how many backups of the same books stay; None keeps all. Raises JournalFailed
    when there is nothing to copy or nowhere to copy to, JournalBroken when the copy does not hold.
    """
    source = data / FILE_NAME
    if not source.exists():
        raise JournalFailed(f"there is no journal at {source}")
    final = to / datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    work = final.with_name(final.name + UNFINISHED)
    try:
        work.mkdir(parents=True)
        manifest = _fill(source, work, now_ms)
        manifest = _with_overlay(data, work, manifest)
        (work / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        if (data / STATE_FILE).exists():
            shutil.copy(data / STATE_FILE, work)
        _sync(work)
        os.rename(work, final)
        sync_folder(to)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(work, ignore_errors=True)
        raise JournalFailed(f"cannot back up {source} to {to}: {error}") from error
    except JournalFailed:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return Backup(final, manifest, _prune(to, keep) if keep is not None else ())


def _fill(source: Path, work: Path, now_ms: int) -> Manifest:
    copy = work / FILE_NAME
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(copy)) as held,
    ):
        live.backup(held, pages=PAGES_PER_STEP)
        held.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself
    found = _sound(copy)
    last_row_ms, rows = 0, 0
    with JournalReader(copy) as reader, gzip.open(work / EXPORT, "wt", encoding="utf-8") as out:
        for row in reader.rows():
            out.write(as_json(row) + "\n")
            last_row_ms, rows = max(last_row_ms, row.at_ms), rows + 1
    if rows != found.rows:
        raise JournalBroken(f"{rows} of {found.rows} rows could be exported")
    return Manifest(now_ms, VERSION, found.rows, found.head, found.decision_head, last_row_ms, _sha256(copy))


def _with_overlay(data: Path, work: Path, manifest: Manifest) -> Manifest:
    """Copy the overlay too, and say so. After the journal: what it says of a change may be missing, never
    the change itself."""
    if not (data / OVERLAY).exists():
        return replace(manifest, overlay_version=0)
    shutil.copy(data / OVERLAY, work)
    try:
        version = read_overlay(work).version
    except UsageError as error:
        raise JournalFailed(
            f"cannot back up {data / OVERLAY}: it holds no changes of a configuration; mend or remove it"
        ) from error
    return replace(manifest, overlay_version=version, overlay_sha256=_sha256(work / OVERLAY))


def read_backup(folder: Path) -> Manifest:
    """Read a backup's manifest, and verify that it holds what it says.

    Raises UsageError for a folder that is no backup, JournalBroken for one that was changed.
    """
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{folder}: a folder made by `main.py backup` is needed ({error})") from error
    if _sha256(folder / FILE_NAME) != manifest.sha256:
        raise JournalBroken(f"{folder / FILE_NAME} is not the file the manifest speaks of")
    found = _sound(folder / FILE_NAME)
    if (found.rows, found.head) != (manifest.rows, manifest.head):
        raise JournalBroken(f"{folder} holds {found.rows} rows, its manifest says {manifest.rows}")
    _check_overlay(folder / OVERLAY, manifest)
    return manifest


def _check_overlay(kept: Path, manifest: Manifest) -> None:
    if not manifest.overlay_version:
        if kept.exists():
            raise JournalBroken(f"{kept} is no part of this backup, its manifest says")
        return
    if _sha256(kept) != manifest.overlay_sha256:
        raise JournalBroken(f"{kept} is not the file the manifest speaks of")
    if (version := read_overlay(kept.parent).version) != manifest.overlay_version:
        raise JournalBroken(f"{kept} is version {version}, its manifest says {manifest.overlay_version}")


def _sound(path: Path) -> VerifyResult:
    """Both of the checks a journal has: SQLite's own of its pages, ours of the chain."""
    found = verify(path)
    if not found.ok:
        raise JournalBroken(f"{path}: {found.message}")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise JournalBroken(f"{path}: {error}") from error
    if verdict != "ok":
        raise JournalBroken(f"{path}: {verdict}")
    return found


def _prune(to: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the `keep` youngest complete backups, and what was left unfinished."""
    for left in to.glob(f"*{UNFINISHED}"):
        shutil.rmtree(left, ignore_errors=True)
    complete = sorted(path.parent for path in to.glob(f"*/{MANIFEST}"))
    removed = complete[:-keep] if keep else complete
    for folder in removed:
        shutil.rmtree(folder)
    return tuple(folder.name for folder in removed)


# --- the way back -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """`set_aside` names the folder, inside the data folder, that keeps what was there before: these files."""

    manifest: Manifest
    rows_before: int | None  # None: nothing was there, or it could not be read
    set_aside: str
    replaced: tuple[str, ...]


def restore(backup: Path, data: Path, now_ms: int, over_newer: bool = False) -> Restored:
    """Put a backup's journal and overlay into the data folder; what was there is kept in a folder beside it.

    Everything is verified before anything is touched, and the last step is one rename: whoever looks
    finds the old journal or the new one, and with the new one its overlay. Raises SelfCheckRefused while an
    engine holds the folder, UsageError when the journal there is newer or belongs to other books and
    `over_newer` is not set.
    """
    manifest = read_backup(backup)
    data.mkdir(parents=True, exist_ok=True)
    with FolderLock(data):
        target = data / FILE_NAME
        rows_before = _judge(target, manifest, over_newer) if target.exists() else None
        fresh = data / f"{FILE_NAME}.restoring"
        try:
            shutil.copy(backup / FILE_NAME, fresh)
            _sound(fresh)
            _sync(data, fresh)
            aside, replaced = _set_aside(data, now_ms)
            if manifest.overlay_version is not None:
                _lay_over(backup, data, manifest)
            os.replace(fresh, target)
            sync_folder(data)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise JournalFailed(f"cannot restore {backup} to {data}: {error}") from error
    return Restored(manifest, rows_before, aside, replaced)


def _lay_over(backup: Path, data: Path, manifest: Manifest) -> None:
    """The overlay as it was then: that of the backup, or none."""
    if not manifest.overlay_version:
        (data / OVERLAY).unlink(missing_ok=True)
        return
    fresh = data / f"{OVERLAY}.restoring"
    shutil.copy(backup / OVERLAY, fresh)
    _sync(data, fresh)
    os.replace(fresh, data / OVERLAY)


def _judge(target: Path, manifest: Manifest, over_newer: bool) -> int | None:
    """How many rows the journal has that would be replaced; None when it is damaged."""
    try:
        found = _sound(target)
        _fold_log(target)
    except (JournalBroken, sqlite3.Error):
        return None
    waiting = fallback_of(target)
    same_books = _hash_at(target, manifest.rows) == manifest.head
    if over_newer or (same_books and found.rows == manifest.rows and not waiting.exists()):
        return found.rows
    if (found.rows > manifest.rows and same_books) or waiting.exists():
        raise UsageError(
            f"{target} is newer than the backup: {found.rows} rows against {manifest.rows}"
            f"{', and more in ' + waiting.name if waiting.exists() else ''}; --over-newer replaces it"
        )
    if found.rows and not same_books:
        raise UsageError(
            f"{target} holds other books than the backup; --over-newer replaces them all the same"
        )
    return found.rows


def _fold_log(target: Path) -> None:
    """Write SQLite's log into the file, so that the file alone is the whole journal."""
    with closing(sqlite3.connect(target, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _hash_at(path: Path, seq: int) -> str:
    with JournalReader(path) as reader:
        row = next(reader.rows(after_seq=seq - 1), None)
    return row.hash if row is not None and row.seq == seq else ""


def _set_aside(data: Path, now_ms: int) -> tuple[str, tuple[str, ...]]:
    """Keep the overlay, the journal and everything that belongs to it; return the folder's name and the
    files, none when nothing is there. The journal's log goes before the file is replaced, because SQLite
    would read an old log into the new file; of a sound journal the log is empty by now."""
    target = data / FILE_NAME
    beside = [target.with_name(target.name + end) for end in ("-wal", "-shm")]
    beside = [path for path in (*beside, fallback_of(target)) if target.exists() and path.exists()]
    there = [path for path in (target, *beside, data / OVERLAY) if path.exists()]
    if not there:
        return "", ()
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = data / f"replaced-{stamp}"
    aside.mkdir()
    for path in there:
        shutil.copy2(path, aside)
    _sync(aside)
    sync_folder(data)
    for path in beside:
        path.unlink()
    return aside.name, tuple(path.name for path in there)


# --- shared -----------------------------------------------------------------------------------------


def _sync(folder: Path, *files: Path) -> None:
    for path in files or tuple(folder.iterdir()):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    sync_folder(folder)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise JournalBroken(f"{path} cannot be read: {error}") from error


def as_data(backup: Backup) -> dict[str, Any]:
    """A backup as one JSON object."""
    return {"folder": str(backup.folder), **asdict(backup.manifest), "removed": list(backup.removed)}
