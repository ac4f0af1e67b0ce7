from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema import Strategy
from core.errors import UsageError
from scripts.sweep.pool import InProcess
from scripts.sweep.results import Results
from scripts.sweep.scoring import Bench
from scripts.sweep.space import Space, read_space
from scripts.sweep.study import WHOLE, Aim, Scorer, Search
from tests.scripts.sweep.scenes import COST, SPACE, dies_once, records, space_file
from tests.scripts.sweep.test_pool import squared

distributed = pytest.importorskip("distributed", reason="no Dask here: `make cluster` installs it")
pytestmark = [
    pytest.mark.timeout(180),
    # Dask's own processes and sockets are its own business.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler and two workers, each a process of its own that is started again when it is killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster.scheduler_address


def space_of(tmp_path: Path) -> Space:
    return read_space(space_file(tmp_path, SPACE), Strategy())


def test_a_cluster_gives_what_one_process_gives(address: str, tmp_path: Path) -> None:
    from scripts.sweep.cluster import ClusterPool

    space = space_of(tmp_path)
    work = Scorer(space.base, {WHOLE: Bench(records(60), COST)})
    pool = ClusterPool(work, address)
    assert pool.workers == 2
    found = [
        Search(space, "tpe", 20, 7, Aim(), runner, workers, Results(None, {}, False)).run(WHOLE)
        for runner, workers in ((pool, pool.workers), (InProcess(work), 1))
    ]
    pool.close()
    assert found[0] == found[1]


def test_a_worker_that_is_killed_loses_nothing_but_time(address: str, tmp_path: Path) -> None:
    from scripts.sweep.cluster import ClusterPool

    pool = ClusterPool(dies_once, address)
    assert sorted(pool.run([(tmp_path / "mark", n) for n in range(12)])) == [(n, n) for n in range(12)]
    assert (tmp_path / "mark").exists()
    pool.close()


def test_where_no_scheduler_answers_it_is_one_clear_error() -> None:
    from scripts.sweep.cluster import ClusterPool

    with pytest.raises(UsageError, match=r"--cluster tcp://127.0.0.1:9: no Dask scheduler answers there"):
        ClusterPool(squared, "tcp://127.0.0.1:9", connect_s=1)
