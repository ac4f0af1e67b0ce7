"""What every file, section and key of the configuration means, in English and Chinese: one catalogue.

By dotted path, such as risk.margin.open_above. docs/configuration.md and its Chinese twin and the form on the
page are made of it; the comments of the shipped YAML files are its English. A test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from config.meanings.account import ACCOUNT
from config.meanings.instruments import INSTRUMENTS
from config.meanings.monitor import MONITOR
from config.meanings.risk import RISK
from config.meanings.strategy import STRATEGY

# dotted path -> (English, Chinese)
MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    **ACCOUNT,
    **INSTRUMENTS,
    **STRATEGY,
    **RISK,
    **MONITOR,
}
