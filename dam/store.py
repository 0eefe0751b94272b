"""The only writer of findings and of searchable text.

Every function works inside the caller's write session and never commits, so that a run's findings,
its state and its text change together or not at all. Decisions of people live in tables that
nothing here touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from sqlalchemy import delete, insert, literal, select, update

from dam.contracts import Finding, Shot, Span, Tag, Unit, Vector
from dam.errors import LeaseLost
from dam.tables import (
    ProducerRow,
    Run,
    RunState,
    ShotRow,
    SpaceRow,
    SpaceState,
    TagRow,
    TagSource,
    TextRow,
    VectorRow,
    now_us,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Insert
    from sqlalchemy.orm import Session

STORED_VECTOR = np.dtype("<f2")
# No session here holds rows that these statements change: looking for them costs as much again.
UNSYNCHRONISED = {"synchronize_session": False}
_LOST = "Run {run_id} was taken over; its late result was refused."
_F = TypeVar("_F", Vector, Tag, Shot)
_Found = type[VectorRow] | type[TagRow] | type[ShotRow] | type[TextRow]
FOUND: Sequence[_Found] = (VectorRow, TagRow, ShotRow, TextRow)
SUGGESTED = 0.5  # calibrated confidence above which a machine's tag is searchable as text


class TextField(StrEnum):
    NAME = "name"
    FOLDER = "folder"
    TITLE = "title"
    CAPTION = "caption"
    KEYWORD = "keyword"
    TAG = "tag"
    CAMERA = "camera"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to store the result of one run, as long as nobody else took it over."""

    run_id: int
    fence: int
    asset_id: str
    producer_id: int


def pack_vector(values: Unit) -> bytes:
    """(dim,) float32 → little-endian fp16."""
    return values.astype(STORED_VECTOR).tobytes()


def unpack_vectors(rows: Sequence[bytes]) -> NDArray[np.float32]:
    """Stored vectors → (n, dim) float32, rows brought back to unit norm."""
    if not rows:
        return np.zeros((0, 0), np.float32)
    stacked = np.frombuffer(b"".join(rows), STORED_VECTOR).reshape(len(rows), -1)
    matrix = stacked.astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True).clip(min=1e-12)
    return matrix


def save(session: Session, lease: Lease, findings: Sequence[Finding]) -> None:
    """Replaces the findings of one run and marks it done.

    Raises `LeaseLost` when another worker holds the run by now; nothing is changed then.
    """
    if save_all(session, [(lease, findings)]):
        raise LeaseLost(_LOST.format(run_id=lease.run_id))


def save_all(
    session: Session, results: Sequence[tuple[Lease, Sequence[Finding]]]
) -> Sequence[Lease]:
    """`save` for a batch, in few statements; returns the leases that were lost."""
    held: list[tuple[Lease, Sequence[Finding]]] = []
    lost: list[Lease] = []
    for lease, findings in results:
        if _finish(session, lease, state=RunState.DONE, error=None, trace=None):
            held.append((lease, findings))
        else:
            lost.append(lease)
    _forget(session, [lease.run_id for lease, _ in held])
    _forget_superseded(session, [lease for lease, _ in held])
    _insert_vectors(session, _of_kind(Vector, held))
    _insert_tags(session, _of_kind(Tag, held))
    _insert_shots(session, _of_kind(Shot, held))
    return lost


def _of_kind(
    kind: type[_F], held: Sequence[tuple[Lease, Sequence[Finding]]]
) -> list[tuple[Lease, list[_F]]]:
    found = [(lease, [f for f in findings if isinstance(f, kind)]) for lease, findings in held]
    return [(lease, findings) for lease, findings in found if findings]


def fail(
    session: Session, lease: Lease, error: str, *, trace: str | None = None, state: RunState
) -> None:
    """Ends a run without findings (`state`: failed, quarantined or, to try again, pending)."""
    if not _finish(session, lease, state=state, error=error, trace=trace):
        raise LeaseLost(_LOST.format(run_id=lease.run_id))
    if state is not RunState.PENDING:
        _forget(session, [lease.run_id])


