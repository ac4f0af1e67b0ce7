"""What no module and no preset may do, as contracts with numbers, and who holds them to it.

    source.py    reads a module's text: what it imports, calls and remembers
    declared.py  its declared numbers, and exit plans over the corners of what they are measured in
    driven.py    plays it on made-up markets, through the gate and its exits, for a counter-example
    monitor.py   asked at every order of the sleeve

`checked` does the first three. A refusal names the rule, says in words what was broken, and carries the trace
that led there. `python -m scripts.red_lines MODULE` asks from the command line.
"""

from strategy.auxiliary.red_lines.check import Report, checked, checked_preset
from strategy.auxiliary.red_lines.rules import SAYS, Breach, Moment, Rule

__all__ = ["SAYS", "Breach", "Moment", "Report", "Rule", "checked", "checked_preset"]
