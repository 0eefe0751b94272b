"""What a person does to many tags at once: decide for all that match, rename, merge, delete.

Each is one change that one undo takes back (`dam.changes`). Keywords in files are never touched:
a word that a file carries is rejected where it shall not show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.changes import AssetChange, Changed, change_each
from dam.errors import Conflict, NotFound
from dam.search.filters import conditions, has_file, says
from dam.search.parse import parse
from dam.search.query import Filters, Query
from dam.tables import Asset, TagDecision, TagRow, TagSource, TaughtTag, Verdict
from dam.tag_words import Suggestions, is_known, suggested_on
from dam.tagging import cleaned_word
from dam.trash import not_in_trash
from dam.vocabulary import read_vocabulary, removing, renaming
from dam.vocabulary_changes import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.search.service import SearchService

GOOD = 0.4  # what the web app shows without "weaker matches"; lower: anything resembles anything
MOST_HITS = 10_000  # of one search


@dataclass(frozen=True, slots=True)
class Matching:
    """All assets that a query, filters and the suggestions of a word leave over.

    Filters alone match exactly, stacked assets included. Free words match as a search does: what
    is a good match, at most `MOST_HITS`.
    """

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    suggested: Suggestions | None = None


def matching_assets(
    database: Database, search: Callable[[], SearchService], wanted: Matching
) -> list[str]:
    """Raises `BadRequest` for a malformed query."""
    parsed = parse(wanted.text, today=date.today())
    with database.read() as session:
        suggested = (
            None if wanted.suggested is None else set(suggested_on(session, wanted.suggested))
        )
        if parsed.is_empty:
            chosen = select(Asset.id).where(
                not_in_trash(),
                has_file(),
                *conditions(parsed.filters),
                *conditions(wanted.filters),
                *(~says(word) for word in parsed.excluded),
            )
            found = list(session.scalars(chosen.order_by(Asset.id)))
        else:
            query = Query(wanted.text, wanted.filters, MOST_HITS)
            found = [hit.asset_id for hit in search().search(query).results if hit.score >= GOOD]
    return found if suggested is None else [id_ for id_ in found if id_ in suggested]


def decide_all(
    database: Database, asset_ids: list[str], verdicts: Mapping[str, Verdict | None]
) -> Changed:
    """Approves, rejects or (None) forgets words on many assets. Raises as `change_each` does."""
    return change_each(database, [(asset_ids, AssetChange(verdicts=verdicts))])


def rename_word(database: Database, word: str, new: str, *, merge: bool = False) -> Changed:
    """Gives everything that people and files say of a word to another one, and the old name as a
    synonym where a model or the vocabulary says it.

    Where a person already said something of the other word, that stands. Raises `NotFound` for an
    unknown word, and `Conflict` for a new one that is in use, unless `merge`.
    """
    new = cleaned_word(new)
    with database.read() as session:
        _require(session, word)
        if word == new:
            return Changed(0, "")
        if not merge and is_known(session, new):
            raise Conflict(f"The tag “{new}” is there already; merge “{word}” into it instead.")
        decided = _decisions(session, word)
        kept = _decisions(session, new)
        in_files = _carriers(session, word, TagSource.FILE)
        suggested = _carriers(session, word, TagSource.MODEL)
        vocabulary = read_vocabulary(session)
        is_taught = session.get(TaughtTag, word) is not None
    had = (in_files - decided.keys()) | _said(decided, Verdict.APPROVED)
    refused = _said(decided, Verdict.REJECTED)
    shown = had & (in_files | suggested)  # would show again by itself
    # A model goes on saying the old name: as a synonym it is said under the new one.
    is_said = word in vocabulary or bool(suggested)
    renamed = renaming(vocabulary, word, new) if is_said else {}
    return change_each(
        database,
        [
            (sorted(had - kept.keys()), AssetChange(verdicts={new: Verdict.APPROVED})),
            (sorted(refused - kept.keys()), AssetChange(verdicts={new: Verdict.REJECTED})),
            (sorted(shown), AssetChange(verdicts={word: Verdict.REJECTED})),
            (sorted(had - shown), AssetChange(verdicts={word: None})),
        ],
        written(renamed, {word: False, new: True} if is_taught else {}),
    )


def delete_word(database: Database, word: str) -> Changed:
    """Takes a word off every asset and out of the vocabulary: forgets what people said of it, and
    rejects it where a file or a model says it. Raises `NotFound` for an unknown one."""
    with database.read() as session:
        _require(session, word)
        decided = set(_decisions(session, word))
        carried = _carriers(session, word, TagSource.FILE) | _carriers(
            session, word, TagSource.MODEL
        )
        vocabulary = read_vocabulary(session)
    gone = removing(vocabulary, word) if word in vocabulary else {}
    return change_each(
        database,
        [
            (sorted(carried), AssetChange(verdicts={word: Verdict.REJECTED})),
            (sorted(decided - carried), AssetChange(verdicts={word: None})),
        ],
        written(gone, {word: False}),
    )


def _require(session: Session, word: str) -> None:
    if not is_known(session, word):
        raise NotFound(f"There is no tag “{word}”.")


def _decisions(session: Session, word: str) -> dict[str, Verdict]:
    rows = session.execute(
        select(TagDecision.asset_id, TagDecision.verdict).where(TagDecision.word == word)
    )
    return {asset_id: Verdict(verdict) for asset_id, verdict in rows}


def _said(decided: Mapping[str, Verdict], wanted: Verdict) -> set[str]:
    return {asset_id for asset_id, verdict in decided.items() if verdict is wanted}


def _carriers(session: Session, word: str, source: TagSource) -> set[str]:
    return set(
        session.scalars(select(TagRow.asset_id).where(TagRow.word == word, TagRow.source == source))
    )