def load_findings(session: Session, asset_id: str, indexer: str) -> list[Finding]:
    """The newest findings of one indexer on one asset's current revision."""
    run_id = session.scalar(
        select(Run.id)
        .join(ProducerRow)
        .where(Run.asset_id == asset_id, ProducerRow.indexer == indexer, Run.state == RunState.DONE)
        .order_by(Run.revision.desc(), ProducerRow.active.desc(), Run.id.desc())
        .limit(1)
    )
    if run_id is None:
        return []
    found: list[Finding] = []
    rows = session.scalars(select(VectorRow).where(VectorRow.run_id == run_id)).all()
    for row, values in zip(rows, unpack_vectors([row.values for row in rows]), strict=True):
        found.append(Vector(values, row.at_us, _span(row.start_us, row.end_us)))
    for tag in session.scalars(select(TagRow).where(TagRow.run_id == run_id)):
        found.append(Tag(tag.vocabulary, tag.word, tag.score, _span(tag.start_us, tag.end_us)))
    for shot in session.scalars(
        select(ShotRow).where(ShotRow.run_id == run_id).order_by(ShotRow.start_us)
    ):
        found.append(
            Shot(Span(shot.start_us, shot.end_us), shot.best_us, shot.first_frame, shot.end_frame)
        )
    return found


def replace_texts(
    session: Session,
    asset_id: str,
    texts: Iterable[tuple[TextField, str]],
    *,
    file_id: int | None = None,
) -> None:
    """Replaces what is searchable of an asset itself, or (`file_id`) of one of its files."""
    own = TextRow.file_id.is_(None) if file_id is None else TextRow.file_id == file_id
    session.execute(
        delete(TextRow)
        .where(TextRow.asset_id == asset_id, TextRow.run_id.is_(None), own)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"asset_id": asset_id, "file_id": file_id, "field": field, "body": body}
        for field, body in texts
        if body.strip()
    ]
    if rows:
        session.execute(insert(TextRow), rows)


def replace_field_texts(session: Session, field: TextField, bodies: Mapping[str, str]) -> None:
    """Replaces one searchable field of many assets (at most a few thousand); empty: none."""
    session.execute(
        delete(TextRow)
        .where(
            TextRow.asset_id.in_(list(bodies)),
            TextRow.field == field,
            TextRow.run_id.is_(None),
            TextRow.file_id.is_(None),
        )
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"asset_id": asset_id, "field": field, "body": body}
        for asset_id, body in bodies.items()
        if body.strip()
    ]
    if rows:
        session.execute(insert(TextRow), rows)


def replace_keywords(session: Session, asset_id: str, words: Iterable[str]) -> None:
    """Replaces the keywords that the file itself carries."""
    session.execute(
        delete(TagRow)
        .where(TagRow.asset_id == asset_id, TagRow.source == TagSource.FILE)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {
            "asset_id": asset_id,
            "source": TagSource.FILE,
            "vocabulary": "keywords",
            "word": word,
            "score": 1.0,
        }
        for word in dict.fromkeys(words)
    ]
    if rows:
        session.execute(insert(TagRow), rows)


def carry_runs(session: Session, asset_id: str, revision: int) -> None:
    """Moves an asset's runs, with their findings, to a revision that shows the same media."""
    session.execute(update(Run).where(Run.asset_id == asset_id).values(revision=revision))


def copy_runs(session: Session, source_id: str, target_id: str, revision: int) -> None:
    """Gives an asset the finished runs, with their findings, of another that shows the same."""
    done = select(Run).where(Run.asset_id == source_id, Run.state == RunState.DONE)
    for run in session.scalars(done).all():
        values = {"asset_id": target_id, "revision": revision}
        copied = session.scalars(_copying(Run, values, Run.id == run.id).returning(Run.id)).one()
        for table in (VectorRow, TagRow, ShotRow, TextRow):
            values = {"asset_id": target_id, "run_id": copied}
            session.execute(_copying(table, values, table.run_id == run.id))


def drop_runs(session: Session, asset_id: str) -> None:
    """Forgets all runs of an asset whose media changed; their findings go with them."""
    session.execute(delete(Run).where(Run.asset_id == asset_id))


def _copying(
    table: type[Run | VectorRow | TagRow | ShotRow | TextRow],
    changed: Mapping[str, object],
    condition: ColumnElement[bool],
) -> Insert:
    """Inserts the rows that meet the condition once more, with new ids and some other values."""
    names = [column.key for column in table.__table__.columns if column.key != "id"]
    values = [
        literal(changed[name]) if name in changed else table.__table__.columns[name]
        for name in names
    ]
    return insert(table).from_select(names, select(*values).where(condition))


