"""Search over HTTP: the same answers as the command line, also without any model."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from dam.search.query import Query, results_as_json
from dam.store import replace_texts
from dam.tables import TextField
from tests.media import RED, picture
from tests.rows import add_asset, add_library
from web.api.search import SearchResults
from web.shapes import answer as shape

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from dam.db import Database

SEARCH = "/api/v1/search"


@pytest.fixture
def beach(database: Database, tmp_path: Path) -> str:
    with database.write() as session:
        library = add_library(session, tmp_path / "photos")
        for name in ("beach.jpg", "forest.jpg"):
            asset = add_asset(session, library, name)
            replace_texts(session, asset.id, [(TextField.TITLE, name.removesuffix(".jpg"))])
            if name == "beach.jpg":
                beach_id = asset.id
    return beach_id


def jpeg() -> io.BytesIO:
    held = io.BytesIO()
    picture(RED).save(held, "JPEG")
    held.seek(0)
    return held


def test_answer_is_what_the_search_service_says(client: FlaskClient, beach: str) -> None:
    answer = client.get(SEARCH, query_string={"q": "beach"})
    service = client.application.extensions["dam"].search
    assert answer.json == results_as_json(service.search(Query("beach")))
    assert [hit["asset_id"] for hit in answer.json["results"]] == [beach]
    shape(SearchResults).model_validate(answer.json)


def test_search_without_a_model_says_what_is_waiting(client: FlaskClient, beach: str) -> None:
    waiting = client.get(SEARCH, query_string={"q": "beach"}).json["waiting"]
    assert any(one["channel"] == "visual" for one in waiting)


def test_filters_beside_the_text_count(client: FlaskClient, beach: str) -> None:
    for query in ({"q": "beach", "kind": "video"}, {"q": "beach kind:video"}):
        assert client.get(SEARCH, query_string=query).json["results"] == []
    assert len(client.get(SEARCH, query_string={"q": "beach", "limit": 1}).json["results"]) == 1


@pytest.mark.parametrize("query", ["colour:red", "rating:many", "date:someday"])
def test_malformed_filter_in_the_text_is_explained(client: FlaskClient, query: str) -> None:
    answer = client.get(SEARCH, query_string={"q": query})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_similar_to_an_unknown_asset_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/v1/assets/none/similar").status_code == 404


def test_picture_is_decoded_and_not_kept(client: FlaskClient, beach: str) -> None:
    run_path = client.application.extensions["dam"].settings.run_path
    answer = client.post(f"{SEARCH}/image?limit=5", data={"image": (jpeg(), "../../x.jpg")})
    assert answer.status_code == 200
    assert any(one["channel"] == "visual" for one in answer.json["waiting"])
    assert not [path for path in run_path.rglob("*") if path.name == "picture"]


def test_upload_that_is_no_picture_is_refused_with_the_reason(client: FlaskClient) -> None:
    text = io.BytesIO(b"this is a text, whatever it is called")
    answer = client.post(f"{SEARCH}/image", data={"image": (text, "x.jpg")})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_form_without_a_picture_is_refused(client: FlaskClient) -> None:
    answer = client.post(f"{SEARCH}/image", data={"other": (jpeg(), "x.jpg")})
    assert answer.status_code == 422
    answer = client.post(f"{SEARCH}/image", json={})
    assert answer.status_code == 415


def test_enormous_picture_is_refused_by_its_header(client: FlaskClient) -> None:
    held = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(held, "PNG")
    held.seek(0)
    answer = client.post(f"{SEARCH}/image", data={"image": (held, "x.png")})
    assert answer.status_code == 413
    assert "DAM_MAX_PIXELS" in answer.json["detail"]


def test_kept_picture_gives_a_search_an_address(client: FlaskClient, beach: str) -> None:
    kept = client.post(f"{SEARCH}/pictures", data={"image": (jpeg(), "x.jpg")})
    assert kept.status_code == 201
    again = client.post(f"{SEARCH}/pictures", data={"image": (jpeg(), "y.jpg")})
    assert again.json == kept.json
    picture_id = kept.json["picture"]
    shown = client.get(f"{SEARCH}/pictures/{picture_id}")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    with Image.open(io.BytesIO(shown.data)) as image:
        assert max(image.size) <= 512
    answer = client.get(SEARCH, query_string={"picture": picture_id, "kind": "photo"})
    assert answer.status_code == 200
    assert any(one["channel"] == "visual" for one in answer.json["waiting"])  # no model here


@pytest.mark.parametrize("picture_id", ["0" * 20, "..", "%2e%2e%2fdam"])
def test_picture_that_is_not_kept_is_not_found(client: FlaskClient, picture_id: str) -> None:
    assert client.get(f"{SEARCH}/pictures/{picture_id}").status_code == 404
    answer = client.get(SEARCH, query_string={"picture": picture_id})
    assert answer.status_code == 404
    assert "Choose the picture again" in answer.json["detail"]


def test_reading_tells_how_a_query_is_understood(client: FlaskClient) -> None:
    answer = client.get(f"{SEARCH}/reading", query_string={"q": "woman -dog kind:video"})
    assert answer.json == {
        "sentence": "woman",
        "parts": [
            {"role": "excluded", "name": None, "text": "dog", "without": "woman kind:video"},
            {"role": "filter", "name": "kind", "text": "video", "without": "woman -dog"},
        ],
    }
    assert client.get(f"{SEARCH}/reading", query_string={"q": "colour:red"}).status_code == 400


def test_similar_takes_filters(client: FlaskClient, beach: str) -> None:
    answer = client.get(f"/api/v1/assets/{beach}/similar?kind=video&at_s=3.5")
    assert answer.status_code == 404
    assert "not been looked at" in answer.json["detail"]
    assert client.get(f"/api/v1/assets/{beach}/similar?at_s=-1").status_code == 422
