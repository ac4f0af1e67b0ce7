"""The web's own thread, with a loop of its own: the engine's time and loop are never touched by a visitor."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from anyio.to_thread import current_default_thread_limiter

from core.errors import UsageError

STOP_WITHIN_S: Final = 3.0
SWITCH_S: Final = 0.0005  # so long a visitor's work keeps the engine's from going on, where Python says 5 ms
AT_ONCE: Final = 2  # answers being made: each takes its turn at the interpreter with the engine's thread
BACKLOG: Final = 256


class _Quiet(uvicorn.Server):
    """Signals belong to the engine."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves an ASGI application from a thread between `start` and `stop`."""

    def __init__(self, build: Callable[[], Any], host: str, port: int) -> None:
        """build  makes the application, inside of the thread's own loop.

        Raises UsageError when the address cannot be had.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise UsageError(
                f"monitor.yaml web: {host}:{port} cannot be listened on ({error.strerror}); "
                "another port, or 0 for any, or --no-web"
            ) from error
        self.port: int = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/"
        self._build = build
        self._server: uvicorn.Server | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Return when visitors can come in. From then on the engine is let in sooner between two answers."""
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End, with every stream that is open. Takes three seconds at the most."""
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        config = uvicorn.Config(
            self._build(),
            backlog=BACKLOG,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=32_768,
        )
        current_default_thread_limiter().total_tokens = AT_ONCE
        self._server = _Quiet(config)
        asyncio.get_running_loop().call_soon(self._ready.set)
        await self._server.serve([self._socket])
