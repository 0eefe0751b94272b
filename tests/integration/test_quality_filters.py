"""Quality as a filter of lists and searches, and as a report over the API."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from dam import store
from dam.contracts import Kind, Span
from dam.findings import Measure, Quality
from dam.search import Query, SearchService
from dam.store import Lease
from dam.tables import Run, RunState
from tests.rows import add_producer
from tests.search_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.config import Settings
    from dam.db import Database

SECOND = Span(0, 1_000_000)
MEASURED = {
    "sharp.jpg": [(Measure.SHARPNESS, 0.8, False, None), (Measure.EXPOSURE, 0.5, False, None)],
    "soft.jpg": [(Measure.SHARPNESS, 0.3, True, None), (Measure.EXPOSURE, 0.5, False, None)],
    "snow.jpg": [
        (Measure.SHARPNESS, 0.7, False, None),
        (Measure.EXPOSURE, 0.8, False, None),
        (Measure.CLIPPED_HIGHLIGHTS, 0.2, True, None),
    ],
    "night.jpg": [(Measure.SHARPNESS, 0.2, True, None), (Measure.EXPOSURE, 0.02, True, None)],
    "loud.wav": [
        (Measure.AUDIO_CLIPPING, 40, True, SECOND),
        (Measure.LOUDNESS, -9.5, False, None),
    ],
    "quiet.wav": [(Measure.SILENCE, 3, False, SECOND), (Measure.LOUDNESS, -31.0, False, None)],
    "torn.wav": [(Measure.DROPOUT, 0.01, True, SECOND), (Measure.LOUDNESS, -23.0, False, None)],
    "tape.mp4": [
        (Measure.SHARPNESS, 0.6, False, None),
        (Measure.BLACK, 1, True, SECOND),
        (Measure.FROZEN, 3, True, SECOND),
        (Measure.FLASH, 0.4, True, SECOND),
        (Measure.LOUDNESS, -18.0, False, None),
    ],
    "new.jpg": [],
}
KINDS = {"jpg": Kind.PHOTO, "wav": Kind.AUDIO, "mp4": Kind.VIDEO}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path / "media")
    with database.write() as session:
        producer = add_producer(session, "quality").id
    for name, measured in MEASURED.items():
        asset_id = world.add(name, kind=KINDS[name.rsplit(".")[-1]])
        found = [
            Quality(measure, value, is_fault=is_fault, span=span)
            for measure, value, is_fault, span in measured
        ]
        with database.write() as session:
            run = Run(
                asset_id=asset_id,
                revision=1,
                producer_id=producer,
                state=RunState.LEASED,
                fence=1,
            )
            session.add(run)
            session.flush()
            store.save(session, Lease(run.id, 1, asset_id, producer), found)
    return world


def found(database: Database, settings: Settings, text: str) -> set[str]:
    hits = SearchService(database, settings, None).search(Query(text)).results
    return {hit.path.rsplit("/", 1)[-1] for hit in hits}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("is:sharp", {"sharp.jpg", "snow.jpg", "tape.mp4"}),
        ("is:blurred", {"soft.jpg", "night.jpg"}),
        ("is:overexposed", {"snow.jpg"}),
        ("is:underexposed", {"night.jpg"}),
        ("has:clipping", {"loud.wav"}),
        ("has:silence", {"quiet.wav"}),
        ("has:dropouts", {"torn.wav"}),
        ("has:black", {"tape.mp4"}),
        ("has:frozen,flash", {"tape.mp4"}),
        ("has:faults", {"soft.jpg", "snow.jpg", "night.jpg", "loud.wav", "torn.wav", "tape.mp4"}),
        ("is:sharp is:overexposed", {"snow.jpg"}),
        ("is:sharp has:clipping", set()),
        ("is:sharp kind:video", {"tape.mp4"}),
        ("loudness:-24..-14", {"torn.wav", "tape.mp4"}),
        ("loudness:>-14", {"loud.wav"}),
        ("loudness:<-30", {"quiet.wav"}),
        ("snow is:sharp", {"snow.jpg"}),
    ],
)
def test_only_what_was_measured_so_is_found(
    world: World, settings: Settings, text: str, names: set[str]
) -> None:
    assert found(world.database, settings, text) == names


def cards(client: FlaskClient, query: str) -> Any:
    page: Any = client.get(f"/api/v1/assets?{query}").json
    return page["assets"]


def test_the_api_takes_quality_and_loudness_as_filters(world: World, client: FlaskClient) -> None:
    def listed(query: str) -> set[str]:
        return {card["name"] for card in cards(client, query)}

    assert listed("quality=sharp,overexposed") == {"snow.jpg"}
    assert listed("min_loudness_lufs=-24&max_loudness_lufs=-20") == {"torn.wav"}
    assert listed("quality=faults&kind=audio") == {"loud.wav", "torn.wav"}
    refused = client.get("/api/v1/assets?quality=nice")
    assert refused.status_code == 400 and "known are sharp" in refused.text


def named(report: Any) -> set[str]:
    return {asset["path"].rsplit("/", 1)[-1] for asset in report["assets"]}


def test_a_report_tells_of_what_the_filters_leave(world: World, client: FlaskClient) -> None:
    everything = client.get("/api/v1/reports/quality").json
    assert len(named(everything)) == 9
    faults = client.get("/api/v1/reports/quality?kind=audio&faults=true").json
    assert named(faults) == {"loud.wav", "torn.wav"}
    assert named(client.get("/api/v1/reports/quality?quality=black").json) == {"tape.mp4"}


def test_a_table_is_a_file_to_save(world: World, client: FlaskClient) -> None:
    (card,) = cards(client, "quality=dropouts")
    answer = client.get(f"/api/v1/reports/quality?format=csv&ids={card['id']}")
    assert answer.mimetype == "text/csv"
    assert 'filename="quality.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["asset_id"] for row in rows} == {card["id"]}
    (torn,) = (row for row in rows if row["measure"] == Measure.DROPOUT)
    assert (torn["fault"], torn["start"], torn["end"]) == ("yes", "00:00:00.000", "00:00:01.000")


def test_a_report_of_too_many_single_assets_is_refused(world: World, client: FlaskClient) -> None:
    ids = ",".join(str(number) for number in range(101))
    answer = client.get(f"/api/v1/reports/quality?ids={ids}")
    assert answer.status_code == 400 and "At most 100" in answer.text
