from pathlib import Path

from benchmarks import decision, journal


async def test_every_figure_of_the_journal_comes_out(tmp_path: Path) -> None:
    figures = {one.name: one.value for one in await journal.measure(tmp_path, 64)}
    assert len(figures) == 7
    assert figures["durable intent, median"] > 0
    assert figures["group commit / single commits"] > 1  # waiting together is what it is for


async def test_every_figure_of_a_decision_comes_out_and_all_its_guards_spoke(tmp_path: Path) -> None:
    figures = {one.name: one.value for one in await decision.measure(tmp_path, 50)}
    assert figures["a decision, guards to journal"] > 0
    assert figures["verdicts of it"] == 10
