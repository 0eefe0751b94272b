"""Search: by words, by an example picture, by what is already there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from apiflask import APIBlueprint
from apiflask.fields import UploadFile
from flask import Response, jsonify
from pydantic import ConfigDict, Field

from dam.search.query import Query, results_as_json
from dam.suggest import Suggestion, suggest
from web.filters import FilterQuery
from web.services import services
from web.shapes import Limit, Request, answer

bp = APIBlueprint("search", __name__, tag="Search")
UPLOAD = "picture"  # no suffix: what it is, its bytes say


@dataclass(frozen=True, slots=True)
class MomentView:
    start_s: float | None  # nothing: the whole asset
    end_s: float | None
    score: float
    channel: str  # visual, text, tags or dates
    at_s: float | None  # the frame that matched best


@dataclass(frozen=True, slots=True)
class HitView:
    asset_id: str
    path: str  # absolute, for people
    kind: str
    score: float  # in [0, 1]
    moments: list[MomentView]
    why: list[str]
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    captured_local: str | None
    offline: bool
    thumbhash: str | None


@dataclass(frozen=True, slots=True)
class WaitingView:
    channel: str
    reason: str | None = None
    command: str | None = None  # what mends it
    pending: int | None = None  # assets it has not seen yet


@dataclass(frozen=True, slots=True)
class SearchResults:
    results: list[HitView]  # best first
    waiting: list[WaitingView]  # what cannot answer, or not for everything yet


@dataclass(frozen=True, slots=True)
class Suggestions:
    suggestions: list[Suggestion]


class FilteredQuery(FilterQuery):
    limit: Limit = 50


class TextQuery(FilteredQuery):
    q: Annotated[str, Field(max_length=2000)] = Field("", description="As typed by a person.")


class SimilarQuery(Request):
    limit: Limit = 50


class ImageForm(Request):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    image: UploadFile


class SuggestQuery(Request):
    q: Annotated[str, Field(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=50)] = 10


@bp.get("/search")
@bp.input(TextQuery, location="query")
@bp.output(answer(SearchResults))
def search(query_data: TextQuery) -> Response:
    """Find assets and moments by words; filters may also be written into the text."""
    return _results(Query(query_data.q, query_data.filters, query_data.limit))


@bp.post("/search/image")
@bp.input(FilteredQuery, location="query")
@bp.input(ImageForm, location="files")
@bp.output(answer(SearchResults))
@bp.doc(responses={413: "The picture is too large."})
def search_by_image(query_data: FilteredQuery, files_data: ImageForm) -> Response:
    """Find what looks like a picture of one's own; it is not kept."""
    owner = services()
    owner.settings.run_path.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=owner.settings.run_path) as folder,
        owner.sandbox() as sandbox,
    ):
        path = Path(folder) / UPLOAD
        files_data.image.save(path)
        photo = sandbox.photo(path)
    return _results(Query("", query_data.filters, query_data.limit, like=photo.image))


@bp.get("/assets/<asset_id>/similar")
@bp.input(SimilarQuery, location="query")
@bp.output(answer(SearchResults))
def similar(asset_id: str, query_data: SimilarQuery) -> Response:
    """Find what looks like an asset."""
    return _results(Query(limit=query_data.limit, like_asset=asset_id))


@bp.get("/suggest")
@bp.input(SuggestQuery, location="query")
@bp.output(answer(Suggestions))
def get_suggestions(query_data: SuggestQuery) -> Suggestions:
    """Complete a half-typed tag, place or camera."""
    with services().database.read() as session:
        return Suggestions(suggest(session, query_data.q, limit=query_data.limit))


def _results(query: Query) -> Response:
    """Exactly what `dam search --json` prints."""
    return jsonify(results_as_json(services().search.search(query)))
