"""Vector spaces for tests: real rows, and vectors whose neighbours are known."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert, select

from dam.contracts import Kind, Producer
from dam.rows import pack_vector
from dam.tables import Asset, ProducerRow, Run, RunState, SpaceRow, SpaceState, VectorRow, new_id
from dam.vectors.spaces import Space

if TYPE_CHECKING:
    from dam.contracts import Unit
    from dam.db import Database

DIM = 32
_serial = itertools.count()


def unit_rows(count: int, *, seed: int, dim: int = DIM) -> Unit:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_space(
    database: Database,
    *,
    indexer: str = "visual",
    model: str = "test",
    dim: int = DIM,
    state: SpaceState = SpaceState.SERVING,
) -> Space:
    producer = Producer(indexer, 1, model)
    with database.write() as session:
        row = ProducerRow(
            fingerprint=producer.fingerprint, indexer=indexer, version=1, model=model, parameters={}
        )
        session.add(row)
        session.flush()
        space = SpaceRow(producer_id=row.id, indexer=indexer, dim=dim, state=state)
        session.add(space)
        session.flush()
        return Space(space.id, producer.fingerprint, indexer, dim)


def make_asset(**columns: object) -> Asset:
    digest = hashlib.sha256(str(next(_serial)).encode()).hexdigest()
    given = {
        "id": new_id(),
        "kind": Kind.PHOTO,
        "content_hash": digest,
        "essence_hash": digest,
        "size_bytes": 1,
        "format": "jpeg",
        "details": {},
    }
    return Asset(**(given | columns))


def add_vectors(database: Database, space: Space, rows: Unit) -> list[int]:
    """Stores the rows as vectors of one new photo; returns their ids."""
    with database.write() as session:
        asset = make_asset()
        session.add(asset)
        session.flush()
        producer_id = session.scalars(
            select(SpaceRow.producer_id).where(SpaceRow.id == space.id)
        ).one()
        run = Run(asset_id=asset.id, revision=1, producer_id=producer_id, state=RunState.DONE)
        session.add(run)
        session.flush()
        found = session.scalars(
            insert(VectorRow).returning(VectorRow.id, sort_by_parameter_order=True),
            [
                {
                    "space_id": space.id,
                    "run_id": run.id,
                    "asset_id": asset.id,
                    "values": pack_vector(row),
                }
                for row in rows
            ],
        )
        return list(found)
