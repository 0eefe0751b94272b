"""Dates as cameras, editors and containers write them. Pure functions; nothing is shifted here.

A clock's reading and its offset from UTC are kept apart, as they were written: no time zone is ever
looked up, so an hour that does not exist in spring or happens twice in autumn stays what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1)
# What unset clocks of containers show: zero in QuickTime's time (1904) and in Unix time.
_UNSET_US = frozenset((-2_082_844_800_000_000, 0))
_FARTHEST_MIN = 14 * 60  # UTC+14, Line Islands; no place has been farther from UTC since 1995

_DATE = re.compile(
    r"(?P<year>\d{4})(?:[-:/.](?P<month>\d{1,2})(?:[-:/.](?P<day>\d{1,2}))?)?"
    r"(?:(?:[T ]|\s+at\s+)\s*(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d+))?)?)?"
    r"\s*(?P<offset>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2}){0,2})?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})([+-]\d{4}|Z)?)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)


class Precision(StrEnum):
    """The smallest part of a date that was written down; the others are filled with their first."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock showed, and how far east of UTC it stood when that is known."""

    local: datetime  # naive
    offset_min: int | None = None
    precision: Precision = Precision.TIME

    @property
    def iso(self) -> str:
        """Local time as ISO 8601 without offset; fractions of a second only when there are any."""
        return self.local.isoformat()

    @property
    def utc_us(self) -> int:
        """Microseconds since 1970 in UTC; local time stands for UTC where the offset is unknown."""
        since_epoch = self.local - _EPOCH - timedelta(minutes=self.offset_min or 0)
        return since_epoch // timedelta(microseconds=1)

    def at(self, offset_min: int | None) -> Reading:
        """The same reading with an offset that was written elsewhere; its own one wins."""
        return self if self.offset_min is not None else replace(self, offset_min=offset_min)


def parse_date(text: str, *, subsecond: str = "", offset: str = "") -> Reading | None:
    """EXIF (`2020:01:02 03:04:05`), ISO 8601 and XMP dates, also without seconds, time or day.

    `subsecond` (digits after the point) and `offset` come from fields of their own and count only
    where `text` itself says nothing. Impossible dates and the zero of a container's clock are None.
    """
    text = text.strip().strip("\0").strip()
    if compact := _COMPACT.fullmatch(text):
        year, month, day, *time, zone = compact.groups(default="")
        text = f"{year}-{month}-{day}" + (f"T{':'.join(time)}{zone}" if time[0] else "")
    found = _DATE.fullmatch(text)
    if not found:
        return None
    precision = _precision(found)
    local = _local(found, subsecond)
    if local is None:
        return None
    own = found["offset"]
    read = Reading(local, parse_offset(own if own else offset), precision)
    unset = {Reading(local).utc_us, read.utc_us} & _UNSET_US
    return None if unset and precision is Precision.TIME else read


def parse_offset(text: str) -> int | None:
    """Minutes east of UTC of `+05:30`, `-0330`, `+9` or `Z`; None for anything else."""
    text = text.strip().strip("\0").strip()
    if text.upper() in ("Z", "UTC", "GMT"):
        return 0
    found = _OFFSET.fullmatch(text)
    if not found:
        return None
    sign, hours, minutes = found.groups()
    value = int(hours) * 60 + int(minutes or 0)
    if value > _FARTHEST_MIN or int(minutes or 0) > 59:
        return None
    return -value if sign == "-" else value


def offset_between(local: datetime, utc: datetime) -> int | None:
    """The offset of a clock that showed `local` when it was `utc`.

    Satellite time and camera time are taken some seconds apart, and a stale fix can be hours old:
    only a difference within a minute of an offset that some place on Earth uses is believed.
    """
    quarters = round((local - utc) / timedelta(minutes=15))
    rest = (local - utc) - quarters * timedelta(minutes=15)
    minutes = quarters * 15
    if abs(rest) > timedelta(minutes=1) or not -12 * 60 <= minutes <= _FARTHEST_MIN:
        return None
    return minutes if minutes % 60 == 0 or minutes in _ODD_OFFSETS else None


# Offsets off the full hour that are in use (IANA tz database 2025): Marquesas, Newfoundland, Iran,
# Afghanistan, India, Nepal, Myanmar, Eucla, central Australia, Lord Howe, Chatham.
_ODD_OFFSETS = frozenset((-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825))


def _precision(found: re.Match[str]) -> Precision:
    if found["hour"]:
        return Precision.TIME
    if found["day"]:
        return Precision.DAY
    return Precision.MONTH if found["month"] else Precision.YEAR


def _local(found: re.Match[str], subsecond: str) -> datetime | None:
    digits = found["fraction"] or re.sub(r"[^0-9].*", "", subsecond.strip(), flags=re.DOTALL)
    second = int(found["second"] or 0)
    leap = second == 60  # datetime knows no leap seconds: the next second is the same instant
    try:
        local = datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            59 if leap else second,
            int(digits[:6].ljust(6, "0")) if found["second"] and digits else 0,
        )
        return local + timedelta(seconds=1) if leap else local
    except (ValueError, OverflowError):
        return None
