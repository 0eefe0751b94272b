"""Filters, phrases and negative words as conditions on assets, for SQL to check."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, column, exists, func, literal_column, or_, select, table

from dam.search.measured import measured_conditions
from dam.search.musical import musical_conditions
from dam.search.words import escape_like, fts_phrase, is_unspaced, like_pattern
from dam.store import SUGGESTED
from dam.tables import (
    Asset,
    FaceDecision,
    FaceRow,
    FaceVerdict,
    File,
    FileState,
    Library,
    Person,
    Synonym,
    TagDecision,
    TagRow,
    TagSource,
    TextField,
    TextRow,
    Verdict,
    VocabularyWord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute

    from dam.search.query import Filters

Condition = ColumnElement[bool]
# A limit keeps SQLite from looking row after row up in the full-text index (minutes at 100k
# assets) instead of asking it once; no library has so many texts with one word in them.
MOST_ROWS = 1_000_000
TAG_FIELDS = (TextField.TAG, TextField.KEYWORD)  # searched through the tags, where verdicts count


def conditions(filters: Filters) -> list[Condition]:
    """Conditions on `Asset`, all of which must hold; none when nothing is asked."""
    found: list[Condition] = []
    if filters.kinds:
        found.append(Asset.kind.in_(sorted(filters.kinds)))
    if filters.libraries or filters.folders:
        found.append(has_file(file_conditions(filters)))
    found += [_has_tag(word) for word in filters.tags]
    found += [~_has_tag(word) for word in filters.without_tags]
    found += [shows_person(name) for name in filters.people]
    found += [~shows_person(name) for name in filters.without_people]
    for contained, wanted in ((Asset.camera, filters.cameras), (Asset.place, filters.places)):
        if wanted:
            found.append(
                or_(*(contained.ilike(like_pattern(part), escape="\\") for part in wanted))
            )
    if filters.taken_from is not None:
        found.append(Asset.captured_local >= filters.taken_from)
    if filters.taken_before is not None:
        found.append(Asset.captured_local < filters.taken_before)
    measured = measured_conditions(filters) + musical_conditions(filters)
    return found + _measures(filters) + measured


def shows_person(wanted: str) -> Condition:
    """Somebody with this id, or whose name has these letters, is seen in it."""
    meant = (Person.id == wanted) | Person.name.ilike(like_pattern(wanted), escape="\\")
    people = select(Person.id).where(meant)
    found = select(FaceRow.asset_id).where(FaceRow.person_id.in_(people))
    drawn = select(FaceDecision.asset_id).where(
        FaceDecision.person_id.in_(people), FaceDecision.verdict == FaceVerdict.DRAWN
    )
    return or_(Asset.id.in_(found), Asset.id.in_(drawn))


def _measures(filters: Filters) -> list[Condition]:
    found: list[Condition] = []
    if filters.min_rating is not None:
        found.append(Asset.rating >= filters.min_rating)
    if filters.max_rating is not None:
        found.append(Asset.rating <= filters.max_rating)
    if filters.min_duration_s is not None:
        found.append(Asset.duration_us >= round(filters.min_duration_s * 1e6))
    if filters.max_duration_s is not None:
        found.append(Asset.duration_us <= round(filters.max_duration_s * 1e6))
    return found


def has_file(also: Sequence[Condition] = ()) -> Condition:
    """At least one present file in a library that is still there."""
    return exists().where(
        File.asset_id == Asset.id,
        File.state == FileState.PRESENT,
        Library.id == File.library_id,
        *also,
    )


def file_conditions(filters: Filters) -> list[Condition]:
    found: list[Condition] = []
    if filters.libraries:
        found.append(or_(Library.name.in_(filters.libraries), Library.id.in_(filters.libraries)))
    if filters.folders:
        found.append(or_(*(_in_folder(folder) for folder in filters.folders)))
    if found:
        found.append(File.trashed_us.is_(None))
    return found


def _in_folder(folder: str) -> Condition:
    """Below an absolute folder, a folder given from the library's root, or one of that name."""
    bare = folder.rstrip("/")
    if bare.startswith("/") or not bare:
        return _below_absolute(bare)
    inside = escape_like(bare) + "/%"
    return or_(
        File.display.ilike(inside, escape="\\"), File.display.ilike("%/" + inside, escape="\\")
    )


