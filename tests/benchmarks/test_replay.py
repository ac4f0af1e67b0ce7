from benchmarks.replay import measure


def test_every_figure_of_a_tiny_replay_comes_out() -> None:
    figures = {one.name: one.value for one in measure(symbols=2, days=1, large_symbols=2, large_days=1)}
    assert len(figures) == 4 and all(value > 0 for value in figures.values())
    assert figures["stops in one bar"] <= 4
