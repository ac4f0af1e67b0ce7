"""Optional signal modules in a sleeve of their own. `language.py` is what all of them speak.

A module proposes; the gate, the red lines, sizes and exits are the same for every module, and none of
them is a module's to decide. Nothing here is asked anything while `auxiliary.enabled` is false.
"""
