"""Small modules as texts: those that break a rule, each in its own way, and those that only look as if."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from textwrap import indent
from types import ModuleType

from strategy.auxiliary.red_lines import Rule
from strategy.auxiliary.red_lines.check import Factory

PLAIN = """\
from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from core.types import HOUR_MS, Base, Side
from strategy.auxiliary.exit_plan import Distance, ExitPlan, FactorRule, Measures, Stop
from strategy.auxiliary.exit_plan import Target, Trail, TrailBy
from strategy.auxiliary.language import Needs, Parameter, Signal, settings_of
from strategy.auxiliary.modules.proposal import exact, rounded
from strategy.auxiliary.presets import PRESETS
{top}
PARAMETERS = ({parameters})
PLAN = ExitPlan("tried", Stop((Distance(ratio=Decimal("0.03")),)))
ONE = Decimal(1)


class Tried:
    name = "tried"
    about = "What closes above its mean goes on."
    parameters = PARAMETERS
    needs = {needs}

    def __init__(self, given=None):
        self.settings = settings_of(PARAMETERS, given)
{init}
    def signal(self, look):
        bars = look.bars[self.needs.on or "1H"]
        close, mean = float(bars.close[-1]), float(bars.close.mean())
        side = Side.BUY if close > mean else Side.SELL
        holding = look.holding
{body}
    def made(self, look, side=Side.BUY, **changed):
        bars = look.bars[self.needs.on or "1H"]
        told = (("close_usdt", exact(bars.close[-1])),)
        points = (("base_points", Decimal(40)), ("side_points", Decimal(20)))
        fields = dict(
            module=self.name, instrument=look.instrument, side=side, strength=Decimal(60),
            px=exact(bars.close[-1]), at_ms=bars.closed_ms, valid_until_ms=bars.closed_ms + HOUR_MS,
            evidence=told + points, plan=PLAN,
        )
        return Signal(**{{**fields, **changed}})
