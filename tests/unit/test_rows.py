"""Every kind of finding comes back as it was stored, is found by its words, and goes when it is
replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from sqlalchemy import func, select

from dam import findings as f
from dam.contracts import Kind, Producer
from dam.rows import KINDS
from dam.store import FOUND as FOUND_IN
from dam.store import Lease, copy_runs, load_findings, save
from dam.tables import Asset, ProducerRow, Run, RunState, TextField, TextRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.db import Database

SPAN = f.Span(1_000_000, 2_500_000)
BOX = f.Box(0.25, 0.5, 0.125, 0.0625)
UNIT = np.array([0.6, 0.8], np.float32)
FOUND: dict[type, f.Finding] = {
    f.Tag: f.Tag("mood", "calm", 0.75, SPAN),
    f.Vector: f.Vector(UNIT, 1_500_000, SPAN),
    f.Shot: f.Shot(SPAN, 1_250_000, 25, 62),
    f.TranscriptLine: f.TranscriptLine(
        SPAN, "Zwei Möwen", "de", 0.5, (f.Word(SPAN, "Zwei", 0.5),), "Two gulls"
    ),
    f.SoundEvent: f.SoundEvent("Dog", 0.875, SPAN),
    f.Music: f.Music(120.0, "A minor", 0.5),
    f.TextBox: f.TextBox("FISCHMARKT", 0.75, BOX, 1_500_000, SPAN),
    f.Face: f.Face(BOX, 0.5, ((0.25, 0.5),) * 5, UNIT, 0.5, b"jpeg", 1_500_000, SPAN),
    f.Fingerprint: f.Fingerprint(f.FingerprintKind.PHASH, b"12345678", 1_500_000, SPAN),
    f.Quality: f.Quality(f.Measure.BLACK, 1.5, is_fault=True, span=SPAN),
}
SAYS = {
    (TextField.TAG, None, None, "calm"),
    (TextField.SPEECH, SPAN.start_us, SPAN.end_us, "Zwei Möwen\nTwo gulls"),
    (TextField.SOUND, SPAN.start_us, SPAN.end_us, "Dog"),
    (TextField.WRITING, SPAN.start_us, SPAN.end_us, "FISCHMARKT"),
}


def add_asset(session: Session, asset_id: str) -> str:
    facts = {"kind": Kind.VIDEO, "format": "mp4", "size_bytes": 1}
    session.add(Asset(id=asset_id, content_hash=asset_id, essence_hash=asset_id, **facts))
    session.flush()
    return asset_id


def lease(session: Session, asset_id: str) -> Lease:
    if session.get(Asset, asset_id) is None:
        add_asset(session, asset_id)
    producer = session.scalar(select(ProducerRow))
    if producer is None:
        made = Producer("sense", 1)
        producer = ProducerRow(
            fingerprint=made.fingerprint, indexer="sense", version=1, parameters={}, active=True
        )
        session.add(producer)
    session.flush()
    run = session.scalar(select(Run).where(Run.asset_id == asset_id))
    if run is None:
        run = Run(asset_id=asset_id, revision=1, producer_id=producer.id)
        session.add(run)
    run.state, run.fence = RunState.LEASED, 1
    session.flush()
    return Lease(run.id, 1, asset_id, producer.id)


def test_this_test_knows_every_kind_of_finding() -> None:
    assert FOUND.keys() == KINDS.keys() == set(get_args(f.Finding))


def test_findings_come_back_as_they_were_stored(database: Database) -> None:
    with database.write() as session:
        save(session, lease(session, "a"), list(FOUND.values()))
        copy_runs(session, "a", add_asset(session, "b"), 1)
    with database.read() as session:
        for asset_id in ("a", "b"):
            back = {type(finding): finding for finding in load_findings(session, asset_id, "sense")}
            assert back.keys() == FOUND.keys()
            for kind, found in FOUND.items():
                for name in kind.__dataclass_fields__:
                    stored, given = getattr(back[kind], name), getattr(found, name)
                    if isinstance(given, np.ndarray):
                        assert stored == pytest.approx(given, abs=1e-3)
                    else:
                        assert stored == given
            said = select(TextRow.field, TextRow.start_us, TextRow.end_us, TextRow.body).where(
                TextRow.asset_id == asset_id
            )
            assert {tuple(row) for row in session.execute(said)} == SAYS


def test_a_new_result_replaces_all_of_the_old_one(database: Database) -> None:
    with database.write() as session:
        save(session, lease(session, "a"), list(FOUND.values()))
        save(session, lease(session, "a"), [])
    with database.read() as session:
        for table in FOUND_IN:
            assert session.scalar(select(func.count()).select_from(table)) == 0, table
