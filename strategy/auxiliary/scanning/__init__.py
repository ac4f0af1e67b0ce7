"""What the scanner stands on: candles that are kept, what keeps instruments out, how modules fare."""
