"""WebVTT as players want it (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

LAST_US = 1_000_000  # how long the last tile stands when the video's end is not known


def thumbnail_track(sprite: dict[str, Any], duration_us: int | None, *, version: str) -> str:
    """Cues that point into the sheet of tiles beside the track, by `#xywh=`."""
    times: list[int] = sprite["times_us"]
    width, height = sprite["tile_width_px"], sprite["tile_height_px"]
    end_us = max(duration_us or 0, times[-1] + LAST_US)
    cues = []
    for place, (start_us, until_us) in enumerate(pairwise([*times, end_us])):
        x, y = place % sprite["columns"] * width, place // sprite["columns"] * height
        cues.append(
            f"{timestamp(start_us)} --> {timestamp(until_us)}\n"
            f"sprite?v={version}#xywh={x},{y},{width},{height}\n"
        )
    return "WEBVTT\n\n" + "\n".join(cues)


def timestamp(at_us: int) -> str:
    """`HH:MM:SS.mmm`."""
    at_ms = round(at_us / 1000)
    return (
        f"{at_ms // 3_600_000:02}:{at_ms // 60_000 % 60:02}:{at_ms // 1000 % 60:02}"
        f".{at_ms % 1000:03}"
    )
