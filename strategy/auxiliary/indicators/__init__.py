"""Indicators as columns: float64 in, as many float64 out, NaN where a figure is not known yet.

Batch figures are TA-Lib's wherever it has the function; what it lacks is computed by the published formula
named beside it. In one thing this package does not follow it: where a figure is 0 / 0 because nothing moved
or nothing traded, TA-Lib 0.8 writes 0, which on most scales reads as "oversold to the utmost" (on Williams'
as "overbought"). A market that stands still is in the middle of every scale here.

TA-Lib's unstable periods and compatibility are global to the process. Nothing here touches them: the
unstable periods are 0, so a figure begun by an average (EMA, RSI, ATR, ADX) still carries its beginning.
Two series that begin at different bars therefore differ, by a part that halves every 0.69 * n bars under
Wilder's smoothing and every 0.35 * n under the exponential one. Show a module bars enough.

`streaming` has the twins that take one bar at a time.
"""
