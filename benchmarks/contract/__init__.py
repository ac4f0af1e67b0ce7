"""The reference contract of the backtest: one strategy every rival implements, on the same generated data.

    python -m benchmarks.contract --data FOLDER [--symbols N] [--nautilus PYTHON]

rules   what the contract asks for, as a planner of this engine
market  the reference data as a market of the simulated venue
oracle  the contract as a plain loop, in decimals
play    one run of the engine, and what its books and the venue's say
runs    the engine or a rival in a process of its own, measured from outside
"""
