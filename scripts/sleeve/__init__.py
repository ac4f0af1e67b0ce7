"""The sleeve put together: its account, its journal, its engine, and what it shares with the hedges."""
