"""Changing models without a gap, going back, and keeping the files of the index in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, select, update

from dam.errors import NotFound
from dam.tables import (
    Asset,
    ProducerRow,
    Run,
    RunState,
    SpaceRow,
    SpaceState,
    VectorRow,
    VectorTombstone,
)
from dam.vectors import snapshot
from dam.vectors.faiss_index import FaissIndex, Sizes
from dam.vectors.spaces import (
    Space,
    drop_retired,
    every_space,
    rollback,
    serving_space,
    switch_complete_spaces,
)
from dam.vectors.upkeep import compact_indexes, rebuild_index, verify_index
from tests.spaces import add_vectors, make_asset, make_space, unit_rows

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database

SMALL = Sizes(flat=20)


def producer_of(database: Database, space: Space) -> int:
    with database.read() as session:
        return session.scalars(
            select(ProducerRow.id).where(ProducerRow.fingerprint == space.fingerprint)
        ).one()


def run_over_all(database: Database, space: Space, *, state: RunState = RunState.DONE) -> None:
    producer_id = producer_of(database, space)
    with database.write() as session:
        seen = select(Run.asset_id).where(Run.producer_id == producer_id)
        for asset_id in session.scalars(select(Asset.id).where(Asset.id.not_in(seen))).all():
            session.add(Run(asset_id=asset_id, revision=1, producer_id=producer_id, state=state))


def switched(database: Database) -> list[Space]:
    with database.write() as session:
        return switch_complete_spaces(session)


def serving(database: Database) -> Space | None:
    with database.read() as session:
        return serving_space(session, "visual")


@pytest.fixture
def old(database: Database) -> Space:
    space = make_space(database, model="old")
    add_vectors(database, space, unit_rows(30, seed=1))
    with database.write() as session:
        session.execute(update(ProducerRow).values(active=False))
    return space


@pytest.fixture
def new(database: Database, old: Space) -> Space:
    return make_space(database, model="new", state=SpaceState.BUILDING)


def test_old_space_serves_until_the_new_one_has_seen_every_asset(
    database: Database, old: Space, new: Space
) -> None:
    assert switched(database) == []  # nothing is planned yet, so nothing is open either
    run_over_all(database, new, state=RunState.PENDING)
    assert switched(database) == []
    assert serving(database) == old
    with database.write() as session:
        session.execute(update(Run).values(state=RunState.DONE))
    assert switched(database) == [new]
    assert serving(database) == new
    assert switched(database) == []


def test_failed_runs_do_not_hold_up_the_new_space(
    database: Database, old: Space, new: Space
) -> None:
    run_over_all(database, new, state=RunState.FAILED)
    assert switched(database) == [new]


def test_rollback_returns_at_once_and_stays(database: Database, old: Space, new: Space) -> None:
    run_over_all(database, new)
    switched(database)
    with database.write() as session:
        assert rollback(session, "visual") == old
    assert serving(database) == old
    assert switched(database) == []
    with database.write() as session:
        assert rollback(session, "visual") == new


def test_rollback_without_an_earlier_space_says_so(database: Database, old: Space) -> None:
    with database.write() as session, pytest.raises(NotFound, match="no earlier"):
        rollback(session, "visual")


def test_return_to_the_old_model_waits_for_what_came_meanwhile(
    database: Database, old: Space, new: Space
) -> None:
    run_over_all(database, new)
    switched(database)
    with database.write() as session:
        session.add(make_asset())
    run_over_all(database, new)
    add_vectors(database, new, unit_rows(1, seed=2))
    with database.write() as session:
        session.execute(
            update(ProducerRow).values(active=ProducerRow.fingerprint == old.fingerprint)
        )
    assert switched(database) == []
    run_over_all(database, old)
    assert switched(database) == [old]


def test_third_model_drops_the_first_with_its_runs_and_files(
    database: Database, settings: Settings, old: Space, new: Space
) -> None:
    FaissIndex(database, old, settings.index_path, sizes=SMALL).refresh()
    run_over_all(database, new)
    switched(database)
    with database.write() as session:
        session.execute(update(ProducerRow).values(active=False))
    third = make_space(database, model="third", state=SpaceState.BUILDING)
    run_over_all(database, third)
    assert switched(database) == [third]
    assert drop_retired(database) == [old.fingerprint]
    with database.read() as session:
        assert every_space(session) == [new, third]
        gone = producer_of(database, old)
        left = session.scalar(select(func.count()).where(Run.producer_id == gone))
        assert left == 0
        for table in (VectorRow, VectorTombstone):
            rows = select(func.count()).select_from(table).where(table.space_id == old.id)
            assert session.scalar(rows) == 0
    compact_indexes(database, settings, sizes=SMALL)
    assert not snapshot.folder_of(settings.index_path, old.fingerprint).exists()
    assert drop_retired(database) == []


def test_compaction_happens_before_a_search_would_have_to(
    database: Database, settings: Settings, old: Space
) -> None:
    folder = snapshot.folder_of(settings.index_path, old.fingerprint)
    compact_indexes(database, settings, sizes=Sizes(flat=30))
    assert snapshot.generations(folder) == []
    compact_indexes(database, settings, sizes=SMALL)
    assert len(snapshot.generations(folder)) == 1
    compact_indexes(database, settings, sizes=SMALL)
    assert len(snapshot.generations(folder)) == 1
    add_vectors(database, old, unit_rows(12, seed=3))
    compact_indexes(database, settings, sizes=SMALL)
    assert len(snapshot.generations(folder)) == 2


def test_many_deletions_are_compacted_away(
    database: Database, settings: Settings, old: Space
) -> None:
    ids = add_vectors(database, old, unit_rows(170, seed=4))
    index = FaissIndex(database, old, settings.index_path, sizes=SMALL)
    index.refresh()
    with database.write() as session:
        session.execute(delete(VectorRow).where(VectorRow.id.in_(ids[:100])))
    compact_indexes(database, settings, sizes=SMALL)
    folder = snapshot.folder_of(settings.index_path, old.fingerprint)
    facts = snapshot.newest_facts(folder, space=old.fingerprint)
    assert facts is not None
    assert facts.count == 100


def test_verify_is_silent_when_index_and_database_agree(
    database: Database, settings: Settings, old: Space
) -> None:
    assert verify_index(database, settings) == []
    index = FaissIndex(database, old, settings.index_path, sizes=SMALL)
    index.refresh()
    ids = add_vectors(database, old, unit_rows(5, seed=5))
    with database.write() as session:
        session.execute(delete(VectorRow).where(VectorRow.id.in_([1, ids[0]])))
    assert verify_index(database, settings) == []


def test_verify_finds_damage_and_rebuild_mends_it(
    database: Database, settings: Settings, old: Space
) -> None:
    FaissIndex(database, old, settings.index_path, sizes=SMALL).refresh()
    folder = snapshot.folder_of(settings.index_path, old.fingerprint)
    ((_, path),) = snapshot.generations(folder)
    with (path / snapshot.INDEX).open("r+b") as stream:
        stream.write(b"damage")
    (settings.index_path / "of-no-space").mkdir()
    problems = verify_index(database, settings)
    assert {problem.space for problem in problems} == {old.fingerprint, "of-no-space"}
    assert any("not what was written" in str(problem) for problem in problems)
    rebuild_index(database, settings, sizes=SMALL)
    assert verify_index(database, settings) == []
    assert len(snapshot.generations(folder)) == 1


def test_verify_finds_an_index_that_contradicts_the_database(
    database: Database, settings: Settings, old: Space
) -> None:
    FaissIndex(database, old, settings.index_path, sizes=SMALL).refresh()
    with database.write() as session:
        session.execute(delete(VectorRow).where(VectorRow.id == 7))
        session.execute(delete(VectorTombstone))
    (problem,) = verify_index(database, settings)
    assert "holds 1 that are not there" in str(problem)


def test_full_disk_does_not_stop_a_search(
    database: Database, settings: Settings, old: Space, caplog: pytest.LogCaptureFixture
) -> None:
    settings.index_path.mkdir(parents=True)
    snapshot.folder_of(settings.index_path, old.fingerprint).write_text("not a folder")
    index = FaissIndex(database, old, settings.index_path, sizes=SMALL)
    rows = unit_rows(30, seed=1)
    assert index.search(rows[3], 1)[0].vector_id == 4
    assert "cannot be" in caplog.text


def test_dropped_space_is_not_put_back_into_service(
    database: Database, old: Space, new: Space
) -> None:
    run_over_all(database, new)
    with database.write() as session:
        session.execute(
            update(SpaceRow).where(SpaceRow.id == new.id).values(state=SpaceState.DROPPED)
        )
    assert switched(database) == []
