"""A configuration folder in, validated settings out; or every problem at once, each with its place.

Two passes: the first gives each written value its field's type without guessing, the second lets the
models of schema.py judge bounds and contradictions. What is allowed is read from the models.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from config.fields import Unfit, allowed, section_of, shown, typed
from config.overlay import FILE_NAME as OVERLAY
from config.overlay import Overlay, is_locked
from config.schema import Settings
from config.section import Section
from config.yaml_lines import Items, Node, Table, as_written, read
from core.errors import UsageError

if TYPE_CHECKING:
    from config.secrets import Secrets  # takes long to import, and a backtest has none

OPTIONAL_FILES: Final = ("monitor.yaml",)
NO_OVERLAY: Final = Overlay()
MASK: Final = "***"
_SECRET_KEY: Final = re.compile(
    r"api_?key|secret|pass_?phrase|password|(?:^|_)token|webhook|private_?key", re.I
)
_SECRET_VALUE: Final = re.compile(
    r"\b\d{6,}:[A-Za-z0-9_-]{30,}|access_token=|://[^/\s]*@|-----BEGIN|"
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b",
    re.I,
)
_SECRET_ADVICE: Final = "no secret in YAML: put it in .env or the environment, see .env.example"
_WIDEST_VALUE: Final = 80
MOST_GUESSES: Final = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing the user must change. `rule` says what is allowed there instead."""

    file: str
    line: int
    key: str
    value: str
    rule: str

    def __str__(self) -> str:
        value = " ".join(self.value.split())
        if len(value) > _WIDEST_VALUE:
            value = value[:_WIDEST_VALUE] + "..."
        what = " = ".join(part for part in (self.key, value) if part)
        return f"{self.file} line {self.line}: {what}; {self.rule}"


def load(folder: Path, overlay: Overlay = NO_OVERLAY) -> Settings:
    """Read and validate the YAML files of `folder`, one per section of Settings, with an overlay over them.

    A key left out takes its default; a file left out does not, except monitor.yaml. Raises UsageError
    that lists every problem with file, line, key, value and what is allowed.
    """
    if not folder.is_dir():
        raise UsageError(f"configuration folder {folder} does not exist or is not a folder")
    reading = _Reading()
    raw = {name: reading.file(folder, name) for name in Settings.model_fields}
    reading.refuse_strangers(folder)
    for key, text in overlay.changes.items():
        reading.lay_over(raw, key, text)
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        reading.judge(error)
        settings = None
    if reading.problems or settings is None:
        found = sorted(reading.problems, key=lambda p: (p.file, p.line))
        count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
        where = f"configuration folder {folder}{' and the changes over it' if overlay.changes else ''}"
        raise UsageError("\n  ".join((f"{count} in {where}:", *map(str, found))))
    return settings


