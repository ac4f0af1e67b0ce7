"""The modules in a process of their own: one that hangs is ended with it, and no other notices.

A question that is not answered within `patience_s` counts as a failure of its module, and so does one during
which the process died. The process is replaced, and what was still to be asked goes to the new one.
The process has no keys: of the engine's environment it gets what Python needs to start.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.scanning.driver import WorkerFailed
from scripts.scanning.wire import Packer
from scripts.scanning.worker import HEAD, message
from strategy.auxiliary.language import Module
from strategy.auxiliary.scanning.words import Question, Reply

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 5.0  # a question takes 2 ms at most; but a busy machine lets the engine go first
STARTS_WITHIN_S: Final = 30.0
MOST_ENDS: Final = (
    3  # of the process while one group is asked; then something is wrong with more than a module
)
HANDED_ON: Final = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


class Apart:
    """A Worker. Nothing is started before the first question."""

    def __init__(self, modules: Sequence[Module], patience_s: float = PATIENCE_S) -> None:
        """Raises ValueError for a patience that is not above zero."""
        if not patience_s > 0:
            raise ValueError(f"patience_s is {patience_s}, allowed: above 0")
        self.modules, self._patience_s = tuple(modules), patience_s
        self._process: Process | None = None
        self._packer = Packer()
        self.starts = 0

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        replies: list[Reply] = []
        ends = 0
        try:
            while left := tuple(questions[len(replies) :]):
                if ends == MOST_ENDS:
                    why = f"the modules' process ended {ends} times: {replies[-1].trouble}"
                    raise WorkerFailed(why, replies)
                replies += await self._ask(left)
                if replies[-1].trouble and self._process is None:
                    ends += 1
        except BaseException:
            await self._end()  # whoever waited is gone: what comes now would be taken for another reply
            raise
        return replies

    async def close(self) -> None:
        await self._end()

    async def _ask(self, questions: tuple[Question, ...]) -> list[Reply]:
        """Return the replies up to the first that made an end of the process, that one included."""
        process = self._process or await self._started()
        assert process.stdin is not None
        replies: list[Reply] = []
        trouble = ""
        try:
            process.stdin.write(message(self._packer.packed(questions)))
            await process.stdin.drain()
            for _ in questions:
                async with asyncio.timeout(self._patience_s):
                    replies.append(await self._reply(process))
        except TimeoutError:
            trouble = f"no answer within {self._patience_s:g} s: its process was ended"
        except (asyncio.IncompleteReadError, ConnectionError):
            trouble = f"its process died ({_fate(await process.wait())})"
        if trouble:
            await self._end()
            replies.append(Reply(questions[len(replies)].place, trouble=trouble))
        return replies

    async def _started(self) -> Process:
        environment: Mapping[str, str] = {
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            **{name: os.environ[name] for name in HANDED_ON if name in os.environ},
        }
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scripts.scanning.worker",
            stdin=PIPE, stdout=PIPE, cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
        self._packer = Packer()  # the new one remembers nothing
        self.starts += 1
        assert process.stdin is not None
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                process.stdin.write(message(pickle.dumps(self.modules)))
                await process.stdin.drain()
                await self._message(process)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            await self._end()
            raise WorkerFailed(f"the modules' process did not start: {error!r}") from error
        return process

    async def _reply(self, process: Process) -> Reply:
        reply = pickle.loads(await self._message(process))
        assert isinstance(reply, Reply)
        return reply

    async def _message(self, process: Process) -> bytes:
        assert process.stdout is not None
        (length,) = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
        return await process.stdout.readexactly(length)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


def _fate(code: int) -> str:
    """How a process ended, from its exit code: signal SIGKILL, exit code 1."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
