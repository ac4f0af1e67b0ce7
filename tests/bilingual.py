"""What a text and its translation must have in common: every number and every name of the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_NAME = re.compile(r"`[^`]+`|\b[\w.]*[a-z0-9]_\w+\b|\b[A-Z]{2,}(?:_[A-Z]+)*\b|\b[a-z]+[A-Z]\w*\b")
_TRANSLATED = {"API", "URL"}
_TWIN = re.compile(r"(?<!\.)\b([\w-]+)\.md\b")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def facts(text: str) -> set[str]:
    """The numbers, and what stands in backticks or is written as code is."""
    return {*_NUMBER.findall(text), *_NAME.findall(text)} - _TRANSLATED


def told_otherwise(pairs: Mapping[str, tuple[str, str]]) -> dict[str, set[str]]:
    """By key, what the English says and the Chinese does not. A page may be named by its Chinese twin."""
    found = {}
    for key, (english, chinese) in pairs.items():
        lacking = {fact for fact in facts(english) if fact not in chinese}
        lacking |= {name for name in _TWIN.findall(english) if f"{name}.zh.md" not in chinese}
        if lacking or not _CHINESE.search(chinese):
            found[key] = lacking or {"a Chinese word"}
    return found