"""
HOURLY = 'Needs(bars={"1H": 20}, on="1H")'
FREE = "if holding is not None:\n    return None\n"


@dataclass(frozen=True)
class Tried:
    """One module. `body` is the rest of `signal`, which has bars, close, mean, side and holding."""

    tells: str
    body: str = "return self.made(look, side)"
    rule: Rule | None = None
    top: str = ""
    init: str = ""
    parameters: str = ""
    needs: str = HOURLY

    @property
    def text(self) -> str:
        return PLAIN.format(
            top=self.top,
            init=indent(self.init, " " * 8),
            parameters=self.parameters,
            needs=self.needs,
            body=indent(self.body.rstrip(), " " * 8) + "\n",
        )

    def load(self) -> Factory:
        module = ModuleType("tried_text")
        exec(compile(self.text, "tried_text", "exec"), module.__dict__)
        factory: Factory = module.Tried

        def made(given: Mapping[str, Decimal]) -> object:
            return factory(given)

        return made  # type: ignore[return-value]


def free(body: str) -> str:
    return FREE + body


LEVERAGE_PARAMETER = 'Parameter("leverage", "wish", "", ONE, ONE, Decimal({most})),'
FAST = 'Needs(bars={"5m": 20, "1H": 20}, on="5m")'
ATR_PLAN = 'ExitPlan("tried", Stop((Distance(atr=Decimal(2)),)))'

R1, R2, R3, R4, R5, R6, R7 = Rule
OFFENDING = (
    Tried("wishes for five times", "return self.made(look, side, wished_leverage=Decimal(5))", R1),
    Tried(
        "wishes for 25 times once a market has crashed",
        "wish = Decimal(25) if close < 0.95 * mean else ONE\n"
        "return self.made(look, side, wished_leverage=wish)",
        R1,
    ),
    Tried(
        "can be configured to ten times",
        rule=R1,
        top="ONE = Decimal(1)",
        parameters=LEVERAGE_PARAMETER.format(most=10),
    ),
    Tried(
        "calls itself a reference preset and wishes for more than that states",
        'return self.made(look, side, plan=PRESETS["dtrs"].plan, measures=Measures(atr=ONE),'
        " wished_leverage=Decimal(20))",
        R1,
    ),
    Tried("buys a slice more whatever it holds", "return self.made(look, side, most_base=Base(ONE))", R2),
    Tried(
        "doubles what loses",
        "if holding is None:\n    return self.made(look, side)\n"
        "lost = (close - float(holding.entry_px)) * holding.side.sign < 0\n"
        "more = Base(2 * holding.base)\n"
        "return self.made(look, holding.side, most_base=more) if lost else None",
        R2,
    ),
    Tried(
        "is surer of itself the more it loses",
        "more = Decimal(20) if holding is not None and holding.entry_px > 1 else Decimal(0)\n"
        "figures = (('close_usdt', exact(close)), ('base_points', Decimal(60)), ('loss_points', more))\n"
        "return self.made(look, side, strength=60 + more, evidence=figures)",
        R2,
    ),
    Tried(
        "measures its stop in what it does not measure", f"return self.made(look, side, plan={ATR_PLAN})", R3
    ),
    Tried(
        "stops where nothing is left",
        'far = ExitPlan("tried", Stop((Distance(ratio=Decimal("0.95")),)))\n'
        "return self.made(look, side, plan=far)",
        R3,
    ),
    Tried(
        "has a stop of its own making",
        'return self.made(look, side, plan=ExitPlan("tried", Never((Distance(ratio=Decimal("0.03")),))))',
        R3,
        top="\n\nclass Never(Stop):\n    def px(self, side, entry_px, measures, leverage):\n"
        "        return entry_px * (1 - side.sign * Decimal('0.03'))\n\n",
    ),
    Tried(
        "stretches its stop by a factor nobody measured",
        'rules = (FactorRule("mood", ONE, stop_times=Decimal(9)),)\n'
        'mood = ExitPlan("tried", PLAN.stop, rules=rules)\n'
        "return self.made(look, side, plan=mood)",
        R3,
    ),
    Tried(
        "has its emergency after the liquidation",
        'late = ExitPlan("tried", PLAN.stop, emergency_ratio=Decimal("0.95"))\n'
        "return self.made(look, side, plan=late)",
        R3,
    ),
    Tried("says nothing of why", "return self.made(look, side, evidence=())", R4),
    Tried("is surer than its terms", "return self.made(look, side, strength=Decimal(90))", R4),
    Tried("asks a model", rule=R4, top="from sklearn.linear_model import LogisticRegression"),
    Tried(
        "shows its score and nothing behind it",
        "return self.made(look, side, evidence=(('model_points', Decimal(60)),))",
        R4,
    ),
    Tried("proposes every five minutes", "return self.made(look, side)", R5, needs=FAST),
    Tried(
        "is out again after a minute",
        'return self.made(look, side, plan=ExitPlan("tried", PLAN.stop, max_hold_ms=60_000))',
        R5,
    ),
    Tried(
        "acts on its exits without a pause",
        'return self.made(look, side, plan=ExitPlan("tried", PLAN.stop, cooldown_ms=0))',
        R5,
    ),
    Tried(
        "asks the clock", "return self.made(look, side, at_ms=int(time.time() * 1000))", R6, top="import time"
    ),
    Tried("throws dice", "return self.made(look, side) if np.random.random() > 0.5 else None", R6),
    Tried(
        "remembers the last close",
        "self.last, was = close, self.last\nreturn self.made(look, side) if close > was else None",
        R6,
        init="self.last = 0.0\n",
    ),
    Tried("keeps a list for all", "SEEN.append(close)\nreturn self.made(look, side)", R6, top="SEEN = []"),
    Tried(
        "keeps a list under a second name",
        "kept = self.kept\nkept.append(close)\nreturn self.made(look, side) if len(kept) % 2 else None",
        R6,
        init="self.kept = []\n",
    ),
    Tried(
        "hands the method on by which it remembers",
        "list(map(self.kept.append, [close]))\nreturn self.made(look, side) if len(self.kept) % 2 else None",
        R6,
        init="self.kept = []\n",
    ),
    Tried(
        "remembers the first close it saw and nothing else",
        "list(map(self.kept.append, [] if self.kept else [close]))\n"
        "return self.made(look, side) if close > self.kept[0] else None",
        R6,
        init="self.kept = []\n",
    ),
    Tried(
        "remembers the highest close in what all of its kind share",
        "list(map(SEEN.append, [close]))\nreturn self.made(look, side) if close >= max(SEEN) else None",
        R6,
        top="SEEN = []",
    ),
    Tried("reads a file", 'return self.made(look, side) if open("hint").read() else None', R6),
    Tried("sends an order itself", rule=R6, top="from execution.order_manager import OrderManager"),
    Tried(
        "counts in a default",
        "return self.made(look, side) if self.count() % 2 else None\n\n"
        "def count(self, seen=[]):\n    seen.append(1)\n    return len(seen)\n",
        R6,
    ),
    Tried(
        "counts its questions", "global COUNT\nCOUNT += 1\nreturn self.made(look, side)", R6, top="COUNT = 0"
    ),
    Tried("writes into what it was shown", "bars.close.flags.writeable = True\nreturn None", R6),
    Tried("trusts the order of a set", "for name in {'a', 'b'}:\n    return self.made(look, side)", R6),
    Tried("speaks in another's name", "return self.made(look, side, module='other')", R7),
    Tried(
        "falls over a market that stands still",
        "range_ = float(bars.high.max() - bars.low.min())\n"
        "return self.made(look, side) if int(100 / round(range_, 6)) > 0 else None",
        R7,
    ),
    Tried(
        "dates its signals ahead", "ahead = bars.closed_ms + 1\nreturn self.made(look, side, at_ms=ahead)", R7
    ),
    Tried(
        "says a thing of its own making",
        "said = self.made(look, side)\n"
        "return Own(**{each.name: getattr(said, each.name) for each in fields(said)})",
        R7,
        top="from dataclasses import fields\n\n\n"
        "class Own(Signal):\n    def __post_init__(self):\n        return None\n\n",
    ),
    Tried("speaks of another coin", "return self.made(look, side, instrument='ETH-USDT')", R7),
)
COMPLIANT = (
    Tried("crosses its mean"),
    Tried("asks only while it holds nothing", free("return self.made(look, side)")),
    Tried("only sells", "return self.made(look, Side.SELL) if side is Side.SELL else None"),
    Tried("says nothing, ever", "return None"),
    Tried(
        "measures its stop in ATR",
        f"return self.made(look, side, plan={ATR_PLAN}, measures=Measures(atr=exact(close / 100)))",
    ),
    Tried(
        "wishes for what its preset states",
        'return self.made(look, side, plan=PRESETS["smart"].plan, measures=Measures(atr=exact(close / 50)),'
        " wished_leverage=Decimal(25))",
    ),
    Tried("wishes for three times", "return self.made(look, side, wished_leverage=Decimal(3))"),
    Tried(
        "can be configured to three times",
        "return self.made(look, side, wished_leverage=self.settings['leverage'])",
        top="ONE = Decimal(1)",
        parameters=LEVERAGE_PARAMETER.format(most=3),
    ),
    Tried("ends by a preset", 'return self.made(look, side, plan=PRESETS["vs"].plan)'),
    Tried(
        "stops at a support",
        "support = exact(close * (1 - side.sign * 0.04))\n"
        'return self.made(look, side, plan=ExitPlan("tried", Stop(at_support=True)),'
        " measures=Measures(support=support))",
    ),
    Tried(
        "adds a slice to what wins",
        "if holding is None:\n    return self.made(look, side, most_base=Base(ONE))\n"
        "won = (close - float(holding.entry_px)) * holding.side.sign > 0\n"
        "return self.made(look, holding.side, most_base=Base(ONE)) if won else None",
    ),
    Tried(
        "stretches its plan by factors it shows",
        'rules = (FactorRule("trend", Decimal("0.6"), target_times=Decimal(2)),)\n'
        'ruled = ExitPlan("tried", PLAN.stop, (Target(Distance(ratio=Decimal("0.05"))),), rules=rules)\n'
        "figures = (('trend', rounded(close / mean)), ('base_points', Decimal(60)))\n"
        "return self.made(look, side, plan=ruled, evidence=figures)",
    ),
    Tried(
        "trails",
        'trails = (Trail(TrailBy.RATIO, Decimal("0.02")), Trail(TrailBy.EMA20))\n'
        'return self.made(look, side, plan=ExitPlan("tried", PLAN.stop, trails=trails))',
    ),
    Tried(
        "adds up terms instead of points",
        "figures = (('gap', rounded(close / mean)), ('a_term', Decimal('0.4')), ('b_term', Decimal('0.2')))\n"
        "return self.made(look, side, evidence=figures)",
    ),
    Tried(
        "takes points off",
        "points = (('base_points', Decimal(80)), ('doubt_points', Decimal(-20)))\n"
        "figures = (('gap', rounded(close / mean)), *points)\n"
        "return self.made(look, side, evidence=figures)",
    ),
    Tried(
        "looks at funding",
        "settled = look.market.settled\nreturn self.made(look, side) if settled[-1].rate > 0 else None",
        needs='Needs(bars={"1H": 20}, on="1H", funding=True)',
    ),
    Tried(
        "looks at the crowd and its interest",
        "crowded = look.long_short[-1][1] > 1 and look.market.open_interest[-1][1] > 0\n"
        "return self.made(look, Side.SELL) if crowded else None",
        needs='Needs(bars={"1H": 20}, on="1H", open_interest=True, long_short=True)',
    ),
    Tried(
        "answers to what is fed",
        "return self.made(look, Side.BUY) if any(each.kind == '113' for each in look.events) else None",
        needs='Needs(bars={"1H": 20}, events=True)',
    ),
    Tried(
        "looks at the book",
        "return self.made(look, side) if look.market.swap.is_sane else None",
        needs='Needs(bars={"1H": 20}, on="1H", book=True)',
    ),
    Tried(
        "looks at two frames",
        "return self.made(look, side) if look.bars['4H'].close[-1] > mean else None",
        needs='Needs(bars={"1H": 20, "4H": 20}, on="1H")',
    ),
    Tried("looks once a day", needs='Needs(bars={"1D": 20}, on="1D")'),
    Tried("prepares a list while it is made", init="self.kept = []\nself.kept.append(1)\n"),
    Tried(
        "works in lists and columns of its own",
        "row = np.zeros(3)\nrow[0] = close\nseen = []\nseen.append(row.sum())\n"
        "words = {}\nwords['a'] = seen\n"
        "return self.made(look, side) if words['a'][0] > 0 else None",
    ),
    Tried("puts a set in order", "for name in sorted({'a', 'b'}):\n    return self.made(look, side)"),
)
