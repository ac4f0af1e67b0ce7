"""Sequence numbers of books when a maintenance window ends."""

from exchange.local_book import BookChange, LocalBook
from exchange.sim.markets.source import Gap
from exchange.sim.surface.streams.book_feed import BookFeed, BookView
from exchange.sim.surface.streams.channels import Topic
from tests.exchange.sim.worlds import MINUTE_MS, SPOT, Desk


def test_after_maintenance_numbers_start_lower_once_and_still_name_the_last_one_sent() -> None:
    desk = Desk()
    venue, now_ms = desk.venue, desk.venue.now_ms
    venue.watch(SPOT)
    venue.calendar.announce(Gap(now_ms + MINUTE_MS, now_ms + 3 * MINUTE_MS, "upgrade"))
    feed, topic, client = BookFeed(venue), Topic("books", SPOT), LocalBook(SPOT)
    view: BookView = feed.view(SPOT, 400)
    sent = (view, venue.now_ms)
    assert client.apply(BookChange(True, (), (), 0, view.seq_id, -1), 0)
    lower = []
    for _ in range(8):
        desk.wait(MINUTE_MS)
        feed.begin()
        update = feed.update(topic, sent)
        if update is None:
            continue
        before, sent = sent[0].seq_id, update[1]
        after = sent[0].seq_id
        assert f'"seqId":{after},"prevSeqId":{before}'.encode() in update[0]
        assert client.apply(BookChange(False, (), (), 0, after, before), 0)
        if after < before:
            lower.append(venue.now_ms)
    assert lower == [now_ms + 3 * MINUTE_MS]
