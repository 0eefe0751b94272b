"""The only writer of findings and of searchable text.

Every function works inside the caller's write session and never commits, so that a run's findings,
its state and its text change together or not at all. Decisions of people live in tables that
nothing here touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import delete, insert, literal, select, update

from dam.contracts import Finding, Tag, Vector
from dam.errors import LeaseLost
from dam.findings import TranscriptLine
from dam.line_edits import MADE_OF_LINES, untouched
from dam.rows import KINDS, FoundRow, Kind, span_columns
from dam.tables import (
    LineEdit,
    ProducerRow,
    Run,
    RunState,
    SpaceRow,
    SpaceState,
    TagRow,
    TagSource,
    TextField,
    TextRow,
    TranscriptLineRow,
    VectorRow,
    now_us,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Insert
    from sqlalchemy.orm import Session

_F = TypeVar("_F")
# No session here holds rows that these statements change: looking for them costs as much again.
UNSYNCHRONISED = {"synchronize_session": False}
_LOST = "Run {run_id} was taken over; its late result was refused."
FOUND: Sequence[FoundRow] = (*(kind.row for kind in KINDS.values()), TextRow)
SUGGESTED = 0.5  # calibrated confidence above which a machine's tag is searchable as text


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to store the result of one run, as long as nobody else took it over."""

    run_id: int
    fence: int
    asset_id: str
    producer_id: int


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
    for kind in KINDS:
        found = [(lease, f) for lease, findings in held for f in findings if type(f) is kind]
        if found:
            _insert(session, kind, found)
    _insert_tag_texts(session, held)
    for asset_id in _with_edited_lines(session, [lease.asset_id for lease, _ in held]):
        renew_speech_texts(session, asset_id)
    return lost


def fail(
    session: Session, lease: Lease, error: str, *, trace: str | None = None, state: RunState
) -> None:
    """Ends a run without findings (`state`: failed, quarantined or, to try again, pending)."""
    if not _finish(session, lease, state=state, error=error, trace=trace):
        raise LeaseLost(_LOST.format(run_id=lease.run_id))
    if state is not RunState.PENDING:
        _forget(session, [lease.run_id])


def load_findings(
    session: Session, asset_id: str, indexer: str, kinds: Collection[type] = frozenset(KINDS)
) -> list[Finding]:
    """The newest findings of one indexer on one asset's current revision.

    `kinds` are those it produces: every other one costs a query that finds nothing.
    """
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
    for kind in (kind for found_as, kind in KINDS.items() if found_as in kinds):
        rows = session.scalars(select(kind.row).where(kind.row.run_id == run_id))
        found += [kind.finding(row) for row in _in_time(rows.all())]
    return found


def _in_time(rows: Sequence[_F]) -> list[_F]:
    return sorted(rows, key=lambda row: getattr(row, "start_us", None) or 0)


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
        .where(
            TextRow.asset_id == asset_id,
            TextRow.run_id.is_(None),
            # People's lines and names, which reading a file does not renew.
            TextRow.field.not_in([TextField.SPEECH, TextField.PERSON]),
            own,
        )
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"asset_id": asset_id, "file_id": file_id, "field": field, "body": body}
        for field, body in texts
        if body.strip()
    ]
    if rows:
        session.execute(insert(TextRow), rows)


def renew_speech_texts(session: Session, asset_id: str) -> None:
    """Makes searchable what is said as people read it: a person's lines over those of indexers."""
    session.execute(
        delete(TextRow)
        .where(TextRow.asset_id == asset_id, TextRow.field == TextField.SPEECH)
        .execution_options(synchronize_session=False)
    )
    lines = session.scalars(
        select(TranscriptLineRow).where(TranscriptLineRow.asset_id == asset_id)
    ).all()
    edits = session.scalars(select(LineEdit).where(LineEdit.asset_id == asset_id)).all()
    line_kind = KINDS[TranscriptLine]
    rows = [
        {"run_id": line.run_id, "body": line_kind.text(line_kind.finding(line)), **_times(line)}
        for line in untouched(lines, edits)
    ]
    rows += [{"run_id": None, "body": edit.text, **_times(edit)} for edit in edits if edit.text]
    if rows:
        session.execute(
            insert(TextRow),
            [{"asset_id": asset_id, "field": TextField.SPEECH, **row} for row in rows],
        )


