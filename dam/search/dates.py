"""Dates as people write them: ISO prefixes in filters, and words in a sentence.

A period is half-open and made of ISO 8601 prefixes of local time, so that comparing strings
compares times, whatever the time zone of the camera was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from dam.errors import BadRequest

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS)
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # first month
SEASON = "|".join(SEASONS)
YEAR = r"(?:19|20)\d\d"

ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
IN_WORDS = re.compile(
    rf"""(?ix) (?<![\w.-]) (?:(?:taken|shot)\s+)? (?:(?P<preposition>in|on|from|during|of)\s+)?
    (?: (?P<iso>{YEAR}-\d{{1,2}}(?:-\d{{1,2}})?)
      | (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<day_month>{MONTH})\.?,?\s+
        (?P<day_year>{YEAR})
      | (?P<month>{MONTH})[.,]?\s+(?:(?P<month_day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?
        (?P<month_year>{YEAR})
      | (?P<season>{SEASON})\s+(?:of\s+)?(?P<season_year>{YEAR})
      | (?P<which>last|this)\s+(?P<period>week|month|year|{SEASON})
      | (?P<relative>today|yesterday)
      | (?P<year>{YEAR})
    ) (?![\w-]|\.\w)"""
)


@dataclass(frozen=True, slots=True)
class Period:
    start: str  # inclusive
    end: str  # exclusive
    label: str  # for people: "June 2024"

    def contains(self, captured_local: str | None) -> bool:
        return captured_local is not None and self.start <= captured_local < self.end


def period_of(text: str) -> Period:
    """`2024`, `2024-06`, `2024-06-01`, or two of them with `..` between. Raises `BadRequest`."""
    first, dots, last = text.partition("..")
    start = _iso_period(first, text)
    if not dots:
        return start
    end = _iso_period(last, text)
    return Period(start.start, end.end, f"{start.label} to {end.label}")


def find_period(sentence: str, today: date) -> tuple[Period | None, str]:
    """The first date in words, and the sentence without it.

    A bare year counts only after a preposition or when it is all there is: "1984 poster" is about
    a poster.
    """
    for match in IN_WORDS.finditer(sentence):
        found = match.groupdict()
        alone = match[0].strip() == sentence.strip()
        if found["year"] and not found["preposition"] and not alone:
            continue
        try:
            period = _period_in_words(found, today)
        except (ValueError, BadRequest):
            continue  # the 31st of June
        rest = f"{sentence[: match.start()]} {sentence[match.end() :]}"
        return period, " ".join(rest.split())
    return None, sentence


def _iso_period(text: str, whole: str) -> Period:
    match = ISO.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in match.groups())
        return _period(int(match[1]), month, day) if year else _period(0, None, None)
    except ValueError as error:
        raise BadRequest(
            f"“{whole}” is not a date; write 2024, 2024-06, 2024-06-01 or 2024-06..2024-08."
        ) from error


def _period(year: int, month: int | None = None, day: int | None = None) -> Period:
    if month is None:
        date(year, 1, 1)  # raises ValueError for the year 0
        return Period(f"{year:04}", f"{year + 1:04}", str(year))
    if day is None:
        date(year, month, 1)
        label = f"{MONTHS[month - 1].capitalize()} {year}"
        return Period(f"{year:04}-{month:02}", _month_after(year, month, 1), label)
    start = date(year, month, day)
    label = f"{day} {MONTHS[month - 1].capitalize()} {year}"
    return Period(start.isoformat(), (start + timedelta(days=1)).isoformat(), label)


def _month_after(year: int, month: int, count: int) -> str:
    months = year * 12 + month - 1 + count
    return f"{months // 12:04}-{months % 12 + 1:02}"


def _season(name: str, year: int) -> Period:
    start = SEASONS[name]
    end = _month_after(year, start, 3)
    return Period(f"{year:04}-{start:02}", end, f"{name} {year}")


def _month_number(name: str) -> int:
    return [month[:3] for month in MONTHS].index(name[:3].lower()) + 1


def _period_in_words(found: dict[str, str | None], today: date) -> Period:
    if found["iso"]:
        return period_of(found["iso"])
    if found["day_month"]:
        return _period(
            int(found["day_year"] or 0), _month_number(found["day_month"]), int(found["day"] or 0)
        )
    if found["month"]:
        day = int(found["month_day"]) if found["month_day"] else None
        return _period(int(found["month_year"] or 0), _month_number(found["month"]), day)
    if found["season"]:
        return _season(found["season"].lower(), int(found["season_year"] or 0))
    if found["period"]:
        is_last = (found["which"] or "").lower() == "last"
        return _relative_period(found["period"].lower(), today, is_last=is_last)
    if found["relative"]:
        back = 1 if found["relative"].lower() == "yesterday" else 0
        day_then = today - timedelta(days=back)
        return _period(day_then.year, day_then.month, day_then.day)
    return _period(int(found["year"] or 0))


def _relative_period(name: str, today: date, *, is_last: bool) -> Period:
    back = 1 if is_last else 0
    if name == "year":
        return _period(today.year - back)
    if name == "month":
        start = _month_after(today.year, today.month, -back)
        return period_of(start)
    if name == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        sunday = monday + timedelta(days=7)
        return Period(monday.isoformat(), sunday.isoformat(), f"the week of {monday}")
    this_one = _season(name, today.year)
    is_over = this_one.end <= today.isoformat()
    return this_one if is_over or not is_last else _season(name, today.year - 1)
