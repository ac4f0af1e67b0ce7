from decimal import Decimal as D

import pytest

from core.verdict import Figure
from monitor.chat.figures import figure


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("net_carry_bps", D("12.3456789"), "12.3 bps"),
        ("margin_ratio", "1.0138909904", "101.39 %"),
        ("pnl_usdt", "-21.7066249288", "-21.71 USDT"),
        ("age_ms", 2000, "2s"),
        ("tripped_ms", 1_773_302_700_000, "03-12 08:05:00"),
        ("rate_8h", "0.0000917728", "0.0092 %"),
        ("held_hours", "71.6666666667", "71.7 h"),
        ("hedge_base", D("6.365000628"), "6.36500063"),
        ("notional", D("1234567.89"), "1,234,568"),
        ("books_cover_size", True, "yes"),
        ("permission", "NO_NEW_RISK", "NO_NEW_RISK"),
        ("silent_streams", "", "–"),
        ("net_carry_bps", "NaN", "–"),
        ("tiny", D("1E-30"), "0"),
    ],
)
def test_a_figure_reads_in_its_unit(name: str, value: Figure, said: str) -> None:
    assert figure(name, value, "en") == said


def test_words_among_figures_are_translated() -> None:
    assert figure("ok", False, "zh") == "否"
    assert figure("permission", "REDUCE_ONLY", "zh") == "只减仓"
