"""Browsing assets over HTTP: pages, filters, everything about one, decisions about tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from dam.contracts import Kind
from dam.tables import (
    Asset,
    File,
    FileState,
    LibraryState,
    Run,
    RunState,
    ShotRow,
    Stack,
    TagDecision,
    TagRow,
    TagSource,
    Verdict,
)
from tests.rows import add_asset, add_library, add_producer, add_run

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

    from dam.db import Database
    from dam.tables import Library

ASSETS = "/api/v1/assets"
DAY_US = 86_400_000_000


@pytest.fixture
def library_id(database: Database, tmp_path: Path) -> str:
    """Seven photos of seven days in 1970, three of them undated, and a clip."""
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        for number in range(7):
            asset = add_asset(session, library, f"trip/{number}.jpg")
            asset.rating = number % 3
            if number < 4:
                asset.captured_us = number * DAY_US
                asset.captured_local = f"1970-01-0{number + 1}T00:00:00"
        clip = add_asset(session, library, "trip/beach/clip.mp4", Kind.VIDEO)
        clip.duration_us, clip.camera, clip.place = 12_500_000, "Canon EOS R5", "Lisbon, Portugal"
        return library.id


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [card["name"] for card in answer.json["assets"]]


def asset_id_of(client: FlaskClient, name: str) -> str:
    cards = client.get(ASSETS).json["assets"]
    return next(card["id"] for card in cards if card["name"] == name)


def test_assets_come_newest_first_and_undated_last(client: FlaskClient, library_id: str) -> None:
    answer = client.get(ASSETS)
    assert names(answer)[:4] == ["3.jpg", "2.jpg", "1.jpg", "0.jpg"]
    assert sorted(names(answer)[4:]) == ["4.jpg", "5.jpg", "6.jpg", "clip.mp4"]
    assert (answer.json["total"], answer.json["next_cursor"]) == (8, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8])
def test_pages_together_are_the_whole_list(
    client: FlaskClient, library_id: str, limit: int
) -> None:
    whole = names(client.get(ASSETS))
    found: list[str] = []
    cursor = ""
    for _ in range(10):
        answer = client.get(f"{ASSETS}?limit={limit}{cursor}")
        found += names(answer)
        if answer.json["next_cursor"] is None:
            break
        cursor = f"&cursor={answer.json['next_cursor']}"
    assert found == whole


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=video", {"clip.mp4"}),
        ("kind=photo,video&folder=beach", {"clip.mp4"}),
        ("rating=2", {"2.jpg", "5.jpg"}),
        ("since=1970-01-03", {"2.jpg", "3.jpg"}),
        ("until=1970-01-02", {"0.jpg", "1.jpg"}),
        ("since=1970-01-02&until=1970-01-02", {"1.jpg"}),
        ("place=lisbon", {"clip.mp4"}),
        ("camera=canon", {"clip.mp4"}),
        ("min_duration_s=12&max_duration_s=13", {"clip.mp4"}),
        ("min_duration_s=13", set()),
        ("library=none", set()),
        ("tag=none", set()),
    ],
)
def test_filter_leaves_what_fits(
    client: FlaskClient, library_id: str, query: str, expected: set[str]
) -> None:
    assert set(names(client.get(f"{ASSETS}?{query}"))) == expected


def test_ids_are_answered_in_their_order(client: FlaskClient, library_id: str) -> None:
    wanted = [asset_id_of(client, name) for name in ("0.jpg", "6.jpg", "clip.mp4")]
    answer = client.get(f"{ASSETS}?ids={','.join([*wanted, 'unknown'])}")
    assert [card["id"] for card in answer.json["assets"]] == wanted


def test_more_ids_than_are_answered_at_once_are_refused(client: FlaskClient) -> None:
    answer = client.get(ASSETS, query_string={"ids": ",".join(["4f1c"] * 101)})
    assert answer.status_code == 400
    assert "At most 100 ids" in (answer.json or {})["detail"]


def test_asset_of_an_offline_library_is_listed_as_not_available(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    assert all(card["available"] for card in client.get(ASSETS).json["assets"])
    with database.write() as session:
        _library(session, library_id).state = LibraryState.OFFLINE
    cards = client.get(ASSETS).json["assets"]
    assert len(cards) == 8
    assert not any(card["available"] for card in cards)


def test_card_is_pending_until_every_indexer_has_looked(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    id_ = asset_id_of(client, "0.jpg")

    def pending() -> list[str]:
        return [card["id"] for card in client.get(ASSETS).json["assets"] if card["pending"]]

    assert pending() == []
    with database.write() as session:
        asset = session.get_one(Asset, id_)
        for indexer, state in (("shots", RunState.DONE), ("visual", RunState.LEASED)):
            add_run(session, asset, add_producer(session, indexer)).state = state
    assert pending() == [id_]
    with database.write() as session:
        for run in session.query(Run):
            run.state = RunState.FAILED
    assert pending() == []


def test_asset_whose_file_is_gone_is_not_listed(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    gone = asset_id_of(client, "0.jpg")
    with database.write() as session:
        session.get_one(Asset, gone).files[0].state = FileState.MISSING
    assert "0.jpg" not in names(client.get(ASSETS))
    assert client.get(f"{ASSETS}/{gone}").json["files"][0]["state"] == "missing"


def test_stack_is_one_entry_until_its_cover_is_gone(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    cover, other = asset_id_of(client, "0.jpg"), asset_id_of(client, "1.jpg")
    with database.write() as session:
        stack = Stack(reason="raw_jpeg", cover_id=cover)
        session.add(stack)
        session.flush()
        for asset_id in (cover, other):
            session.get_one(Asset, asset_id).stack_id = stack.id
    shown = names(client.get(ASSETS))
    assert "0.jpg" in shown
    assert "1.jpg" not in shown
    detail = client.get(f"{ASSETS}/{other}").json
    assert [card["id"] for card in detail["stack"]["members"]] == [cover, other]
    assert detail["card"]["stack_size"] == 2
    with database.write() as session:
        session.get_one(Asset, cover).files[0].state = FileState.MISSING
    assert "1.jpg" in names(client.get(ASSETS))


def test_detail_tells_everything_that_is_known(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    asset_id = asset_id_of(client, "clip.mp4")
    with database.write() as session:
        asset = session.get_one(Asset, asset_id)
        asset.details = {"iso": 100, "gain": float("nan"), "lens": [float("inf"), 1.5]}
        asset.captured_us = DAY_US
        run = add_run(session, asset, add_producer(session, "shots"))
        run.state, run.error = RunState.FAILED, "no frames"
        session.add(
            ShotRow(
                run_id=run.id, asset_id=asset_id, start_us=0, end_us=2_500_000, best_us=1_000_000
            )
        )
    detail = client.get(f"{ASSETS}/{asset_id}").json
    assert detail["captured_at"] == "1970-01-02T00:00:00Z"
    assert detail["details"] == {"iso": 100, "gain": None, "lens": [None, 1.5]}
    assert detail["card"]["duration_s"] == 12.5
    assert detail["previews"] == {"state": "pending", "reason": None}
    assert detail["files"][0]["path"] == "trip/beach/clip.mp4"
    assert detail["files"][0]["library"] == "photos"
    assert detail["shots"][0] == {
        "start_s": 0.0,
        "end_s": 2.5,
        "best_s": 1.0,
        "first_frame": None,
        "end_frame": None,
    }
    assert [(run["indexer"], run["state"], run["error"]) for run in detail["runs"]] == [
        ("shots", "failed", "no frames")
    ]


def test_decisions_about_tags_are_shown_and_can_be_taken_back(
    client: FlaskClient, library_id: str, database: Database
) -> None:
    asset_id = asset_id_of(client, "0.jpg")
    with database.write() as session:
        for word in ("sea", "dog"):
            session.add(
                TagRow(
                    asset_id=asset_id,
                    source=TagSource.MODEL,
                    vocabulary="open-images",
                    word=word,
                    score=0.9,
                )
            )
    said = [
        {"word": "sea", "verdict": "approved"},
        {"word": "dog", "verdict": "rejected"},
        {"word": "holiday", "verdict": "approved"},
    ]
    answer = client.patch(f"{ASSETS}/{asset_id}", json={"tags": said})
    verdicts = {tag["word"]: tag["verdict"] for tag in answer.json["tags"]}
    assert verdicts == {"sea": "approved", "dog": "rejected", "holiday": "approved"}
    assert names(client.get(f"{ASSETS}?tag=holiday")) == ["0.jpg"]
    back = {"tags": [{"word": "dog", "verdict": None}]}
    answer = client.patch(f"{ASSETS}/{asset_id}", json=back)
    assert {t["word"]: t["verdict"] for t in answer.json["tags"]}["dog"] is None


@pytest.mark.parametrize(
    "tags",
    [
        [],
        [{"word": "sea"}],
        [{"word": "", "verdict": "approved"}],
        [{"word": "sea", "verdict": "maybe"}],
    ],
)
def test_decision_that_says_nothing_is_refused(
    client: FlaskClient, library_id: str, tags: list[dict[str, str]]
) -> None:
    url = f"{ASSETS}/{asset_id_of(client, '0.jpg')}"
    assert client.patch(url, json={"tags": tags}).status_code == 422


def test_a_tag_holds_no_invisible_zeros(client: FlaskClient, library_id: str) -> None:
    url = f"{ASSETS}/{asset_id_of(client, '0.jpg')}"
    said = [{"word": "sea\0\0 shore", "verdict": "approved"}]
    assert [tag["word"] for tag in client.patch(url, json={"tags": said}).json["tags"]] == [
        "sea shore"
    ]
    nothing = [{"word": "\0", "verdict": "approved"}]
    assert client.patch(url, json={"tags": nothing}).status_code == 400


def test_failed_decision_changes_nothing(client: FlaskClient, library_id: str) -> None:
    url = f"{ASSETS}/{asset_id_of(client, '0.jpg')}"
    said = [{"word": "sea", "verdict": "approved"}, {"word": " ", "verdict": "approved"}]
    assert client.patch(url, json={"tags": said}).status_code == 400
    assert client.get(url).json["tags"] == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lis", [("Lisbon, Portugal", "place")]),
        ("portu", [("Lisbon, Portugal", "place")]),
        ("eos", [("Canon EOS R5", "camera")]),
        ("isbon", []),
        ("%", []),
        ("_", []),
        ("", []),
        ("bea", [("trip/beach", "folder")]),
        ("TRI", [("trip", "folder")]),
        ("rip", []),
    ],
)
def test_half_a_word_is_completed(
    client: FlaskClient, library_id: str, typed: str, expected: list[tuple[str, str]]
) -> None:
    answer = client.get("/api/v1/suggest", query_string={"q": typed})
    assert [(one["text"], one["kind"]) for one in answer.json["suggestions"]] == expected


@pytest.fixture
def tagged(database: Database, library_id: str) -> None:
    """Words from files, from a model, from people: on assets 0, 1, 2 and 3."""
    with database.write() as session:
        ids = list(session.scalars(select(Asset.id).join(File).order_by(File.display)))
        for at, word, score, source in (
            (0, "sea", 1.0, TagSource.FILE),
            (0, "sea", 0.9, TagSource.MODEL),  # of the same asset: counted once
            (1, "sea", 0.9, TagSource.MODEL),
            (2, "sea", 0.4, TagSource.MODEL),  # not confident
            (3, "sea", 0.9, TagSource.MODEL),  # rejected below
            (0, "season", 0.8, TagSource.MODEL),
            (1, "dog", 0.8, TagSource.MODEL),
            (2, "dog", 0.8, TagSource.MODEL),
            (3, "dog", 0.8, TagSource.MODEL),
        ):
            row = {"source": source, "vocabulary": "v", "word": word, "score": score}
            session.add(TagRow(asset_id=ids[at], **row))
        for at, word, verdict in (
            (3, "sea", Verdict.REJECTED),
            (1, "sea", Verdict.APPROVED),  # suggested there too: counted once
            (2, "sea", Verdict.APPROVED),
            (0, "seaside", Verdict.APPROVED),
        ):
            session.add(TagDecision(asset_id=ids[at], word=word, verdict=verdict))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "se"}, [("sea", 3), ("seaside", 1), ("season", 1)]),
        ({"kind": "tag"}, [("dog", 3), ("sea", 3), ("seaside", 1), ("season", 1)]),
        ({"kind": "tag", "limit": "1"}, [("dog", 3)]),
        ({"kind": "tag", "q": "do"}, [("dog", 3)]),
        ({"kind": "camera"}, [("Canon EOS R5", 1)]),
        ({"kind": "camera", "q": "se"}, []),
        ({"kind": "place"}, [("Lisbon, Portugal", 1)]),
        ({"kind": "folder"}, [("trip", 8), ("trip/beach", 1)]),
        ({}, []),
    ],
)
def test_suggestions_count_what_is_really_there(
    client: FlaskClient, tagged: None, query: dict[str, str], expected: list[tuple[str, int]]
) -> None:
    answer = client.get("/api/v1/suggest", query_string=query)
    assert [(one["text"], one["assets"]) for one in answer.json["suggestions"]] == expected


def test_a_suggested_folder_filters_the_list(client: FlaskClient, library_id: str) -> None:
    (folder,) = client.get("/api/v1/suggest", query_string={"q": "beach"}).json["suggestions"]
    cards = client.get(ASSETS, query_string={"folder": folder["text"]})
    assert names(cards) == ["clip.mp4"]


def _library(session: Session, library_id: str) -> Library:
    from dam.tables import Library

    return session.get_one(Library, library_id)
