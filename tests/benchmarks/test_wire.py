from benchmarks.wire import FrameCounter, figures
from exchange.sim.surface.ws_link import head_of


def test_figures_come_out() -> None:
    rest, fan_out = figures(seconds=0.4, rest_connections=2, streams=2)
    assert rest.value > 0 and fan_out.value > 0


def test_frames_are_counted_however_they_arrive() -> None:
    payloads = [b"x" * size for size in (0, 5, 125, 126, 4000, 70_000)]
    stream = b"".join(head_of(payload) + payload for payload in payloads * 3)
    for piece in (1, 7, 1000, len(stream)):
        counter = FrameCounter()
        for at in range(0, len(stream), piece):
            counter.feed(stream[at : at + piece])
        counter.feed(b"\x81\x01y" * 4)  # a frame is only sure once ten bytes are there
        assert counter.frames >= len(payloads) * 3
