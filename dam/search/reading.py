"""How a query was understood, part by part, so that a person sees it and can take a part away.

Stands on `dam.search.parse`, which decides; this only says what it decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dam.search.dates import find_period
from dam.search.parse import ALIASES, PART, cleaned, parse
from dam.search.words import WORD

if TYPE_CHECKING:
    import re
    from datetime import date


class PartRole(StrEnum):
    PHRASE = "phrase"  # must be found in text or metadata, word for word
    EXCLUDED = "excluded"  # must not be found there
    FILTER = "filter"  # key:value
    DATE = "date"  # in words: a wish that orders, not a filter


@dataclass(frozen=True, slots=True)
class QueryPart:
    role: PartRole
    name: str | None  # of a filter: kind, tag, -tag, rating, …; an alias by what it stands for
    text: str  # the value as a person reads it
    without: str  # the query when this part is taken away


@dataclass(frozen=True, slots=True)
class Reading:
    sentence: str  # what pictures are compared with
    parts: list[QueryPart]  # everything else, in the order it was typed; a date last


def read_query(text: str, *, today: date) -> Reading:
    """Raises `BadRequest` for what `parse` refuses."""
    parsed = parse(text, today=today)
    typed = cleaned(text)
    matches = list(PART.finditer(typed))
    parts = [part for match in matches if (part := _part(typed, match)) is not None]
    if parsed.period is not None:
        words = " ".join(match[0] for match in matches if not (match["minus"] or match["key"]))
        rest = find_period(words, today)[1]
        others = [match[0] for match in matches if match["minus"] or match["key"]]
        without = " ".join(part for part in (rest, *others) if part)
        parts.append(QueryPart(PartRole.DATE, None, parsed.period.label, without))
    return Reading(parsed.sentence, parts)


def _part(typed: str, match: re.Match[str]) -> QueryPart | None:
    quoted = match["quoted"]
    value = match["bare"] if quoted is None else quoted.strip()
    without = " ".join((typed[: match.start()] + " " + typed[match.end() :]).split())
    if match["key"]:
        key = match["key"].lower()
        name = ("-" if match["minus"] else "") + ALIASES.get(key, key)
        return QueryPart(PartRole.FILTER, name, value, without)
    if match["minus"] and WORD.search(value):
        return QueryPart(PartRole.EXCLUDED, None, value, without)
    if quoted is not None and not match["minus"] and WORD.search(value):
        return QueryPart(PartRole.PHRASE, None, value, without)
    return None
