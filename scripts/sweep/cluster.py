"""The same work on a Dask cluster, where one machine is too small.

Dask itself does a killed worker's tasks again elsewhere; what the work needs comes to every worker, also to
one that joins later, with a plugin. Workers run in this project's folder: `dask worker ADDRESS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from distributed import Client, WorkerPlugin, as_completed, get_worker

from core.errors import EngineError, UsageError

Task = TypeVar("Task")
Done = TypeVar("Done")

CONNECT_S: Final = 10.0


class _Bring(WorkerPlugin):
    """Puts the work where tasks find it. Implements distributed.WorkerPlugin."""

    name = "sweep"

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def setup(self, worker: Any) -> None:
        worker.sweep_work = self._work


def _do(task: Any) -> Any:
    worker: Any = get_worker()
    return worker.sweep_work(task)


class ClusterPool(Generic[Task, Done]):
    """Tasks on the cluster at `address`, such as tcp://10.0.0.5:8786. Implements Runner."""

    def __init__(self, work: Callable[[Task], Done], address: str, connect_s: float = CONNECT_S) -> None:
        try:
            self._client = Client(address, timeout=connect_s, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"--cluster {address}: no Dask scheduler answers there ({error}); "
                "allowed: the address that `dask scheduler` prints"
            ) from error
        self._client.register_plugin(_Bring(work))

    @property
    def workers(self) -> int:
        """How many there are now; at least one is counted on to come."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
        """See Runner.run."""
        places = {self._client.submit(_do, task, pure=False): place for place, task in enumerate(tasks)}
        for future in as_completed(places, loop=self._client.loop):
            try:
                done = future.result()
            except Exception as error:
                raise EngineError(f"the cluster could not do its part: {error}") from error
            yield places[future], done

    def close(self) -> None:
        """Leave the cluster as it was."""
        self._client.close()
