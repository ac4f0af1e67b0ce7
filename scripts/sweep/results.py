"""The results file: one JSON object a line, a first one that says what was asked, then one per finished set.

Lines are only ever added. A line that a kill cut short is dropped when the file is opened again, and its set
is played again; every whole line stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import EngineError, UsageError

FILE: Final = "results.jsonl"

Key = tuple[str, int]  # the study and the set's number in it
Said = dict[str, Any]


class Results:
    """The finished sets of a sweep. `path` None keeps them in memory only."""

    def __init__(self, path: Path | None, question: Mapping[str, Any], resume: bool) -> None:
        """Raises UsageError when the file is there and `resume` is not wanted, or it answers another
        question."""
        self._path, self._known = path, dict[Key, Said]()
        if path is None:
            return
        if path.exists() and not resume:
            raise UsageError(
                f"--out {path.parent}: has the results of an earlier sweep; --resume goes on with it"
            )
        lines = self._whole_lines(path) if path.exists() else []
        if lines:
            self._take_over(lines, question)
        self._file = path.open("a", encoding="utf-8")
        if not lines:
            self._write({"question": question})

    def __len__(self) -> int:
        return len(self._known)

    def get(self, study: str, number: int, values: Mapping[str, str]) -> Said | None:
        """What this set came to, if it is known. Raises EngineError when another set has its number."""
        known = self._known.get((study, number))
        if known is not None and known["set"] != dict(values):
            raise EngineError(
                f"{self._path}: set {number} of {study} is not the one that is drawn now; "
                "another version wrote it: begin in an empty folder"
            )
        return known

    def add(self, study: str, number: int, values: Mapping[str, str], score: Mapping[str, Any]) -> None:
        said = {"study": study, "number": number, "set": dict(values), "score": dict(score)}
        self._known[study, number] = said
        if self._path is not None:
            self._write(said)

    def close(self) -> None:
        if self._path is not None:
            self._file.close()

    def _write(self, said: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(said, separators=(",", ":")) + "\n")
        self._file.flush()

    def _take_over(self, lines: list[str], question: Mapping[str, Any]) -> None:
        first = json.loads(lines[0]).get("question")
        asked = json.loads(json.dumps(question))
        if first != asked:
            other = [name for name in asked if not isinstance(first, dict) or first.get(name) != asked[name]]
            raise UsageError(f"--resume: {self._path} answers another question: {', '.join(other)} differ")
        for line in lines[1:]:
            said = json.loads(line)
            self._known[said["study"], said["number"]] = said

    @staticmethod
    def _whole_lines(path: Path) -> list[str]:
        """The lines that were written to their end; what comes after them is cut off."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
        return content[:whole].decode("utf-8").splitlines()
