"""YAML read as written: every value keeps its line and its source text.

The usual loader guesses: `1e-4` becomes text, `010` becomes 8, `1:30` becomes 90, and of two equal keys
the first disappears. Here nothing is guessed. A file becomes a tree of nodes, and what is ambiguous
becomes a problem with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import yaml

MAX_BYTES: Final = 1_000_000
MAX_DIGITS: Final = 28  # what Decimal arithmetic keeps exactly
_PREFIX: Final = "tag:yaml.org,2002:"
_NUMBER: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*(?:_[0-9]+)*)(?:\.[0-9]+)?|\.[0-9]+)")
_NUMBER_LIKE: Final = re.compile(r"[-+]?[0-9.][0-9_.]*(?:[eE][-+]?[0-9]+)?|0[xXbBoO][0-9a-fA-F_]+")


class Form(StrEnum):
    """What a scalar is, as written."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "true/false"
    NULL = "nothing"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is the source text; `number` is set for a NUMBER only."""

    line: int
    form: Form
    text: str
    number: Decimal | None = None

    @property
    def is_true(self) -> bool:
        return self.text.lower() in ("true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Items:
    line: int
    values: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; `key_lines` has the line of each key, `values` its value."""

    line: int
    values: Mapping[str, Node]
    key_lines: Mapping[str, int]


Node = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that cannot be read. `key` is the dotted path; `hint` says how to write it."""

    line: int
    key: str
    value: str
    hint: str


def as_written(node: Node | None) -> str:
    """A node as the user wrote it, near enough to recognise."""
    match node:
        case Scalar():
            return node.text
        case Items():
            return f"[{', '.join(as_written(item) for item in node.values)}]"
        case Table():
            return "a section"
        case None:
            return ""


def read(content: bytes) -> tuple[Node | None, tuple[Flaw, ...]]:
    """Return the tree of one YAML document, and every flaw found in it.

    The tree is None when the text is empty or cannot be read at all. A flawed value is left out of the
    tree, so one flaw does not hide the next.
    """
    if len(content) > MAX_BYTES:
        return None, (Flaw(1, "", f"{len(content)} bytes", f"a file of at most {MAX_BYTES} bytes"),)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return None, (Flaw(line, "", repr(content[error.start : error.start + 1]), "text encoded as UTF-8"),)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, (Flaw(mark.line + 1 if mark else 1, "", error.problem or "", "valid YAML"),)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return None, (Flaw(line, "", f"character {error.character!r}", "printable text"),)
    except RecursionError:
        return None, (Flaw(1, "", "too many levels", "at most a few levels of nesting"),)
    if root is None:
        return None, ()
    reader = _Reader()
    return reader.node(root, ""), tuple(reader.flaws)


class _Reader:
    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self._seen: set[int] = set()

    def node(self, source: yaml.Node, path: str) -> Node | None:
        line = source.start_mark.line + 1
        if id(source) in self._seen:  # an alias is the anchor's own node again, possibly inside itself
            self._flaw(line, path, "an alias (*name)", "the value written out")
            return None
        self._seen.add(id(source))
        if isinstance(source, yaml.MappingNode):
            return self._table(source, path, line)
        if isinstance(source, yaml.SequenceNode):
            items = [self.node(item, f"{path}[{n}]") for n, item in enumerate(source.value)]
            sound = tuple(item for item in items if item is not None)
            return Items(line, sound) if len(sound) == len(items) else None
        return self._scalar(source, path, line)

    def _table(self, source: yaml.MappingNode, path: str, line: int) -> Table:
        values: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in source.value:
            at = key_node.start_mark.line + 1
            key = self._key(key_node, path, at)
            if key is None:
                continue
            here = f"{path}.{key}" if path else key
            if key in lines:
                self._flaw(at, here, "a second time", f"each key once; first on line {lines[key]}")
                continue
            lines[key] = at
            value = self.node(value_node, here)
            if value is not None:
                values[key] = value
        return Table(line, values, lines)

    def _key(self, source: yaml.Node, path: str, line: int) -> str | None:
        if isinstance(source, yaml.ScalarNode) and source.tag == f"{_PREFIX}str":
            return str(source.value)
        shown = source.value if isinstance(source, yaml.ScalarNode) else "a list or mapping"
        self._flaw(line, path, f"{shown} as a key", "a name; quote it if it reads as something else")
        return None

    def _scalar(self, source: yaml.Node, path: str, line: int) -> Scalar | None:
        text, tag = str(source.value), source.tag.removeprefix(_PREFIX)
        if tag == "str" and getattr(source, "style", None) is None and _NUMBER_LIKE.fullmatch(text):
            tag = "float"  # 1e-4: YAML 1.1 calls it text, its author meant a number
        match tag:
            case "int" | "float":
                return self._number(text, path, line)
            case "bool":
                return Scalar(line, Form.BOOL, text)
            case "null":
                return Scalar(line, Form.NULL, text)
            case "str" | "timestamp":
                return Scalar(line, Form.TEXT, text)
        self._flaw(line, path, f"{source.tag} {text}".strip(), "a plain value without a tag")
        return None

    def _number(self, text: str, path: str, line: int) -> Scalar | None:
        if _NUMBER.fullmatch(text) and sum(c.isdigit() for c in text) <= MAX_DIGITS:
            return Scalar(line, Form.NUMBER, text, Decimal(text))
        self._flaw(line, path, text, f"a number in plain decimal digits{_written_out(text)}")
        return None

    def _flaw(self, line: int, path: str, value: str, hint: str) -> None:
        self.flaws.append(Flaw(line, path, value, hint))


def _written_out(text: str) -> str:
    """Say how the number would be written, where that is certain and short."""
    match = re.fullmatch(r"([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)[eE]([-+]?[0-9]{1,2})", text)
    if not match or abs(int(match[2])) > MAX_DIGITS:
        return f", at most {MAX_DIGITS} of them, such as 0.0001 or 12000"
    return f": write {format(Decimal(match[1]).scaleb(int(match[2])), 'f')}"
