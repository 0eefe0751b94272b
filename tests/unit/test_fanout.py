from __future__ import annotations

import threading

import numpy as np
import pytest

from dam.contracts import Frame, Item, Kind, Outcome, Tag
from dam.errors import UnreadableMedia, UpstreamFailed
from dam.indexing.fanout import FRAMES_AHEAD, ItemFeed, Upstream, frame_tap

SMALL = np.zeros((2, 2, 3), np.uint8)


def test_frames_arrive_in_order_and_end() -> None:
    tap = frame_tap()
    for at_us in range(3):
        tap.put(Frame(at_us, None, SMALL))
    tap.put(None)
    assert [frame.at_us for frame in tap] == [0, 1, 2]


def test_a_decoder_error_reaches_the_reader() -> None:
    tap = frame_tap()
    tap.put(Frame(0, None, SMALL))
    tap.put(UnreadableMedia("cut off"))
    with pytest.raises(UnreadableMedia, match="cut off"):
        list(tap)
    assert isinstance(tap.error, UnreadableMedia)


def test_a_reader_that_left_does_not_hold_the_decoder_back() -> None:
    tap = frame_tap()
    pump = threading.Thread(
        target=lambda: [tap.put(Frame(n, None, SMALL)) for n in range(FRAMES_AHEAD * 2)]
    )
    pump.start()
    tap.close()
    pump.join(timeout=5)
    assert not pump.is_alive()


def test_asking_for_the_next_item_gives_up_the_frames_of_the_last() -> None:
    taps = [frame_tap(), frame_tap()]
    feed = ItemFeed()
    for number, tap in enumerate(taps):
        feed.put(Item(str(number), Kind.VIDEO, frames=tap))
    feed.end()
    items = iter(feed)
    next(items)
    next(items)
    for number in range(FRAMES_AHEAD + 1):
        taps[0].put(Frame(number, None, SMALL))  # would block for ever on an open tap
    assert list(taps[0]) == []


def test_a_feed_goes_on_where_its_reader_stopped() -> None:
    feed = ItemFeed()
    for name in ("a", "b", "c"):
        feed.put(Item(name, Kind.PHOTO))
    feed.end()
    assert next(iter(feed)).asset_id == "a"
    assert [item.asset_id for item in feed] == ["b", "c"]
    assert list(feed) == []


def test_upstream_findings_are_waited_for_and_failures_are_typed() -> None:
    upstream = Upstream()
    tag = Tag("v", "dog", 0.9)
    threading.Timer(0.05, lambda: upstream.publish("a", "visual", Outcome([tag]))).start()
    assert upstream.wait_for("a", "visual") == [tag]
    upstream.publish("b", "visual", Outcome(error=UnreadableMedia("broken")))
    with pytest.raises(UpstreamFailed, match="broken"):
        upstream.wait_for("b", "visual")
