"""The real daemon killed again and again against a venue of its own, and what must hold afterwards."""