def _below_absolute(folder: str) -> Condition:
    root = os.fsencode(folder)
    # Either the root lies in the folder, or the folder lies in the root.
    slashed = root + b"/"
    root_inside = or_(Library.root == root, func.substr(Library.root, 1, len(slashed)) == slashed)
    parents = [root[:at] for at in range(1, len(root)) if root[at : at + 1] == b"/"]
    below = [
        and_(
            Library.root == parent,
            File.display.like(
                escape_like(os.fsdecode(root[len(parent) + 1 :])) + "/%", escape="\\"
            ),
        )
        for parent in parents
    ]
    return or_(root_inside, *below)


def _same_word(stored: InstrumentedAttribute[str], word: str) -> Condition:
    return or_(func.lower(stored) == word.lower(), stored == word)


def _is_meant(stored: InstrumentedAttribute[str], word: str) -> Condition:
    """The word, or what a person's vocabulary calls so or puts under it, by any of its names."""
    called = select(Synonym.word).where(_same_word(Synonym.synonym, word))
    meant = (
        select(VocabularyWord.word)
        .where(or_(_same_word(VocabularyWord.word, word), VocabularyWord.word.in_(called)))
        .cte(recursive=True)  # unnamed: a query may ask for several tags
    )
    below = select(VocabularyWord.word).join(meant, VocabularyWord.parent == meant.c.word)
    meant = meant.union(below)  # without ALL: ends in a circle too
    names = select(func.lower(meant.c.word)).union(
        select(func.lower(Synonym.synonym)).join(meant, Synonym.word == meant.c.word)
    )
    return or_(_same_word(stored, word), func.lower(stored).in_(names))


def _has_tag(word: str) -> Condition:
    """A tag that a person approved, a keyword of the file, or a model's confident tag."""
    approved = select(TagDecision.asset_id).where(
        _is_meant(TagDecision.word, word), TagDecision.verdict == Verdict.APPROVED
    )
    carried = select(TagRow.asset_id).where(
        _is_meant(TagRow.word, word),
        or_(TagRow.source == TagSource.FILE, TagRow.score >= SUGGESTED),
        ~_rejected(),
    )
    return or_(Asset.id.in_(approved), Asset.id.in_(carried))


def _rejected() -> Condition:
    return exists().where(
        TagDecision.asset_id == TagRow.asset_id,
        func.lower(TagDecision.word) == func.lower(TagRow.word),
        TagDecision.verdict == Verdict.REJECTED,
    )


def says(phrase: str) -> Condition:
    """The phrase is in the asset's text, metadata or tags."""
    matching = matching_texts(phrase)
    text = select(TextRow.asset_id).where(
        TextRow.id.in_(matching), TextRow.field.not_in(TAG_FIELDS), in_present_file()
    )
    tagged = select(TextRow.asset_id).where(TextRow.id.in_(matching), TextRow.field.in_(TAG_FIELDS))
    pattern = like_pattern(" ".join(phrase.split()))
    tag = select(TagRow.asset_id).where(
        TagRow.asset_id.in_(tagged), TagRow.word.ilike(pattern, escape="\\"), ~_rejected()
    )
    approved = select(TagDecision.asset_id).where(
        TagDecision.verdict == Verdict.APPROVED, TagDecision.word.ilike(pattern, escape="\\")
    )
    return or_(Asset.id.in_(text), Asset.id.in_(tag), Asset.id.in_(approved))


def in_present_file() -> Condition:
    """Of a text row: it belongs to the asset itself, or to a file that is there."""
    present = exists().where(File.id == TextRow.file_id, File.state == FileState.PRESENT)
    return or_(TextRow.file_id.is_(None), present)


def matching_texts(phrase: str) -> Select[int]:
    """Ids of the text rows that hold the phrase."""
    if not is_unspaced(phrase):
        return full_text("texts_words", fts_phrase(phrase)).limit(MOST_ROWS)
    if len(phrase) >= 3:
        return full_text("texts_trigrams", fts_phrase(phrase)).limit(MOST_ROWS)
    return select(TextRow.id).where(TextRow.body.like(like_pattern(phrase), escape="\\"))


def full_text(name: str, expression: str) -> Select[int]:
    """Ids of the text rows that match an FTS5 expression. Always give it a limit."""
    rows = table(name, column("rowid"))
    return select(rows.c.rowid).where(literal_column(name).op("MATCH")(expression))


def restricted(found: Iterable[Condition]) -> Select[str] | None:
    """Ids of the assets that fulfil the conditions; None when there are none."""
    listed = list(found)
    return select(Asset.id).where(*listed) if listed else None
