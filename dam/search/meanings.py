"""What the words of a query mean by a person's vocabulary: "hound" means dogs, "animal" poodles.

The filter `tag:` means the same, in SQL: `dam.search.filters`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from dam.search.words import words_of
from dam.store import SUGGESTED
from dam.tables import TagDecision, TagRow, TagSource, Verdict
from dam.vocabulary import names_meant_by, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

MOST_NAMES = 1_000  # of one query; SQLite takes 32,766 parameters


def words_meant(session: Session, words: Sequence[str], whole: str) -> dict[str, frozenset[str]]:
    """By case-folded tag, the words of the query that mean it. Empty without a vocabulary."""
    known = read_vocabulary(session)
    said = f" {' '.join(words_of(whole))} "
    found: dict[str, set[str]] = defaultdict(set)
    for entry in known.values():
        for name in (entry.word, *entry.synonyms):
            parts = words_of(name)
            if parts and f" {' '.join(parts)} " in said:
                for meant in names_meant_by(known, name):
                    found[meant.casefold()] |= set(parts) & set(words)
    return {tag: frozenset(parts) for tag, parts in list(found.items())[:MOST_NAMES] if parts}


def carriers(session: Session, meant: Mapping[str, frozenset[str]], limit: int) -> Iterator[str]:
    """Assets with one of these tags: approved, in the file, or suggested; at most so many each."""
    if not meant:
        return
    tags = list(meant)
    yield from session.scalars(
        select(TagDecision.asset_id)
        .where(func.lower(TagDecision.word).in_(tags), TagDecision.verdict == Verdict.APPROVED)
        .limit(limit)
    )
    yield from session.scalars(
        select(TagRow.asset_id)
        .where(
            func.lower(TagRow.word).in_(tags),
            or_(TagRow.source == TagSource.FILE, TagRow.score >= SUGGESTED),
        )
        .limit(limit)
    )
