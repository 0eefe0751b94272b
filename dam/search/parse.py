"""What a person typed → a sentence, phrases, words to avoid, and filters.

    "at the gate" woman in red -dog kind:video in:"Summer trip" rating:>=3 duration:>10s june 2024

Quoted phrases must be found in text or metadata. `key:value` is a filter. Dates in words are a
wish, not a filter: they may be part of a name. Everything else is the sentence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dam.contracts import Kind
from dam.errors import BadRequest
from dam.search.dates import Period, find_period, period_of
from dam.search.measured import traits_of
from dam.search.musical import keys_of
from dam.search.query import Filters
from dam.search.words import WORD, content_words, has_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

LONGEST = 2_000  # characters; a query is a sentence, and every word of it costs a look-up
PART = re.compile(
    r'(?P<minus>-)?(?:(?P<key>[A-Za-z]{2,}):(?!//))?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))'
)
COMPARISON = re.compile(r"(?P<sign>>=|<=|>|<|=|)(?P<amount>.+)")
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h|)")
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)")
UNITS_S = {"ms": 0.001, "": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
NEAR_BPM = 2.0  # nobody means exactly 120.0 beats a minute
QUOTES = str.maketrans("“”„«»", '"""""')


@dataclass(frozen=True, slots=True)
class Parsed:
    sentence: str  # for encoders: no filters, no dates, no negative words
    words: tuple[str, ...]  # of the sentence, folded, without stop words
    whole: str  # everything but filters and negative words, as typed
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    filters: Filters
    period: Period | None

    @property
    def is_empty(self) -> bool:
        return not self.whole

    @property
    def is_only_period(self) -> bool:
        """Nothing but a date: "june 2024", "photos from last summer"."""
        return self.period is not None and not has_content(self.sentence)


def parse(text: str, *, today: date) -> Parsed:
    """Raises `BadRequest`, saying how it is written, for an unknown or malformed filter."""
    if len(text) > LONGEST:
        raise BadRequest(f"The query is longer than {LONGEST} characters.")
    kept: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    pairs: list[tuple[str, str]] = []
    for match in PART.finditer(cleaned(text)):
        quoted, bare, key = match["quoted"], match["bare"], match["key"]
        value = bare if quoted is None else quoted.strip()
        if key:
            pairs.append((_negated(key) if match["minus"] else key.lower(), value))
        elif match["minus"] and WORD.search(value):
            excluded.append(value)
        elif value.strip("-"):
            if quoted is not None and WORD.search(value):
                phrases.append(value)
            kept.append(value)
    whole = " ".join(part for part in kept if part)
    period, rest = find_period(whole, today)
    sentence = rest or whole
    return Parsed(
        sentence=rest if period else whole,
        words=content_words(sentence),
        whole=whole,
        phrases=tuple(phrases),
        excluded=tuple(excluded),
        filters=filters_of(pairs),
        period=period,
    )


def filters_of(pairs: Iterable[tuple[str, str]]) -> Filters:
    """Filters from (key, value) as they are written in a query, or come as API parameters."""
    filters = Filters()
    for key, value in pairs:
        read = KEYS.get(key.lower())
        if read is None:
            known = ", ".join(sorted(set(KEYS) - set(ALIASES) - {"-tag", "-person"}))
            raise BadRequest(
                f"There is no filter “{key}:”. Known are {known}. "
                f'To search for the text itself, quote it: "{key}:{value}".'
            )
        if not value:
            raise BadRequest(f"The filter “{key}:” lacks a value.")
        filters = read(filters, value)
    return filters


def cleaned(text: str) -> str:
    """Text that SQLite and encoders take: no lone surrogates, no control characters."""
    encodable = text.encode("utf-8", "ignore").decode()
    normal = unicodedata.normalize("NFC", encodable).translate(QUOTES)
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in normal)


def _negated(key: str) -> str:
    if key.lower() in ("tag", "keyword"):
        return "-tag"
    if key.lower() in ("person", "people", "face"):
        return "-person"
    raise BadRequest(f"The filter “{key}:” cannot be negated; only words, tags and people can.")


def _kind(filters: Filters, value: str) -> Filters:
    named = {"image": "photo", "picture": "photo", "sound": "audio", "movie": "video"}
    kinds = set()
    for part in value.lower().split(","):
        singular = part.strip().rstrip("s")
        try:
            kinds.add(Kind(named.get(singular, singular)))
        except ValueError as error:
            known = ", ".join(Kind)
            raise BadRequest(f"There is no kind “{part.strip()}”; kinds are {known}.") from error
    return replace(filters, kinds=filters.kinds | kinds)


