"""What frames cost: processor time of script, style and layout on the page's main thread.

Read from a trace of Chromium. Processor time and not time by the clock: what else the machine does
must not decide.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute", "cc"]
WORK = {
    "EvaluateScript",
    "EventDispatch",
    "FireAnimationFrame",
    "FunctionCall",
    "Layout",
    "RunMicrotasks",
    "TimerFire",
    "UpdateLayoutTree",
    "V8.GC_MC_BACKGROUND_MARKING",
    "MinorGC",
    "MajorGC",
}
FRAME = "ProxyMain::BeginMainFrame"
US_PER_MS = 1000


@dataclass
class Frames:
    costs_ms: list[float] = field(default_factory=list)  # one for each frame, in order

    def busier_than(self, least_ms: float) -> Frames:
        """Without the frames in which next to nothing was done: they would hide the others."""
        return Frames([cost for cost in self.costs_ms if cost > least_ms])

    def percentile(self, share: float) -> float:
        return sorted(self.costs_ms)[min(len(self.costs_ms) - 1, int(len(self.costs_ms) * share))]


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[Frames]:
    """The frames that were drawn while the block ran; filled when it ends."""
    frames = Frames()
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        yield frames
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    frames.costs_ms = _costs(events)


def _costs(events: list[dict[str, Any]]) -> list[float]:
    thread = _busiest_thread(events)
    own = [event for event in events if (event["pid"], event["tid"]) == thread]
    starts = sorted(event["ts"] for event in own if event["name"] == FRAME)
    costs = [0.0] * (len(starts) + 1)
    covered_until = 0
    for event in sorted(
        (e for e in own if e["name"] in WORK and "dur" in e), key=lambda e: e["ts"]
    ):
        if event["ts"] < covered_until:
            continue  # part of work that is counted already
        covered_until = event["ts"] + event["dur"]
        costs[bisect_right(starts, event["ts"])] += event.get("tdur", event["dur"]) / US_PER_MS
    return costs[1:]


def _busiest_thread(events: list[dict[str, Any]]) -> tuple[int, int]:
    """The main thread of the page: the one that draws the frames."""
    counts: dict[tuple[int, int], int] = {}
    for event in events:
        if event["name"] == FRAME:
            key = (event["pid"], event["tid"])
            counts[key] = counts.get(key, 0) + 1
    assert counts, "no frame was drawn while the trace ran"
    return max(counts, key=lambda key: counts[key])
