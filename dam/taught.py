"""Which tags are taught, and their suggestions, as rows. `dam.teaching` learns them.

Works inside the caller's session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from dam.tables import TagRow, TagSource, TaughtTag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session


def write_taught(session: Session, wanted: Mapping[str, bool]) -> dict[str, bool]:
    """Lets tags be taught or not; returns how those were that changed. Suggestions of one that is
    not go at once, those of one that is come when it is learnt."""
    before: dict[str, bool] = {}
    for word, is_wanted in wanted.items():
        row = session.get(TaughtTag, word)
        if (row is not None) == is_wanted:
            continue
        before[word] = row is not None
        if row is None:
            session.add(TaughtTag(word=word))
        else:
            session.delete(row)
            replace_suggestions(session, word, [])
    session.flush()
    return before


def replace_suggestions(session: Session, word: str, rows: Sequence[dict[str, Any]]) -> None:
    session.execute(
        delete(TagRow)
        .where(TagRow.word == word, TagRow.source == TagSource.TAUGHT)
        .execution_options(synchronize_session=False)
    )
    if rows:
        session.execute(insert(TagRow), list(rows))
