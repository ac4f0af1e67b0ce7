"""Orders of the operator to a daemon on the same host: a file in its folder, and a signal as doorbell.

A command given while no daemon runs waits in the folder and is carried out after the next start.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.lock import holder

FOLDER = "commands"
DOORBELL = signal.SIGUSR1


class Verb(StrEnum):
    HALT = "halt"  # STOPPED, holding what is held
    FLATTEN = "flatten"  # unwind both legs of everything, then STOPPED
    RESUME = "resume"  # leave STOPPED after reconciling
    PAUSE = "pause"  # no new risk until unpaused
    UNPAUSE = "unpause"
    CLOSE = "close"  # give up one hedge, both legs, by the next decision
    SCAN = "scan"  # one scan now, as if its time had come
    ADOPT = "adopt"  # take what stands outside the books of one pair into them
    REFUSE = "refuse"  # leave what is external for ever as somebody else's
    CONFIGURE = "configure"  # lay changes over the configuration, and start again with them


@dataclass(frozen=True, slots=True)
class Command:
    verb: Verb
    reason: str
    instrument: str = ""  # of adopt and close
    version: int = 0  # of configure: the overlay's that the change was made against
    changes: Mapping[str, str | None] = field(default_factory=dict)  # and which; None takes one back


def send(folder: Path, command: Command) -> int | None:
    """Leave a command for the daemon of this folder and ring. Return its process id, None when none runs."""
    box = folder / FOLDER
    box.mkdir(parents=True, exist_ok=True)
    draft = _reserved(box)
    draft.write_text(json.dumps(asdict(command)), encoding="utf-8")
    draft.rename(draft.with_suffix(".json"))  # whole or not at all
    pid = holder(folder)
    if pid:  # 0 would ring at every process of our own group
        with suppress(ProcessLookupError):  # it has just ended: the next one finds the command
            os.kill(pid, DOORBELL)
    return pid


def _reserved(box: Path) -> Path:
    """A draft under the next number, which nobody else gets: shells, pages and chats send side by side."""
    number = max((int(p.stem) for p in box.glob("*.json") if p.stem.isdigit()), default=0)
    while True:
        number += 1
        draft = box / f"{number:06d}.new"
        try:
            draft.touch(exist_ok=False)
        except FileExistsError:
            continue
        if not draft.with_suffix(".json").exists():
            return draft
        draft.unlink()  # somebody was quicker between our look and our reserving it


def withdraw(folder: Path, command: Command) -> None:
    """Take back what nobody has taken yet: an order that was carried out otherwise must not wait on."""
    for path in (folder / FOLDER).glob("*.json"):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if body == asdict(command):
            path.unlink(missing_ok=True)


def take(folder: Path) -> Iterator[Command]:
    """Yield the waiting commands, oldest first, each taken away. What cannot be read is set aside."""
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            command = _read(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            path.rename(path.with_suffix(".unreadable"))
            continue
        path.unlink()
        yield command


def _read(body: Mapping[str, Any]) -> Command:
    changes = {
        str(key): None if value is None else str(value) for key, value in body.get("changes", {}).items()
    }
    instrument, version = str(body.get("instrument", "")), int(body.get("version", 0))
    return Command(Verb(body["verb"]), str(body["reason"]), instrument, version, changes)
