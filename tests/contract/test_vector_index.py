"""What every vector store promises; run over each shape that the FAISS index takes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import delete, select

from dam.tables import VectorRow
from dam.vectors import snapshot
from dam.vectors.faiss_index import FaissIndex, Sizes
from tests.spaces import DIM, add_vectors, make_space, unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.config import Settings
    from dam.contracts import Unit
    from dam.db import Database
    from dam.vectors.protocol import VectorIndex
    from dam.vectors.spaces import Space

SHAPES = {
    "tail": Sizes(),
    "sq8": Sizes(flat=50),
    "cells": Sizes(flat=50, cells=100, probes=16),
}


@pytest.fixture
def space(database: Database) -> Space:
    return make_space(database)


@pytest.fixture(params=list(SHAPES))
def sizes(request: pytest.FixtureRequest) -> Sizes:
    return SHAPES[request.param]


@pytest.fixture
def make(
    database: Database, settings: Settings, space: Space, sizes: Sizes
) -> Callable[[], VectorIndex]:
    return lambda: FaissIndex(database, space, settings.index_path, sizes=sizes)


def exact(rows: dict[int, Unit], query: Unit, limit: int) -> list[int]:
    ranked = sorted(rows, key=lambda vector_id: (-float(rows[vector_id] @ query), vector_id))
    return ranked[:limit]


def stored(rows: Unit) -> Unit:
    """What fp16 in the database makes of unit rows."""
    kept = rows.astype(np.float16).astype(np.float32)
    return kept / np.linalg.norm(kept, axis=1, keepdims=True)


def test_nearest_vectors_come_first_with_their_exact_cosine(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rows = unit_rows(400, seed=1)
    ids = add_vectors(database, space, rows)
    index = make()
    for at in (0, 200, 399):
        found = index.search(rows[at], 5)
        assert found[0].vector_id == ids[at]
        known = dict(zip(ids, stored(rows), strict=True))
        for vector_id, score in found:
            assert score == pytest.approx(float(known[vector_id] @ rows[at]), abs=1e-5)
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_allowed_ids_restrict_the_answer_at_any_share(
    database: Database,
    space: Space,
    make: Callable[[], VectorIndex],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that 40 ids go through the codes, and three do not.
    monkeypatch.setattr("dam.vectors.faiss_index.RERANK_MIN", 3)
    rows = unit_rows(400, seed=2)
    ids = add_vectors(database, space, rows)
    index = make()
    query = unit_rows(1, seed=3)[0]
    known = dict(zip(ids, stored(rows), strict=True))
    for step in (2, 10, 150):
        allowed = np.array([*ids[::step], 10**9])
        found = [hit.vector_id for hit in index.search(query, 3, allowed=allowed)]
        assert found == exact({vector_id: known[vector_id] for vector_id in ids[::step]}, query, 3)
    assert index.search(query, 3, allowed=np.zeros(0, np.int64)) == []
    assert index.search(query, 0) == []


def test_new_vectors_are_found_and_deleted_ones_are_not(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rows = unit_rows(300, seed=4)
    ids = add_vectors(database, space, rows[:200])
    index = make()
    index.refresh()
    ids += add_vectors(database, space, rows[200:])
    with database.write() as session:
        session.execute(delete(VectorRow).where(VectorRow.id.in_(ids[::3])))
    index.refresh()
    left = [vector_id for at, vector_id in enumerate(ids) if at % 3]
    assert index.ids().tolist() == left
    for at in (0, 1, 201, 299):
        best = index.search(rows[at], 1)[0].vector_id
        assert (best == ids[at]) == (at % 3 != 0)


def test_deleted_vector_is_not_returned_even_before_a_refresh_of_a_base(
    database: Database, settings: Settings, space: Space
) -> None:
    rows = unit_rows(200, seed=5)
    ids = add_vectors(database, space, rows)
    index = FaissIndex(database, space, settings.index_path, sizes=Sizes(flat=50))
    index.refresh()
    with database.write() as session:
        session.execute(delete(VectorRow).where(VectorRow.id == ids[7]))
    assert ids[7] not in [hit.vector_id for hit in index.search(rows[7], 10)]


def test_index_ids_equal_database_ids_through_many_changes(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rng = np.random.default_rng(6)
    index = make()
    living: list[int] = []
    for turn in range(12):
        living += add_vectors(database, space, unit_rows(40, seed=100 + turn))
        gone = rng.choice(living, size=10, replace=False).tolist()
        with database.write() as session:
            session.execute(delete(VectorRow).where(VectorRow.id.in_(gone)))
        living = [vector_id for vector_id in living if vector_id not in gone]
        index.refresh()
        assert index.ids().tolist() == living
    assert make().ids().tolist() == living


def test_other_spaces_stay_apart(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rows = unit_rows(120, seed=7)
    own = add_vectors(database, space, rows[::2])
    other = make_space(database, indexer="other")
    foreign = add_vectors(database, other, rows[1::2])
    index = make()
    assert index.ids().tolist() == own
    allowed = np.array(own + foreign)
    assert {hit.vector_id for hit in index.search(rows[1], 120, allowed=allowed)} == set(own)


def test_filter_far_from_the_query_still_fills_the_answer(
    database: Database, settings: Settings, space: Space
) -> None:
    rows = unit_rows(600, seed=40)
    query = unit_rows(1, seed=41)[0]
    rows = rows[np.argsort(rows @ query)]  # the farthest first
    ids = add_vectors(database, space, rows)
    sizes = Sizes(flat=50, cells=100, probes=1)
    index = FaissIndex(database, space, settings.index_path, sizes=sizes)
    farthest = np.array(ids[:200])
    found = [hit.vector_id for hit in index.search(query, 10, allowed=farthest)]
    assert found == exact(dict(zip(ids[:200], stored(rows[:200]), strict=True)), query, 10)


def test_empty_space_answers_nothing(make: Callable[[], VectorIndex]) -> None:
    index = make()
    assert index.search(unit_rows(1, seed=8)[0], 10) == []
    assert len(index.ids()) == 0
    assert len(index.sample(10)) == 0


def test_equal_scores_are_ordered_by_id(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    row = unit_rows(1, seed=9)
    ids = add_vectors(database, space, np.repeat(row, 90, axis=0))
    assert [hit.vector_id for hit in make().search(row[0], 4)] == ids[:4]


def test_sample_is_spread_over_the_space(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rows = unit_rows(100, seed=10)
    add_vectors(database, space, rows)
    sample = make().sample(10)
    assert sample.shape == (10, DIM)
    assert np.allclose(sample[[0, -1]], stored(rows[[0, -1]]), atol=1e-6)


def test_searching_while_others_write_and_refresh_never_fails(
    database: Database, space: Space, make: Callable[[], VectorIndex]
) -> None:
    rows = unit_rows(600, seed=11)
    ids = add_vectors(database, space, rows[:60])
    index = make()
    index.refresh()
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                index.refresh()
                hits = index.search(rows[0], 3)
                assert hits[0].vector_id == ids[0]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(60, 600, 60):
        ids += add_vectors(database, space, rows[start : start + 60])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    index.refresh()
    assert index.ids().tolist() == ids


def test_second_process_opens_the_published_base(
    database: Database, settings: Settings, space: Space
) -> None:
    ids = add_vectors(database, space, unit_rows(200, seed=12))
    sizes = Sizes(flat=50)
    FaissIndex(database, space, settings.index_path, sizes=sizes).refresh()
    folder = snapshot.folder_of(settings.index_path, space.fingerprint)
    before = snapshot.generations(folder)
    assert len(before) == 1
    second = FaissIndex(database, space, settings.index_path, sizes=sizes)
    assert second.ids().tolist() == ids
    assert snapshot.generations(folder) == before


def test_growing_space_keeps_two_generations(
    database: Database, settings: Settings, space: Space
) -> None:
    index = FaissIndex(database, space, settings.index_path, sizes=Sizes(flat=20))
    for turn in range(5):
        add_vectors(database, space, unit_rows(100 * (turn + 1), seed=20 + turn))
        index.refresh()
    folder = snapshot.folder_of(settings.index_path, space.fingerprint)
    assert [number for number, _ in snapshot.generations(folder)] == [5, 4]


def test_restored_database_with_reused_ids_is_noticed(
    database: Database, settings: Settings, space: Space, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = Sizes(flat=50)
    ids = add_vectors(database, space, unit_rows(200, seed=30))
    FaissIndex(database, space, settings.index_path, sizes=sizes).refresh()
    other = unit_rows(200, seed=31)  # the same ids, another content, as after `dam restore`
    with database.write() as session:
        for row, values in zip(
            session.scalars(select(VectorRow).order_by(VectorRow.id)), other, strict=True
        ):
            row.values = values.astype("<f2").tobytes()
    index = FaissIndex(database, space, settings.index_path, sizes=sizes)
    assert [index.search(other[at], 1)[0].vector_id for at in (3, 77, 199)] == [
        ids[at] for at in (3, 77, 199)
    ]
    assert "another database" in caplog.text
