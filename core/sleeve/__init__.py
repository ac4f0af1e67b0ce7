"""The sleeve: optional positions beside the hedges, on an account of their own, each under its exit plan.

    signal, mark, bar, report -> context -> PositionMachine (one for each instrument) -> journal -> trader

It shares with the hedges what is the same (machine, journal, ledger, orders) and nothing that moves: account,
journal file, books and permission are its own, so nothing that happens here changes a decision over there.
"""
