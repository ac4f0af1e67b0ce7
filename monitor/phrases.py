"""Sentences with something filled in, said in another language by templates: `{n} problems in {folder}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property


class Phrases:
    """table   a template to what it is in the other language, with the same names in braces.
    ways    what becomes of a part that is filled in, by its name; without one it is taken over as it is.
    shapes  what a part may look like, as a regular expression; any text without one, the shortest that fits.
    """

    def __init__(
        self,
        table: Mapping[str, str],
        ways: Mapping[str, Callable[[str], str]],
        shapes: Mapping[str, str] | None = None,
    ) -> None:
        self._table, self._ways, self._shapes = table, ways, shapes or {}

    def said(self, text: str) -> str | None:
        """By the first template that fits; None when none does."""
        for pattern, other in self._patterns:
            if (match := pattern.fullmatch(text)) is not None:
                parts = match.groupdict()
                return other.format_map({name: self._ways.get(name, str)(parts[name]) for name in parts})
        return None

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple((re.compile(self._pattern(template)), other) for template, other in self._table.items())

    def _pattern(self, template: str) -> str:
        # Every other part is the name of what stands in braces.
        parts = re.split(r"\{(\w+)\}", template)
        return "".join(
            f"(?P<{part}>{self._shapes.get(part, '.+?')})" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        )