def _finish(
    session: Session, lease: Lease, *, state: RunState, error: str | None, trace: str | None
) -> bool:
    """False when the lease is lost."""
    changed = session.execute(
        update(Run)
        .where(Run.id == lease.run_id, Run.fence == lease.fence, Run.state == RunState.LEASED)
        .values(
            state=state,
            error=error,
            trace=trace,
            worker=None,
            lease_until_us=None,
            finished_us=None if state is RunState.PENDING else now_us(),
        ),
        execution_options=UNSYNCHRONISED,
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _forget(session: Session, run_ids: Sequence[int], *, tables: Sequence[_Found] = FOUND) -> None:
    for table in tables:
        session.execute(
            delete(table).where(table.run_id.in_(run_ids)), execution_options=UNSYNCHRONISED
        )


def _forget_superseded(session: Session, leases: Sequence[Lease]) -> None:
    """Drops what older producers of the same indexer said, except vectors.

    An older space goes on serving until the new one is complete (`dam.vectors.spaces`).
    """
    for producer_id in {lease.producer_id for lease in leases}:
        indexer = select(ProducerRow.indexer).where(ProducerRow.id == producer_id)
        mine = [lease for lease in leases if lease.producer_id == producer_id]
        older = session.scalars(
            select(Run.id)
            .join(ProducerRow)
            .where(
                Run.asset_id.in_([lease.asset_id for lease in mine]),
                Run.id.not_in([lease.run_id for lease in mine]),
                ProducerRow.indexer == indexer.scalar_subquery(),
            )
        ).all()
        if older:
            _forget(session, older, tables=(TagRow, ShotRow, TextRow))


def _insert_vectors(session: Session, found: Sequence[tuple[Lease, Sequence[Vector]]]) -> None:
    dims = {lease.producer_id: len(vectors[0].values) for lease, vectors in found}
    spaces = {
        producer_id: _space_of(session, producer_id, dim=dim) for producer_id, dim in dims.items()
    }
    rows = [
        {
            "space_id": spaces[lease.producer_id],
            "run_id": lease.run_id,
            "asset_id": lease.asset_id,
            "at_us": vector.at_us,
            "start_us": vector.span.start_us if vector.span else None,
            "end_us": vector.span.end_us if vector.span else None,
            "values": pack_vector(vector.values),
        }
        for lease, vectors in found
        for vector in vectors
    ]
    if rows:
        session.execute(insert(VectorRow), rows)


def _space_of(session: Session, producer_id: int, *, dim: int) -> int:
    """The space of a producer; the first one of an indexer serves at once."""
    found = session.scalar(select(SpaceRow.id).where(SpaceRow.producer_id == producer_id))
    if found is not None:
        return found
    indexer = session.scalars(
        select(ProducerRow.indexer).where(ProducerRow.id == producer_id)
    ).one()
    serving = session.scalar(
        select(SpaceRow.id).where(SpaceRow.indexer == indexer, SpaceRow.state == SpaceState.SERVING)
    )
    space = SpaceRow(
        producer_id=producer_id,
        indexer=indexer,
        dim=dim,
        state=SpaceState.SERVING if serving is None else SpaceState.BUILDING,
    )
    session.add(space)
    session.flush()
    return space.id


def _insert_tags(session: Session, found: Sequence[tuple[Lease, Sequence[Tag]]]) -> None:
    rows = [
        {
            "asset_id": lease.asset_id,
            "run_id": lease.run_id,
            "source": TagSource.MODEL,
            "vocabulary": tag.vocabulary,
            "word": tag.word,
            "score": tag.score,
            "start_us": tag.span.start_us if tag.span else None,
            "end_us": tag.span.end_us if tag.span else None,
        }
        for lease, tags in found
        for tag in tags
    ]
    if rows:
        session.execute(insert(TagRow), rows)
    texts = []
    for lease, tags in found:
        words = dict.fromkeys(tag.word for tag in tags if tag.score >= SUGGESTED)
        if words:
            texts.append(
                {
                    "asset_id": lease.asset_id,
                    "run_id": lease.run_id,
                    "field": TextField.TAG,
                    "body": ", ".join(words),
                }
            )
    if texts:
        session.execute(insert(TextRow), texts)


def _insert_shots(session: Session, found: Sequence[tuple[Lease, Sequence[Shot]]]) -> None:
    rows = [
        {
            "run_id": lease.run_id,
            "asset_id": lease.asset_id,
            "start_us": shot.span.start_us,
            "end_us": shot.span.end_us,
            "best_us": shot.best_us,
            "first_frame": shot.first_frame,
            "end_frame": shot.end_frame,
        }
        for lease, shots in found
        for shot in shots
    ]
    if rows:
        session.execute(insert(ShotRow), rows)


def _span(start_us: int | None, end_us: int | None) -> Span | None:
    return None if start_us is None or end_us is None else Span(start_us, end_us)
