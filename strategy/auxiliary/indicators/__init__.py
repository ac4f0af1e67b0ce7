"""Indicators as columns: float64 in, as many float64 out, NaN where a figure is not known yet.

Batch figures are TA-Lib's wherever it has the function; what it lacks is computed by the published formula
named beside it. TA-Lib's settings are global to the process: nothing here changes them, and the unstable
periods stay 0. `streaming` has the twins that take one bar at a time.
"""
