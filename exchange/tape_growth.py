"""One file of a tape while it grows: pages are appended beside it, and it is replaced whole at the end.

Pages go to <name>.part, each in one write that has reached the disk before the next is asked for. Whatever
kills a download, all pages before are in the part, and what a power cut left of a line is cut off. Only
`finish` touches the file itself, and it does so by one rename.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import UsageError
from exchange.tape_files import FUNDING, HEADERS, TapeFile, tape_file
from exchange.tape_gaps import Gap, missing_bars, missing_settlements
from exchange.tape_store import SUFFIXES, write_lines

PART: Final = ".part"

Row = tuple[int, Sequence[str]]


class Growth:
    """The rows known of a series, and where more go. Raises UsageError for files that are not its own."""

    def __init__(self, folder: Path, stem: str, suffix: str) -> None:
        self._path = folder / f"{stem}{suffix}"
        self._part = folder / f"{stem}{PART}"
        self._files = [path for each in SUFFIXES if (path := folder / f"{stem}{each}").exists()]
        shape = tape_file(self._path)
        assert shape is not None
        self._shape: TapeFile = shape
        _refuse_other_periods(folder, shape)
        self._header = ",".join(HEADERS[shape.kind][0])
        self._lines: dict[int, str] = {}
        for path in self._files:
            self._take_file(path)
        self._grown = 0
        for line in self._whole_part():
            self._lines[int(line.partition(",")[0])] = line
            self._grown += 1

    @property
    def name(self) -> str:
        return self._path.name

    @property
    def times(self) -> list[int]:
        """The instants known, ascending."""
        return sorted(self._lines)

    def missing(self, from_ms: int, to_ms: int) -> list[Gap]:
        """What of [from, to) is not known."""
        if self._shape.kind == FUNDING:
            return missing_settlements(self.times, from_ms, to_ms)
        return missing_bars(self.times, self._shape.bar_ms, from_ms, to_ms)

    def append(self, rows: Iterable[Row]) -> int:
        """Keep a page, durably; return how many of its rows are new."""
        symbol = self._shape.symbol
        fresh = {ts: ",".join((str(ts), symbol, *cells)) for ts, cells in rows if ts not in self._lines}
        if fresh:
            self._write("".join(f"{line}\n" for line in fresh.values()))
            self._lines |= fresh
            self._grown += len(fresh)
        return len(fresh)

    def finish(self) -> None:
        """Put all that is known into the file, in order, and remove what it was made of."""
        if self._grown or (self._files and self._files != [self._path]):
            write_lines(self._path, [self._header, *(self._lines[ts] for ts in self.times)])
            for path in self._files:
                if path != self._path:
                    path.unlink()
        self._part.unlink(missing_ok=True)

    def _take_file(self, path: Path) -> None:
        file = tape_file(path)
        assert file is not None
        if file.header() != self._header:
            raise UsageError(f"{path.name}, line 1: header is {file.header()!r}, allowed: {self._header}")
        self._lines |= dict(zip(file.times(), file.lines(), strict=True))

    def _write(self, text: str) -> None:
        try:
            with self._part.open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"{self._part}: {error.strerror}, allowed: a folder to write into") from error

    def _whole_part(self) -> Iterator[str]:
        """The rows of an earlier, unfinished download; the part is cut after the last whole one."""
        if not self._part.exists():
            return
        data, kept = self._part.read_bytes(), 0
        for line in data.splitlines(keepends=True):
            text = line.decode(errors="replace")
            if not (text.endswith("\n") and self._is_row(text[:-1])):
                break
            kept += len(line)
            yield text[:-1]
        if kept < len(data):
            with self._part.open("r+b") as file:
                file.truncate(kept)

    def _is_row(self, text: str) -> bool:
        ts, symbol, *_ = *text.split(","), "", ""
        return text.count(",") == self._header.count(",") and ts.isdigit() and symbol == self._shape.symbol


def _refuse_other_periods(folder: Path, shape: TapeFile) -> None:
    """A file of another period of the same series would overlap what is downloaded."""
    for path in sorted(folder.iterdir()):
        other = tape_file(path)
        if other is None or not other.period_name:
            continue
        if (other.venue, other.kind, other.bar_ms, other.symbol) == (
            shape.venue, shape.kind, shape.bar_ms, shape.symbol,
        ):  # fmt: skip
            raise UsageError(
                f"{path.name}: another period of what is downloaded, allowed: a folder without such files"
            )


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the folder if need be, and let nobody else download into it. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}, allowed: a folder to write into") from error
    try:
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder}: not writable, allowed: a folder to write into")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UsageError(f"{folder}: another download works in it, allowed: one at a time") from error
    finally:
        os.close(handle)
