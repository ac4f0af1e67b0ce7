"""The shape of a payload: every field's path, and the JSON types seen there."""

from __future__ import annotations

from typing import Any

Shape = dict[str, set[str]]  # path -> object, list, text, number, flag or null


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


def lacking(recorded: Shape, served: Shape) -> dict[str, str]:
    """Recorded paths that are not served, or with other types only: path -> what is wrong.

    A recorded null tells no type. Below a path that is lacking nothing is said.
    """
    wrong: dict[str, str] = {}
    for path, types in recorded.items():
        if any(path.startswith((f"{above}.", f"{above}[")) for above in wrong):
            continue
        ours = served.get(path)
        if ours is None:
            wrong[path] = "not served"
        elif not (types - {"null"}) <= ours:
            wrong[path] = f"served as {' or '.join(sorted(ours))}, recorded as {' or '.join(sorted(types))}"
    return wrong
