from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from dam import store
from dam.contracts import Kind, Tag
from dam.errors import LeaseLost
from dam.indexing.claim import (
    CLAIM_SIZE,
    Claim,
    claim_batch,
    extend_leases,
    is_claimable,
    reclaim_lost,
    release,
)
from dam.tables import File, FileState, Library, LibraryState, ProducerRow, Run, RunState, TagRow
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from dam.config import Settings
    from dam.db import Database

PHOTOS = 5
SOME = select(ProducerRow).limit(1)


@pytest.fixture
def producers(database: Database, tmp_path: Path) -> dict[str, int]:
    """A library of photos and one clip, each with two pending runs."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        rows = {name: add_producer(session, name) for name in ("previews", "tags")}
        names = [f"{number}.jpg" for number in range(PHOTOS)]
        assets = [add_asset(session, library, name) for name in names]
        assets.append(add_asset(session, library, "clip.mp4", Kind.VIDEO))
        for asset in assets:
            for row in rows.values():
                add_run(session, asset, row)
        return {name: row.id for name, row in rows.items()}


def states(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(Run.state)))


def claim_all(
    database: Database, settings: Settings, worker: str, producers: dict[str, int]
) -> list[Claim]:
    claims: list[Claim] = []
    while batch := claim_batch(database, settings, worker, producers):
        claims += batch
    return claims


def test_a_claim_takes_every_pending_run_of_assets_of_one_kind(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    first = claim_batch(database, settings, "a", producers)
    second = claim_batch(database, settings, "a", producers)
    assert [claim.kind for claim in first] == [Kind.PHOTO] * PHOTOS
    assert [claim.kind for claim in second] == [Kind.VIDEO]
    assert all(set(claim.leases) == {"previews", "tags"} for claim in first + second)
    assert claim_batch(database, settings, "a", producers) == []


def test_two_workers_never_hold_the_same_asset(
    database: Database,
    settings: Settings,
    producers: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CLAIM_SIZE, Kind.PHOTO, 1)
    held: list[str] = []

    def work(name: str) -> None:
        held.extend(claim.asset_id for claim in claim_all(database, settings, name, producers))

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(set(held)) == PHOTOS + 1


def test_a_late_result_is_refused_and_changes_nothing(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    old = claim_batch(database, settings, "slow", producers)[0].leases["tags"]
    reclaim_lost(database, settings, living=["fast"])
    with database.write() as session:  # the same asset alone: it is troubled now
        session.execute(update(Run).where(Run.asset_id != old.asset_id).values(state=RunState.DONE))
    new = claim_batch(database, settings, "fast", producers)[0].leases["tags"]
    assert new.run_id == old.run_id and new.fence > old.fence
    with pytest.raises(LeaseLost), database.write() as session:
        store.save(session, old, [Tag("v", "late", 1.0)])
    with database.write() as session:
        store.save(session, new, [Tag("v", "in time", 1.0)])
    with database.read() as session:
        assert session.scalars(select(TagRow.word)).all() == ["in time"]


def test_what_a_dead_worker_held_is_claimed_alone_and_at_last_quarantined(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    assert len(claim_batch(database, settings, "dead", producers)) == PHOTOS
    for attempt in range(2, settings.attempts + 1):
        reclaim_lost(database, settings, living=[])
        with database.write() as session:
            session.execute(update(Run).where(Run.attempts == 0).values(state=RunState.DONE))
        claims = claim_batch(database, settings, "dead", producers)
        assert len(claims) == 1 and claims[0].attempts <= attempt
        with database.write() as session:  # the others are well after all
            others = update(Run).where(Run.asset_id != claims[0].asset_id)
            session.execute(others.values(state=RunState.DONE))
    reclaim_lost(database, settings, living=[])
    with database.read() as session:
        lost = session.scalars(select(Run).where(Run.state != RunState.DONE)).all()
    assert {run.state for run in lost} == {RunState.QUARANTINED}
    assert all("DAM_ATTEMPTS" in (run.error or "") for run in lost)


def test_a_heartbeat_keeps_a_lease_and_silence_loses_it(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    claim_batch(database, settings, "a", producers)
    with database.write() as session:
        session.execute(update(Run).where(Run.state == RunState.LEASED).values(lease_until_us=1))
    extend_leases(database, settings, "a")
    reclaim_lost(database, settings, living=["a"])
    assert RunState.LEASED in states(database)
    with database.write() as session:
        session.execute(update(Run).where(Run.state == RunState.LEASED).values(lease_until_us=1))
    reclaim_lost(database, settings, living=["a"])
    assert states(database) == {RunState.PENDING}


def test_released_runs_do_not_count_as_tried(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    claims = claim_batch(database, settings, "a", producers)
    with database.write() as session:
        release(session, [lease for claim in claims for lease in claim.leases.values()])
    with database.read() as session:
        assert set(session.scalars(select(Run.attempts))) == {0}
    assert len(claim_batch(database, settings, "b", producers)) == PHOTOS


def test_files_that_cannot_be_reached_are_not_claimed(
    database: Database, settings: Settings, producers: dict[str, int]
) -> None:
    with database.write() as session:
        session.execute(update(File).where(File.display == "0.jpg").values(state=FileState.MISSING))
    assert len(claim_batch(database, settings, "a", producers)) == PHOTOS - 1
    reclaim_lost(database, settings, living=[])
    with database.write() as session:
        session.execute(update(Library).values(state=LibraryState.OFFLINE))
    assert claim_batch(database, settings, "a", producers) == []
    with database.read() as session:
        assert not is_claimable(session)


def test_libraries_with_a_higher_priority_come_first(
    database: Database, settings: Settings, producers: dict[str, int], tmp_path: Path
) -> None:
    with database.write() as session:
        for name, priority in (("urgent", 1), ("archive", -1)):
            library = add_library(session, tmp_path / name, name)
            library.priority = priority
            asset = add_asset(session, library, f"{name}.jpg")
            for row in session.scalars(select(ProducerRow)):
                add_run(session, asset, row)

    def next_names() -> set[str]:
        return {claim.path.name for claim in claim_batch(database, settings, "a", producers)}

    assert next_names() == {"urgent.jpg"}
    assert len(next_names()) == PHOTOS
    assert next_names() == {"clip.mp4"}
    assert next_names() == {"archive.jpg"}
    assert next_names() == set()


def test_a_library_that_is_offline_holds_no_other_back(
    database: Database, settings: Settings, producers: dict[str, int], tmp_path: Path
) -> None:
    with database.write() as session:
        library = add_library(session, tmp_path / "urgent", "urgent")
        library.priority, library.state = 1, LibraryState.OFFLINE
        add_run(session, add_asset(session, library, "u.jpg"), session.scalars(SOME).one())
    assert len(claim_batch(database, settings, "a", producers)) == PHOTOS
