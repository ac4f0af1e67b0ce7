from benchmarks.matching import Crowd, measure


def test_every_figure_of_a_few_orders_comes_out() -> None:
    figures = {one.name: one.value for one in measure("BTC-USDT-SWAP", 300)}
    assert len(figures) == 3 and figures["commands per second, BTC-USDT-SWAP"] > 0
    assert figures["fills per command, BTC-USDT-SWAP"] > 0 and figures["refused commands, BTC-USDT-SWAP"] == 0


def test_the_crowd_does_the_same_in_every_run() -> None:
    crowds = Crowd("BTC-USDT"), Crowd("BTC-USDT")
    for crowd in crowds:
        for _ in range(200):
            crowd.act()
    assert crowds[0].venue.snapshot_hash() == crowds[1].venue.snapshot_hash()
