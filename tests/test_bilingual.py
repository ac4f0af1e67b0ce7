"""The check on translations sees what is lost in one."""

from __future__ import annotations

from tests.bilingual import told_otherwise


def test_what_is_lost_in_translation_is_seen() -> None:
    pairs = {
        "all": ("Above 0.5: `halt`, see docs/a.md.", "高于 0.5：`halt`，见 docs/a.zh.md"),
        "a number and a level": ("Below 80 % REDUCE_ONLY.", "低于 8 % 只减仓"),
        "a key": ("Share of max_spread_bps.", "价差之比"),
        "a page": ("See docs/a.md.", "见 docs/a.md"),
        "the language": ("Nothing held.", "Nothing held."),
    }
    assert told_otherwise(pairs) == {
        "a number and a level": {"80", "REDUCE_ONLY"},
        "a key": {"max_spread_bps"},
        "a page": {"a"},
        "the language": {"a Chinese word"},
    }
