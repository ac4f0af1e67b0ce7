"""What a text gives away before it is run."""

from __future__ import annotations

import pytest

from strategy.auxiliary.red_lines.rules import Rule
from strategy.auxiliary.red_lines.source import imports, read, top_names


def rules(text: str, own: str = "") -> list[str]:
    return [breach.rule.value for breach in read(text, "tried.py", own)]


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "import numpy.random.mtrand, os",
        "from datetime import datetime",
        "from . import other",
        "from risk.red_lines import check_order",
        "from exchange.okx import rest",
        "import asyncio",
        "def f(look):\n    return eval('1')",
        "def f(look):\n    print(look)",
        "def f(look):\n    return hash(look.instrument)",
        "def f(look):\n    return look.__class__",
        "def f(self, look):\n    object.__setattr__(self, 'x', 1)",
        "def f(look):\n    setattr(look, 'x', 1)",
        "def f(self, look):\n    self.x += 1",
        "def f(self, look):\n    self.x[0], y = 1, 2",
        "def f(self, look):\n    del self.x",
        "def f(self, look):\n    self.seen.append(1)",
        "def f(self, look):\n    next(self.numbers)",
        "def f(look):\n    look.bars['1H'] = 1",
        "KEPT = {}\ndef f(look):\n    KEPT['a'] = 1",
        "KEPT = {}\ndef f(look):\n    KEPT.update(a=1)",
        "def f(look):\n    f.count = 1",
        "def f(self, look):\n    kept = self.kept\n    kept.append(1)",
        "KEPT = {}\ndef f(look):\n    kept = KEPT\n    more = kept['a']\n    more[1] = 2",
        "import numpy as np\ndef f(look):\n    return np.load('x')",
        "def f(look, kept={}):\n    return kept",
        "def f(look, *, kept=list()):\n    return kept",
        "def f(look):\n    return [x for x in {1, 2}]",
        "def f(look):\n    return list(set(look.events))",
        "def f():\n    x = 0\n    def g():\n        nonlocal x\n    return g",
        "async def f(look):\n    return 1",
        "def f(look):\n    look.bars['1H'].close.flags.writeable = True",
        "def f(look):\n    look.bars['1H'].close.setflags(write=True)",
        "class A:\n    def f(self, look):\n        def inner():\n            self.x = 1\n        inner()",
    ],
)
def test_what_reaches_beyond_the_look_or_outlives_the_question_is_seen(text: str) -> None:
    assert set(rules(text)) == {"R6"}


@pytest.mark.parametrize("name", ["sklearn", "torch.nn", "pickle", "xgboost"])
def test_a_model_nobody_can_add_up_is_another_rule(name: str) -> None:
    assert rules(f"import {name}") == rules(f"from {name} import x") == [Rule.SCORE.value]


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations\nimport math\nimport numpy as np\nfrom decimal import Decimal",
        "from strategy.auxiliary.indicators.trend import adx",
        "class A:\n    def __init__(self):\n        self.x = []\n        self.x.append(1)",
        "class A:\n    def __init__(self):\n        object.__setattr__(self, 'x', 1)",
        "class A(B):\n    def __init__(self):\n        super().__init__()",
        "def f(look):\n    seen = []\n    seen.append(1)\n    return seen",
        "KEPT = {}\ndef f(look):\n    KEPT = {}\n    KEPT['a'] = 1",
        "KEPT = {}\nKEPT['a'] = 1",
        "def f(look):\n    return next(x for x in (1, 2))",
        "def f(look):\n    kept = look.events\n    kept = list(kept)\n    kept.append(1)",
        "def f(look):\n    kept = list(look.events)\n    more = kept\n    more.append(1)",
        "def f(look):\n    return sorted({1, 2})",
        "def f(look):\n    column = look.close + 1\n    column.flags.writeable = False",
        "def f(look):\n    return type(look).__name__",
        "def f(look):\n    return look.now_ms",
    ],
)
def test_what_stays_within_one_question_is_left_alone(text: str) -> None:
    assert rules(text) == []


def test_a_package_may_import_its_own_parts_and_no_others() -> None:
    assert rules("from ideas.mine import part", own="ideas") == []
    assert rules("from ideas2.mine import part", own="ideas") == ["R6"]


def test_the_line_is_named_and_told_once() -> None:
    (breach,) = read("x = 1\nimport os, sys\n", "tried.py")
    assert breach.trace[0].what == "tried.py line 2: import os, sys"


def test_names_and_imports_are_read_and_not_run() -> None:
    text = (
        "import a.b as c\nfrom d import e, f\nX: int = 1\ndef g():\n    y = 1\nclass H:\n    z = 1\n1 / 0\n"
    )
    assert imports(text) == ("a.b", "d", "d.e", "d.f")
    assert top_names(text) == {"c", "e", "f", "X", "g", "H"}
