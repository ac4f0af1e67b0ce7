"""How a tape's rows lie on the disk: as text, the header first, in gzip or in Parquet.

Parquet needs pyarrow, which is not among what the engine needs: it is looked for only when such a file is
read or written. Its columns are numbers wherever a float64 gives back every digit, and text otherwise.
"""

from __future__ import annotations

import gzip
import importlib
import os
import zlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError

GZIP: Final = ".csv.gz"
PARQUET: Final = ".parquet"
SUFFIXES: Final = (GZIP, PARQUET)
_PART: Final = ".new"


def read_lines(path: Path) -> list[str]:
    """The header and the rows of a file. Raises UsageError for what is no such file."""
    return _lines_of_table(path) if path.name.endswith(PARQUET) else _unpacked(path).splitlines()


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write a whole file under its name, or leave what was there. Raises UsageError where that cannot be."""
    data = _table_of(path, lines) if path.name.endswith(PARQUET) else _packed(lines)
    beside = path.with_name(path.name + _PART)
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}, allowed: a folder to write into") from error


def require_parquet() -> Any:
    """pyarrow, or UsageError with how to get it."""
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed; allowed: `make parquet`, or csv"
        ) from error


def _packed(lines: Sequence[str]) -> bytes:
    return gzip.compress("\n".join([*lines, ""]).encode(), compresslevel=6, mtime=0)


def _unpacked(path: Path) -> str:
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8")
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path.name}: not readable ({error}), allowed: a whole gzip file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: {error}, allowed: UTF-8 text") from error


def _table_of(path: Path, lines: Sequence[str]) -> bytes:
    arrow = require_parquet()
    header, *rows = (line.split(",") for line in lines)
    columns = {name: [row[n] for row in rows] for n, name in enumerate(header)}
    sink = arrow.BufferOutputStream()
    table = arrow.table({name: _typed(arrow, name, cells) for name, cells in columns.items()})
    arrow.parquet.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _typed(arrow: Any, name: str, cells: list[str]) -> Any:
    if name == "symbol":
        return arrow.array(cells, arrow.string()).dictionary_encode()
    if name == "ts":
        return arrow.array([int(cell) for cell in cells], arrow.int64())
    numbers = [float(cell) if cell else None for cell in cells]
    exact = all(
        number is None or Decimal(repr(number)) == Decimal(cell)
        for number, cell in zip(numbers, cells, strict=True)
    )
    return arrow.array(numbers, arrow.float64()) if exact else arrow.array(cells, arrow.string())


def _lines_of_table(path: Path) -> list[str]:
    arrow = require_parquet()
    try:
        table = arrow.parquet.read_table(path)
    except (OSError, arrow.ArrowException) as error:
        raise UsageError(f"{path.name}: not readable ({error}), allowed: a Parquet file") from error
    columns = [_texts(table.column(name).to_pylist()) for name in table.column_names]
    return [",".join(table.column_names), *map(",".join, zip(*columns, strict=True))]


def _texts(cells: list[Any]) -> list[str]:
    """Numbers as the digits they were written from: a float's shortest, and 100 rather than 100.0."""
    return ["" if cell is None else str(cell).removesuffix(".0") for cell in cells]
