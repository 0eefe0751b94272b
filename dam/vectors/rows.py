"""The vectors of a space as SQL holds them, read into arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from dam.rows import unpack_vectors
from dam.tables import VectorRow, VectorTombstone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from dam.vectors.protocol import Ids

CHUNK = 8_192  # rows: 24 MB at 512 dimensions while they are unpacked
PARAMETERS = 10_000  # SQLite takes 32,766 in one statement

Matrix = NDArray[np.float32]


class Mark(NamedTuple):
    """How far a reader has followed a space. Ids are never used twice, and SQLite's single
    writer commits them in order, so two equal marks mean that nothing happened in between."""

    vector: int
    tombstone: int


def mark(session: Session, space_id: int) -> Mark:
    vector = session.scalar(select(func.max(VectorRow.id)).where(VectorRow.space_id == space_id))
    gone = session.scalar(
        select(func.max(VectorTombstone.id)).where(VectorTombstone.space_id == space_id)
    )
    return Mark(vector or 0, gone or 0)


def count(session: Session, space_id: int, *, after: int = 0) -> int:
    found = session.scalar(
        select(func.count())
        .select_from(VectorRow)
        .where(VectorRow.space_id == space_id, VectorRow.id > after)
    )
    return found or 0


def ids(session: Session, space_id: int) -> Ids:
    found = session.scalars(
        select(VectorRow.id).where(VectorRow.space_id == space_id).order_by(VectorRow.id)
    )
    return np.fromiter(found, np.int64)


def newer(session: Session, space_id: int, *, after: int) -> tuple[Ids, Matrix]:
    parts = list(chunks(session, space_id, after=after))
    if not parts:
        return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def chunks(session: Session, space_id: int, *, after: int = 0) -> Iterator[tuple[Ids, Matrix]]:
    """(ids ascending, unit rows), a chunk at a time."""
    found = session.execute(
        select(VectorRow.id, VectorRow.values)
        .where(VectorRow.space_id == space_id, VectorRow.id > after)
        .order_by(VectorRow.id)
        .execution_options(yield_per=CHUNK)
    )
    for partition in found.partitions():
        yield _arrays(partition)


def tombstones(session: Session, space_id: int, *, after: int) -> Ids:
    found = session.scalars(
        select(VectorTombstone.vector_id).where(
            VectorTombstone.space_id == space_id, VectorTombstone.id > after
        )
    )
    return np.fromiter(found, np.int64)


def vectors(session: Session, space_id: int, wanted: Iterable[int]) -> tuple[Ids, Matrix]:
    """Those of the wanted vectors that the space still holds, ascending by id."""
    listed = sorted({int(vector_id) for vector_id in wanted})
    found: list[Row[int, bytes]] = []
    for start in range(0, len(listed), PARAMETERS):
        found += session.execute(
            select(VectorRow.id, VectorRow.values)
            .where(
                VectorRow.id.in_(listed[start : start + PARAMETERS]),
                VectorRow.space_id == space_id,
            )
            .order_by(VectorRow.id)
        )
    return _arrays(found)


def sample(session: Session, space_id: int, limit: int) -> Matrix:
    """(n, dim) unit rows, n ≤ limit, spread evenly over the space."""
    every = ids(session, space_id)
    if len(every) > limit:
        every = every[np.linspace(0, len(every) - 1, limit).astype(np.int64)]
    return vectors(session, space_id, every)[1]


def _arrays(found: Sequence[Row[int, bytes]]) -> tuple[Ids, Matrix]:
    numbers = np.fromiter((row[0] for row in found), np.int64, len(found))
    return numbers, unpack_vectors([row[1] for row in found])