def _times(line: TranscriptLineRow | LineEdit) -> dict[str, int]:
    return {"start_us": line.start_us, "end_us": line.end_us}


def _with_edited_lines(session: Session, asset_ids: Sequence[str]) -> Sequence[str]:
    return session.scalars(
        select(LineEdit.asset_id).where(LineEdit.asset_id.in_(asset_ids)).distinct()
    ).all()


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


def make_again(session: Session, asset_ids: Collection[str], indexers: Collection[str]) -> None:
    """Puts runs of these assets back to work; what they found serves until that is replaced.

    One that somebody works on is taken from them: they have seen what was.
    """
    active = select(ProducerRow.id).where(
        ProducerRow.indexer.in_(list(indexers)), ProducerRow.active
    )
    again = (RunState.DONE, RunState.FAILED, RunState.LEASED)
    session.execute(
        update(Run)
        .where(Run.asset_id.in_(list(asset_ids)), Run.producer_id.in_(active), Run.state.in_(again))
        .values(
            state=RunState.PENDING,
            attempts=0,
            error=None,
            trace=None,
            worker=None,
            lease_until_us=None,
        )
        .execution_options(synchronize_session=False)
    )


def copy_runs(session: Session, source_id: str, target_id: str, revision: int) -> None:
    """Gives an asset the finished runs, with their findings, of another that shows the same."""
    done = select(Run).where(Run.asset_id == source_id, Run.state == RunState.DONE)
    for run in session.scalars(done).all():
        values = {"asset_id": target_id, "revision": revision}
        copied = session.scalars(_copying(Run, values, Run.id == run.id).returning(Run.id)).one()
        for table in FOUND:
            values = {"asset_id": target_id, "run_id": copied}
            session.execute(_copying(table, values, table.run_id == run.id))
    if _with_edited_lines(session, [source_id]):  # the lines are a decision about the other one
        renew_speech_texts(session, target_id)
        make_again(session, [target_id], MADE_OF_LINES)


def drop_runs(session: Session, asset_id: str) -> None:
    """Forgets all runs of an asset whose media changed; their findings go with them."""
    session.execute(delete(Run).where(Run.asset_id == asset_id))


def _copying(
    table: type[Run] | FoundRow,
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


def _forget(
    session: Session, run_ids: Sequence[int], *, tables: Sequence[FoundRow] = FOUND
) -> None:
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
            _forget(session, older, tables=[row for row in FOUND if row is not VectorRow])


def _insert(session: Session, kind: type, found: Sequence[tuple[Lease, Finding]]) -> None:
    """Findings of one kind, and what of them can be searched as text."""
    stored = KINDS[kind]
    rows = [
        {"run_id": lease.run_id, "asset_id": lease.asset_id, **stored.columns(finding)}
        for lease, finding in found
    ]
    if kind is Vector:
        spaces: dict[int, int] = {}
        for (lease, finding), row in zip(found, rows, strict=True):
            if lease.producer_id not in spaces and isinstance(finding, Vector):
                dim = len(finding.values)
                spaces[lease.producer_id] = _space_of(session, lease.producer_id, dim=dim)
            row["space_id"] = spaces[lease.producer_id]
    session.execute(insert(stored.row), rows)
    if stored.field is not None:
        session.execute(insert(TextRow), _texts_of(stored, found))


def _texts_of(kind: Kind, found: Sequence[tuple[Lease, Finding]]) -> list[dict[str, Any]]:
    """Rows of what can be searched; what one kind says of one span may be one text."""
    bodies: dict[object, list[str]] = {}
    rows: dict[object, dict[str, Any]] = {}
    for at, (lease, finding) in enumerate(found):
        key = (lease.run_id, finding.span) if kind.joined else at
        bodies.setdefault(key, []).append(kind.text(finding))
        rows[key] = {
            "run_id": lease.run_id,
            "asset_id": lease.asset_id,
            "field": kind.field,
            **span_columns(finding.span),
        }
    return [{**row, "body": "\n".join(bodies[key])} for key, row in rows.items()]


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


def _insert_tag_texts(session: Session, held: Sequence[tuple[Lease, Sequence[Finding]]]) -> None:
    """The words of an asset as one text: most have several, and each is found without a time."""
    texts = []
    for lease, findings in held:
        tags = [finding for finding in findings if isinstance(finding, Tag)]
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
