from benchmarks.scan import measure


def test_every_figure_of_a_small_scan_comes_out() -> None:
    figures = {one.name: one.value for one in measure(4)}
    assert figures["questions of the first scan"] == 21
    assert figures["first scan, everything due"] > 0 and figures["scan, all at once"] > 0
    assert figures["signals of it"] >= 1