def fingerprint(settings: Settings) -> str:
    """Return the SHA-256 of the settings' values, hex. 0.5 and 0.50 are the same value."""

    def canonical(value: object) -> str:
        assert isinstance(value, Decimal)
        return format(value.normalize() + 0, "f")

    text = json.dumps(settings.model_dump(), default=canonical, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def describe(settings: Settings, secrets: Secrets | None = None) -> dict[str, str]:
    """Return the configuration in force: dotted key to value as written in YAML.

    Secrets appear as set or not set, never with their value.
    """
    flat = {path: shown(value) for path, value in _flat(settings, "")}
    return flat | (secrets.presence() if secrets else {})


def differences(before: Settings, after: Settings) -> tuple[tuple[str, str, str], ...]:
    """Every key whose value is another one: the key, and both values as written in YAML."""
    was = dict(_flat(before, ""))
    return tuple((key, shown(was[key]), shown(now)) for key, now in _flat(after, "") if was[key] != now)


def _flat(section: Section, prefix: str) -> Iterator[tuple[str, object]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


class _Reading:
    """The files of one folder while they are being read: their trees, and the problems so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._trees: dict[str, Table] = {}
        self._laid_over: set[tuple[str, ...]] = set()

    def file(self, folder: Path, name: str) -> dict[str, Any]:
        """Return the typed values of one section's file."""
        file = f"{name}.yaml"
        try:
            content = (folder / file).read_bytes()
        except FileNotFoundError:
            if file not in OPTIONAL_FILES:
                self._note(file, 1, "", "missing", "this file must exist; the shipped one is a good start")
            return {}
        except OSError as error:
            self._note(file, 1, "", "unreadable", error.strerror or "the file must be readable")
            return {}
        tree, flaws = read(content)
        for flaw in flaws:
            self._note(file, flaw.line, flaw.key, flaw.value, f"allowed: {flaw.hint}")
        if isinstance(tree, Table):
            self._trees[name] = tree
            section = section_of(Settings.model_fields[name])
            assert section is not None
            return self._section(file, section, tree, "")
        if not flaws:
            self._note(file, 1, "", "empty" if tree is None else "no keys", "allowed: keys with values")
        return {}

    def lay_over(self, raw: dict[str, Any], key: str, text: str) -> None:
        """Put one value of an overlay where the files had theirs."""
        path = tuple(key.split("."))
        field = _field_at(path)
        if field is None:
            meant = _meant_by(key)
            guess = f"did you mean {meant}? " if meant else ""
            self._note(
                OVERLAY, 1, key, text, f"unknown key; {guess}allowed: a file's name and its key, with dots"
            )
            return
        if is_locked(key):
            self._note(OVERLAY, 1, key, text, "only the files on the host may change it")
            return
        node, flaws = read(text.encode())
        if node is None or flaws:
            hint = flaws[0].hint if flaws else allowed(field)
            self._note(OVERLAY, 1, key, text, f"allowed: {hint}")
            return
        if _SECRET_VALUE.search(text):
            self._note(OVERLAY, 1, key, MASK, _SECRET_ADVICE)
            return
        try:
            value = typed(field, node)
        except Unfit as unfit:
            self._note(OVERLAY, 1, key, text, f"allowed: {unfit}")
            return
        table = raw
        for step in path[:-1]:
            table = table.setdefault(step, {})
        table[path[-1]] = value
        self._laid_over.add(path)

    def refuse_strangers(self, folder: Path) -> None:
        """A misspelt file name would silently leave every default in force."""
        known = {f"{name}.yaml" for name in Settings.model_fields}
        for path in sorted(folder.iterdir()):
            if path.suffix in (".yaml", ".yml") and path.name not in known:
                rule = f"not a configuration file; allowed: {', '.join(sorted(known))}"
                self._note(path.name, 1, "", "unknown file", rule)

    def judge(self, error: ValidationError) -> None:
        """Turn what the models refused into problems.

        A contradiction between keys is only told when every single value could be read: otherwise it
        may come from a default standing in for an unreadable value.
        """
        unreadable = bool(self.problems)
        for detail in error.errors(include_url=False):
            where = tuple(detail["loc"])
            field = _field_at(where)
            if field is not None:
                value = shown(detail["input"])
                self._note(*self._place(where), value, f"allowed: {allowed(field)}")
            elif not unreadable:
                self._contradiction(where, detail["msg"].removeprefix("Value error, "))

    def _section(self, file: str, model: type[Section], table: Table, prefix: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, line in table.key_lines.items():
            field, node, path = model.model_fields.get(key), table.values.get(key), f"{prefix}{key}"
            if field is None:
                self._note(file, line, path, as_written(node), _unknown(key, model))
                continue
            if node is None:  # its flaw has been noted
                continue
            inner = section_of(field)
            if inner is None and _SECRET_VALUE.search(as_written(node)):
                self._note(file, node.line, path, MASK, _SECRET_ADVICE)
            elif inner is None:
                try:
                    values[key] = typed(field, node)
                except Unfit as unfit:
                    self._note(file, unfit.node.line, path, as_written(unfit.node), f"allowed: {unfit}")
            elif isinstance(node, Table):
                values[key] = self._section(file, inner, node, f"{path}.")
            else:
                keys = ", ".join(inner.model_fields)
                self._note(file, line, path, as_written(node), f"allowed: a section with the keys {keys}")
        return values

    def _contradiction(self, where: tuple[int | str, ...], message: str) -> None:
        """Name every key the message speaks of, with its place and value."""
        spoken = []
        for word in dict.fromkeys(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", message)):
            for depth in range(len(where), -1, -1):  # keys are named from their section, or from above it
                path = (*where[:depth], *word.split("."))
                if _field_at(path) is not None:
                    spoken.append(path)
                    break
        places = [self._place(path) for path in spoken] or [self._place(where)]
        first_file, first_line, first_key = places[0]
        key = ", ".join(f"{k} ({f} line {n})" if f != first_file else k for f, n, k in places)
        self._note(first_file, first_line, key or first_key, "", message)

    def _place(self, where: tuple[int | str, ...]) -> tuple[str, int, str]:
        """Return file, line and key of a path of the models; line 1 for a key left at its default."""
        if not where:
            return "account.yaml", 1, ""
        if (names := tuple(step for step in where if isinstance(step, str))) in self._laid_over:
            return OVERLAY, 1, ".".join(names)
        name = str(where[0])
        node: Node | None = self._trees.get(name)
        line, key = 1, ""
        for step in where[1:]:
            key += f"[{step}]" if isinstance(step, int) else f"{'.' if key else ''}{step}"
            if isinstance(node, Table) and isinstance(step, str) and step in node.key_lines:
                line, node = node.key_lines[step], node.values.get(step)
            elif isinstance(node, Items) and isinstance(step, int) and step < len(node.values):
                node = node.values[step]
                line = node.line
            else:
                node = None
        return f"{name}.yaml", line, key

    def _note(self, file: str, line: int, key: str, value: str, rule: str) -> None:
        if _SECRET_KEY.search(key.rsplit(".", 1)[-1]) or _SECRET_VALUE.search(f"{value} {rule}"):
            value, rule = MASK, _SECRET_ADVICE
        self.problems.append(Problem(file, line, key, value, rule))


def _unknown(key: str, model: type[Section]) -> str:
    close = difflib.get_close_matches(key, model.model_fields, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"unknown key; {guess}allowed: {', '.join(model.model_fields)}"


def _meant_by(key: str) -> str:
    """The whole names of the settings whose last parts, or nearly all, were written; "" when none is near."""
    names = [".".join(path) for path in _paths(Settings)]
    ends = [name for name in names if name.endswith(f".{key}")]
    close = ends[:MOST_GUESSES] or difflib.get_close_matches(key, names, n=1, cutoff=0.8)
    return " or ".join(close)


def _paths(model: type[Section], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section is None:
            yield (*above, name)
        else:
            yield from _paths(section, (*above, name))


def _field_at(where: tuple[int | str, ...]) -> FieldInfo | None:
    """Return the value field (not section) at a path of the models; None when there is none."""
    fields: Mapping[str, FieldInfo] = Settings.model_fields
    for n, step in enumerate(where):
        field = fields.get(str(step))
        if field is None:
            return None
        section = section_of(field)
        if section is None:
            rest = where[n + 1 :]
            if all(isinstance(index, int) for index in rest):
                return field
            return None
        fields = section.model_fields
    return None
