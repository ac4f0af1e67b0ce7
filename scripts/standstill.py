"""A process that keeps crashing stays up, connected, and does nothing until the operator has looked.

What makes it crash would do so again, and might have an order sent each time. So the engine is not even
booted: the operator's `resume` (after the self-check) or `halt --flatten` lets it go on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.facts import Kind
from core.ports import Clock, Notifier
from scripts.commands import Command, Verb, take
from scripts.compose import App
from scripts.vigilance import CRASH_LOOP


async def stand_still(
    app: App, folder: Path, clock: Clock, notifier: Notifier, rung: asyncio.Event
) -> tuple[Command, ...]:
    """Return when the loop is over by the operator's word: the commands still to be carried out.

    rung  set at each ring of the doorbell.
    """
    kept: list[Command] = []
    while True:
        rung.clear()
        for command in take(folder):
            if command.verb is not Verb.RESUME:
                kept.append(command)
            else:
                body = {"what": "operator", "command": command.verb.value, "reason": command.reason}
                app.journal.append(Kind.NOTE, clock.now_ms(), body)
                if refusal := await app.lookout.recheck():
                    notifier.tell("trouble", "warning", {"what": "resume refused", "detail": refusal})
                    continue
            if command.verb in (Verb.RESUME, Verb.FLATTEN):
                app.lookout.acknowledge()
        if CRASH_LOOP not in app.permissions.causes:
            return tuple(kept)
        await rung.wait()
