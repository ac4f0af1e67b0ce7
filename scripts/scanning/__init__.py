"""The scanner at work: what asks the modules, keeps the candles, and never holds up the engine's loop."""
