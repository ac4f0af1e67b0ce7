"""The shape of a payload: every field's path, and the JSON types seen there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from monitor.words import Language

Shape = dict[str, set[str]]  # path -> object, list, text, number, flag or null
_CHINESE: Final[Mapping[str, str]] = {
    "object": "对象",
    "list": "列表",
    "text": "文本",
    "number": "数值",
    "flag": "布尔值",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Lack:
    """What our answer has of a recorded field: nothing, or other types. Both in the order of their names."""

    recorded: tuple[str, ...]
    served: tuple[str, ...] = ()

    def said(self, language: Language) -> str:
        if not self.served:
            return "not served" if language == "en" else "没有提供"
        if language == "en":
            return f"served as {' or '.join(self.served)}, recorded as {' or '.join(self.recorded)}"
        return f"提供的是{_in_chinese(self.served)}，录制的是{_in_chinese(self.recorded)}"


def _in_chinese(types: Iterable[str]) -> str:
    return "或".join(_CHINESE[name] for name in types)


def shape_of(*payloads: Any) -> Shape:
    """Paths look like `data[].details[].ccy`. A list inside a list is a row of columns: `data[][4]`."""
    found: Shape = {}
    for payload in payloads:
        _walk(payload, "", found)
    return found


def _walk(value: Any, path: str, found: Shape) -> None:
    found.setdefault(path, set()).add(_type(value))
    if isinstance(value, dict):
        for name, inner in value.items():
            _walk(inner, f"{path}.{name}" if path else name, found)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            _walk(inner, f"{path}[{n}]" if path.endswith("[]") else f"{path}[]", found)


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def lacking(recorded: Shape, served: Shape) -> dict[str, Lack]:
    """Recorded paths that are not served, or with other types only.

    A recorded null tells no type. Below a path that is lacking nothing is said.
    """
    wrong: dict[str, Lack] = {}
    for path, types in recorded.items():
        if any(path.startswith((f"{above}.", f"{above}[")) for above in wrong):
            continue
        ours = served.get(path)
        if ours is None:
            wrong[path] = Lack(tuple(sorted(types)))
        elif not (types - {"null"}) <= ours:
            wrong[path] = Lack(tuple(sorted(types)), tuple(sorted(ours)))
    return wrong
