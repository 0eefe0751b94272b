"""What is said in an asset, as people read it: the lines of indexers under those a person mended.

An edit belongs to (asset, time), never to a finding, so listening again only renews what lies under
it. Works inside the caller's session.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from dam import store
from dam.errors import BadRequest, NotFound
from dam.findings import Span, TranscriptLine
from dam.line_edits import MADE_OF_LINES, is_replaced, untouched
from dam.tables import Asset, LineEdit, ProducerRow, Run, TranscriptLineRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from dam.contracts import Finding

INDEXER = "speech"
MOST_CHARACTERS = 2_000  # of one line; a longer one is no line any more
US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class SpokenWord:
    start_s: float
    end_s: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class SpokenLine:
    start_s: float
    end_s: float
    text: str  # empty only when a person said that there is nothing to be heard
    language: str | None  # ISO 639-1, as far as it is known
    english: str | None  # where a translation was asked for
    confidence: float  # in [0, 1]; 1 of what a person wrote
    edited: bool
    words: list[SpokenWord]  # none of what a person wrote


@dataclass(frozen=True, slots=True)
class Transcript:
    lines: list[SpokenLine]
    languages: list[str]  # the most spoken first
    state: str | None  # of the run that listens, a `RunState`; None: there is none yet


@dataclass(frozen=True, slots=True)
class TranscriptSummary:
    lines: int
    languages: list[str]


def read_transcript(session: Session, asset_id: str) -> Transcript:
    """Lines in time order. Raises `NotFound`."""
    _find(session, asset_id)
    rows = _rows(session, asset_id)
    edits = _edits(session, asset_id)
    lines = [_line(row) for row in untouched(rows, edits)]
    lines += [_edited(edit, [r for r in rows if is_replaced(r, edit)]) for edit in edits]
    state = session.scalar(
        select(Run.state)
        .join(ProducerRow)
        .where(Run.asset_id == asset_id, ProducerRow.indexer == INDEXER)
        .order_by(Run.revision.desc(), ProducerRow.active.desc(), Run.id.desc())
        .limit(1)
    )
    lines.sort(key=lambda line: (line.start_s, line.end_s))
    return Transcript(lines, _languages(row.language for row in rows), state)


def summarise_transcript(session: Session, asset_id: str) -> TranscriptSummary:
    """How much is said, without reading it."""
    found = session.execute(
        select(TranscriptLineRow.language, func.count())
        .where(TranscriptLineRow.asset_id == asset_id)
        .group_by(TranscriptLineRow.language)
        .order_by(func.count().desc(), TranscriptLineRow.language)
    ).all()
    edits = session.scalar(
        select(func.count()).select_from(LineEdit).where(LineEdit.asset_id == asset_id)
    )
    lines = sum(count for _, count in found)
    return TranscriptSummary(max(lines, edits or 0), [language for language, _ in found])


def edit_line(
    session: Session, asset_id: str, start_us: int, end_us: int, text: str | None
) -> None:
    """Puts `text` in the place of what is heard in this span (empty: nothing is heard there), or
    (None) takes that back. Raises `NotFound`, `BadRequest`."""
    asset = _find(session, asset_id)
    if not 0 <= start_us < end_us or (asset.duration_us and start_us >= asset.duration_us):
        raise BadRequest("A line must begin before it ends, and inside of the asset.")
    written = None if text is None else " ".join(text.replace("\0", "").split())
    if written is not None and len(written) > MOST_CHARACTERS:
        raise BadRequest(
            f"A line has at most {MOST_CHARACTERS:,} characters, not {len(written):,}."
        )
    span = LineEdit(asset_id=asset_id, start_us=start_us, end_us=end_us, text=written or "")
    replaced = [edit.id for edit in _edits(session, asset_id) if is_replaced(edit, span)]
    replaced += session.scalars(
        select(LineEdit.id).where(LineEdit.asset_id == asset_id, LineEdit.start_us == start_us)
    )
    session.execute(delete(LineEdit).where(LineEdit.id.in_(replaced)))
    if written is not None:
        session.add(span)
    session.flush()
    store.renew_speech_texts(session, asset_id)
    store.make_again(session, [asset_id], MADE_OF_LINES)


def mended(session: Session, asset_id: str, lines: Sequence[Finding]) -> Sequence[Finding]:
    """Findings of the indexer of speech, with a person's lines in the place of some."""
    edits = _edits(session, asset_id)
    if not edits:
        return lines
    heard = [line for line in lines if isinstance(line, TranscriptLine)]
    kept = [line for line in heard if not any(is_replaced(line.span, edit) for edit in edits)]
    return [*kept, *(_as_finding(edit, heard) for edit in edits if edit.text)]


def _as_finding(edit: LineEdit, heard: Sequence[TranscriptLine]) -> TranscriptLine:
    replaced = [line.language for line in heard if is_replaced(line.span, edit)]
    language = next(iter(_languages(replaced)), "")
    return TranscriptLine(Span(edit.start_us, edit.end_us), edit.text, language, 1.0)


def _find(session: Session, asset_id: str) -> Asset:
    asset = session.get(Asset, asset_id)
    if asset is None:
        raise NotFound(f"There is no asset {asset_id}.")
    return asset


def _rows(session: Session, asset_id: str) -> Sequence[TranscriptLineRow]:
    return session.scalars(
        select(TranscriptLineRow)
        .where(TranscriptLineRow.asset_id == asset_id)
        .order_by(TranscriptLineRow.start_us, TranscriptLineRow.id)
    ).all()


def _edits(session: Session, asset_id: str) -> Sequence[LineEdit]:
    return session.scalars(
        select(LineEdit).where(LineEdit.asset_id == asset_id).order_by(LineEdit.start_us)
    ).all()


def _line(row: TranscriptLineRow) -> SpokenLine:
    return SpokenLine(
        start_s=row.start_us / US_PER_S,
        end_s=row.end_us / US_PER_S,
        text=row.text,
        language=row.language or None,
        english=row.english,
        confidence=row.confidence,
        edited=False,
        words=[
            SpokenWord(start_us / US_PER_S, end_us / US_PER_S, text, probability)
            for start_us, end_us, text, probability in row.words
        ],
    )


def _edited(edit: LineEdit, replaced: Sequence[TranscriptLineRow]) -> SpokenLine:
    return SpokenLine(
        start_s=edit.start_us / US_PER_S,
        end_s=edit.end_us / US_PER_S,
        text=edit.text,
        language=next(iter(_languages(row.language for row in replaced)), None),
        english=None,  # a translation of what was not said
        confidence=1.0,
        edited=True,
        words=[],
    )


def _languages(languages: Iterable[str]) -> list[str]:
    return [language for language, _ in Counter(languages).most_common() if language]
