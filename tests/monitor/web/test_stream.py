from __future__ import annotations

import asyncio

import pytest

from monitor.web.stream import Hub


class Picture:
    def __init__(self) -> None:
        self.text: str | None = '{"n":0}'
        self.looks = 0

    def look(self) -> str | None:
        self.looks += 1
        return self.text


async def passes(times: int) -> None:
    """Let everything that is ready run so many times."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_the_newest_picture_comes_at_once_and_then_each_that_differs() -> None:
    picture = Picture()
    hub = Hub(picture.look, every_s=0)
    news = hub.listen()
    assert await anext(news) == 'id: 1\nevent: status\ndata: {"n":0}\n\n'
    waiting = asyncio.ensure_future(anext(news))
    await passes(10)
    assert picture.looks > 2
    assert not waiting.done()  # the same picture again is no news
    picture.text = '{"n":1}'
    assert await waiting == 'id: 2\nevent: status\ndata: {"n":1}\n\n'
    await news.aclose()


@pytest.mark.fault("DA3")
async def test_a_slow_listener_gets_the_newest_and_nothing_piles_up() -> None:
    picture = Picture()
    hub = Hub(picture.look, every_s=0)
    slow, quick = hub.listen(), hub.listen()
    await anext(slow)
    await anext(quick)
    for n in range(1, 50):
        picture.text = f'{{"n":{n}}}'
        assert f'"n":{n}' in await anext(quick)
    assert '"n":49' in await anext(slow)
    await slow.aclose()
    await quick.aclose()


async def test_where_nobody_listens_nobody_looks() -> None:
    picture = Picture()
    hub = Hub(picture.look, every_s=0)
    news = hub.listen()
    await anext(news)
    await news.aclose()
    assert hub.listeners == 0
    seen = picture.looks
    await passes(20)
    assert picture.looks <= seen + 1


@pytest.mark.fault("DA3")
async def test_two_hundred_listeners_cost_one_look() -> None:
    picture = Picture()
    hub = Hub(picture.look, every_s=60)
    listeners = [hub.listen() for _ in range(200)]
    assert {await anext(one) for one in listeners} == {'id: 1\nevent: status\ndata: {"n":0}\n\n'}
    assert picture.looks == 1
    for one in listeners:
        await one.aclose()