def _rating(filters: Filters, value: str) -> Filters:
    def stars(text: str) -> float:
        if not re.fullmatch(r"-?\d", text) or not -1 <= int(text) <= 5:
            raise BadRequest(f"“{value}” is no rating; write rating:4 or rating:>=3 (-1 to 5).")
        return int(text)

    sign = ">=" + value[:-1] if value.endswith("+") else value
    low, high = _bounds(sign, stars, step=1)
    return replace(
        filters,
        min_rating=filters.min_rating if low is None else int(low),
        max_rating=filters.max_rating if high is None else int(high),
    )


def _duration(filters: Filters, value: str) -> Filters:
    def seconds(text: str) -> float:
        clock = CLOCK.fullmatch(text)
        if clock:
            return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
        amount = DURATION.fullmatch(text.lower())
        if amount is None:
            raise BadRequest(
                f"“{value}” is no duration; write duration:>10s, duration:<2m or duration:5s..1m."
            )
        return float(amount[1]) * UNITS_S[amount[2]]

    low, high = _bounds(value, seconds, step=0.001)
    if low is not None and low == high:
        low, high = low - 0.5, high + 0.5  # nobody means a clip of exactly 10.000 s
    return replace(
        filters,
        min_duration_s=filters.min_duration_s if low is None else low,
        max_duration_s=filters.max_duration_s if high is None else high,
    )


def _loudness(filters: Filters, value: str) -> Filters:
    def lufs(text: str) -> float:
        if not re.fullmatch(r"[-−]?\d+(\.\d+)?", text):
            raise BadRequest(
                f"“{value}” is no loudness; write loudness:-24..-14, loudness:<-30 (LUFS)."
            )
        return float(text.replace("−", "-"))

    low, high = _bounds(value, lufs, step=0.1)
    if low is not None and low == high:
        low, high = low - 0.5, high + 0.5
    return replace(
        filters,
        min_loudness_lufs=filters.min_loudness_lufs if low is None else low,
        max_loudness_lufs=filters.max_loudness_lufs if high is None else high,
    )


def _tempo(filters: Filters, value: str) -> Filters:
    def beats(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            raise BadRequest(f"“{value}” is no tempo; write bpm:120, bpm:118..124 or bpm:>140.")
        return float(text)

    low, high = _bounds(value, beats, step=0.1)
    if low is not None and low == high:
        low, high = low - NEAR_BPM, high + NEAR_BPM
    return replace(
        filters,
        min_tempo_bpm=filters.min_tempo_bpm if low is None else low,
        max_tempo_bpm=filters.max_tempo_bpm if high is None else high,
    )


def _quality(filters: Filters, value: str) -> Filters:
    return replace(filters, quality=(*filters.quality, *traits_of(value)))


def _bounds(
    value: str, read: Callable[[str], float], *, step: float
) -> tuple[float | None, float | None]:
    """Inclusive bounds of `>=3`, `<5`, `4` or `2..4`."""
    first, dots, last = value.partition("..")
    if dots:
        return (read(first) if first else None), (read(last) if last else None)
    match = COMPARISON.fullmatch(value)
    sign, amount = (match["sign"], match["amount"]) if match else ("", value)
    number = read(amount.strip())
    return {
        ">=": (number, None),
        ">": (number + step, None),
        "<=": (None, number),
        "<": (None, number - step),
    }.get(sign, (number, number))


def _date(filters: Filters, value: str) -> Filters:
    period = period_of(value)
    return replace(filters, taken_from=period.start, taken_before=period.end)


def _add(name: str) -> Callable[[Filters, str], Filters]:
    def read(filters: Filters, value: str) -> Filters:
        longer: dict[str, Any] = {name: (*getattr(filters, name), value)}
        return replace(filters, **longer)

    return read


ALIASES = {
    "type": "kind",
    "folder": "in",
    "path": "in",
    "keyword": "tag",
    "people": "person",
    "face": "person",
    "stars": "rating",
    "since": "after",
    "until": "before",
    "on": "date",
    "location": "place",
    "length": "duration",
    "has": "quality",
    "is": "quality",
    "lufs": "loudness",
    "tempo": "bpm",
}
KEYS: dict[str, Callable[[Filters, str], Filters]] = {
    "kind": _kind,
    "in": _add("folders"),
    "library": _add("libraries"),
    "tag": _add("tags"),
    "-tag": _add("without_tags"),
    "person": _add("people"),
    "-person": _add("without_people"),
    "camera": _add("cameras"),
    "place": _add("places"),
    "rating": _rating,
    "duration": _duration,
    "quality": _quality,
    "loudness": _loudness,
    "bpm": _tempo,
    "key": lambda filters, value: replace(filters, keys=filters.keys | keys_of(value)),
    "date": _date,
    "after": lambda filters, value: replace(filters, taken_from=period_of(value).start),
    "before": lambda filters, value: replace(filters, taken_before=period_of(value).start),
}
KEYS |= {alias: KEYS[key] for alias, key in ALIASES.items()}
