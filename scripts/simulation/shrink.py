"""A failing story made small: what is left when everything that does not matter is taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from scripts.simulation.story import Story, Trouble

MOST_PLAYS: Final = 60


def shrunk(story: Story, fails: Callable[[Story], bool], most_plays: int = MOST_PLAYS) -> Story:
    """Return a story with as few troubles as `fails` still holds for (delta debugging: halves first, then
    ever smaller pieces). It is asked at most `most_plays` times; the story itself must fail."""
    troubles, pieces, plays = list(story.troubles), 2, 0
    while len(troubles) >= 1 and plays < most_plays:
        size = max(1, -(-len(troubles) // pieces))
        for at in range(0, len(troubles), size):
            fewer: list[Trouble] = troubles[:at] + troubles[at + size :]
            plays += 1
            if fails(replace(story, troubles=tuple(fewer))):
                troubles, pieces = fewer, max(2, pieces - 1)
                break
            if plays >= most_plays:
                break
        else:
            if size == 1:
                break
            pieces = min(len(troubles), pieces * 2)
    return replace(story, troubles=tuple(troubles))
