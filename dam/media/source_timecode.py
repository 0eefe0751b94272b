"""The time of day at which a recorder began, as editors read it: SMPTE time code (ST 12-1).

A broadcast wave counts samples since midnight (`bext`, EBU Tech 3285); how many frames a second
they are counted in, only iXML says.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam.media.fields import Fields

DAY_S = 86_400
DROPPED_A_MINUTE = 2  # at 30 a second; 4 at 60. None in every tenth minute
_WHOLE = tuple(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60))
RATES = (*_WHOLE, *(rate * 1000 / 1001 for rate in _WHOLE))
NEAR = 0.005  # `23.98` is meant to be 24000/1001, and `29.97` 30000/1001
_SINCE_MIDNIGHT = "XML:BwfxmlSpeedTimestampSamplesSinceMidnight"


def source_timecode(fields: Fields) -> dict[str, str]:
    """`source_timecode` and, where it is known, the `timecode_rate` that it counts in.

    Without a frame rate it ends in milliseconds. Nothing for a file that counts from 0, as programs
    write it that know no time, and for one that counts beyond a day.
    """
    samples, rate_hz = _since_midnight(fields)
    if not 0 < samples < DAY_S * rate_hz:
        return {}
    rate = _frame_rate(fields.number("XML:BwfxmlSpeedTimecodeRate"))
    if rate is None:
        ms = round(Fraction(samples * 1000, rate_hz))
        return {"source_timecode": f"{_clock(ms // 1000)}.{ms % 1000:03}"}
    is_drop = fields.text("XML:BwfxmlSpeedTimecodeFlag") == "DF"
    code = timecode(samples, rate_hz, rate, is_drop=is_drop)
    return {"source_timecode": code, "timecode_rate": str(rate)}


def timecode(samples: int, rate_hz: int, rate: Fraction, *, is_drop: bool) -> str:
    """Of the frame that holds the sample: `01:00:00:00`, with `;` when numbers are dropped."""
    # A recorder rounds the first sample of a frame down, which would be the frame before.
    frame = (samples + 1) * rate // rate_hz
    a_second = round(rate)
    is_drop = is_drop and rate.denominator == 1001 and a_second % 30 == 0
    if is_drop:
        frame = _with_dropped_numbers(frame, a_second)
    return f"{_clock(frame // a_second)}{';' if is_drop else ':'}{frame % a_second:02}"


def _with_dropped_numbers(frame: int, a_second: int) -> int:
    dropped = DROPPED_A_MINUTE * a_second // 30
    minute = 60 * a_second - dropped
    ten_minutes = 10 * minute + dropped
    tens, rest = divmod(frame, ten_minutes)
    skipped = max(0, (rest - dropped) // minute)  # the first minute of ten keeps its numbers
    return frame + dropped * (9 * tens + skipped)


def _since_midnight(fields: Fields) -> tuple[int, int]:
    """Samples, and how many of them make a second; zeros where it is not said."""
    samples = _whole(fields, "RIFF:TimeReference")
    if samples:
        return samples, _whole(fields, "RIFF:SampleRate")
    high, low = (_whole(fields, f"{_SINCE_MIDNIGHT}{half}") for half in ("Hi", "Lo"))
    return (high << 32) + low, _whole(fields, "XML:BwfxmlSpeedTimestampSampleRate")


def _whole(fields: Fields, name: str) -> int:
    return max(0, int(fields.number(name) or 0))


def _frame_rate(said: float | None) -> Fraction | None:
    """The exact one that is meant."""
    nearest = min(RATES, key=lambda rate: abs(rate - (said or 0.0)))
    return nearest if abs(nearest - (said or 0.0)) < NEAR else None


def _clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02}:{minute:02}:{second:02}"
