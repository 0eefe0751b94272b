"""Search: by words, by an example picture, by what is already there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from apiflask import APIBlueprint
from apiflask.fields import UploadFile
from flask import Response, jsonify, make_response
from pydantic import ConfigDict, Field

from dam.search.query import PictureModel, Query, results_as_json
from dam.search.reading import Reading, read_query
from dam.suggest import Suggestion, SuggestionKind, suggest
from web.filters import FilterQuery, Seconds
from web.services import services
from web.shapes import Limit, Request, answer

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from dam.contracts import Pixels

bp = APIBlueprint("search", __name__, tag="Search")
BINARY = {"schema": {"type": "string", "format": "binary"}}
JPEG: Any = {200: {"description": "The small copy.", "content": {"image/jpeg": BINARY}}}
UPLOAD = "picture"  # no suffix: what it is, its bytes say


@dataclass(frozen=True, slots=True)
class MomentView:
    start_s: float | None  # nothing: the whole asset
    end_s: float | None
    score: float
    channel: str  # visual, sound, text, tags or dates
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
    model: PictureModel | None  # whose vectors answered; nothing where only words did


@dataclass(frozen=True, slots=True)
class Suggestions:
    suggestions: list[Suggestion]


Text = Annotated[str, Field(max_length=2000)]
Picture = Annotated[str, Field(max_length=64)]


class FilteredQuery(FilterQuery):
    limit: Limit = 50


class TextQuery(FilteredQuery):
    q: Text = Field("", description="As typed by a person.")
    picture: Picture | None = Field(
        None, description="The id of a kept picture: find what looks like it; `q` then counts not."
    )


class ReadingQuery(Request):
    q: Text = Field(description="As typed by a person.")


class Likeness(StrEnum):
    PICTURE = "picture"
    SOUND = "sound"


class SimilarQuery(FilteredQuery):
    at_s: Seconds | None = Field(
        None,
        description="Of a video: find what looks like its frame nearest to this time; of a "
        "recording: what sounds like it there.",
    )
    by: Likeness | None = Field(
        None,
        description="picture or sound; without it a recording by its sound, all else by its looks.",
    )


class ImageForm(Request):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    image: UploadFile


@dataclass(frozen=True, slots=True)
class KeptPicture:
    picture: str  # its id, for `GET /search?picture=` and `GET /search/pictures/{picture}`


class SuggestQuery(Request):
    q: Annotated[str, Field(max_length=100)] = Field(
        "", description="Empty: the commonest values of `kind`."
    )
    kind: SuggestionKind | None = Field(None, description="Only these; all without it.")
    limit: Annotated[int, Field(ge=1, le=50)] = 10


@bp.get("/search")
@bp.input(TextQuery, location="query")
@bp.output(answer(SearchResults))
def search(query_data: TextQuery) -> Response:
    """Find assets and moments by words; filters may also be written into the text."""
    return _results(
        Query(
            query_data.q,
            query_data.filters,
            query_data.limit,
            like_picture=query_data.picture,
        )
    )


@bp.get("/search/reading")
@bp.input(ReadingQuery, location="query")
@bp.output(answer(Reading))
def get_reading(query_data: ReadingQuery) -> Reading:
    """Tell how a query is understood: phrases, words to avoid, filters, a date."""
    return read_query(query_data.q, today=date.today())


@bp.post("/search/image")
@bp.input(FilteredQuery, location="query")
@bp.input(ImageForm, location="files")
@bp.output(answer(SearchResults))
@bp.doc(responses={413: "The picture is too large."})
def search_by_image(query_data: FilteredQuery, files_data: ImageForm) -> Response:
    """Find what looks like a picture of one's own; it is not kept."""
    image = _decoded(files_data.image)
    return _results(Query("", query_data.filters, query_data.limit, like=image))


@bp.post("/search/pictures")
@bp.input(ImageForm, location="files")
@bp.output(answer(KeptPicture), status_code=201)
@bp.doc(responses={413: "The picture is too large."})
def keep_picture(files_data: ImageForm) -> KeptPicture:
    """Keep a small copy of a picture to search with, so that the search has an address."""
    return KeptPicture(services().search.pictures.keep(_decoded(files_data.image)))


@bp.get("/search/pictures/<picture_id>")
@bp.doc(responses=JPEG)
def get_kept_picture(picture_id: str) -> Response:
    """Serve the small copy of a picture that was searched with."""
    response = make_response(services().search.pictures.read(picture_id))
    response.mimetype = "image/jpeg"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@bp.get("/assets/<asset_id>/similar")
@bp.input(SimilarQuery, location="query")
@bp.output(answer(SearchResults))
def similar(asset_id: str, query_data: SimilarQuery) -> Response:
    """Find what looks like an asset or a frame of it, or sounds like it or a second of it."""
    return _results(
        Query(
            filters=query_data.filters,
            limit=query_data.limit,
            like_asset=asset_id,
            like_at_s=query_data.at_s,
            like_sound=query_data.by is Likeness.SOUND,
        )
    )


@bp.get("/suggest")
@bp.input(SuggestQuery, location="query")
@bp.output(answer(Suggestions))
def get_suggestions(query_data: SuggestQuery) -> Suggestions:
    """Complete a half-typed tag, place, camera or folder, commonest first."""
    with services().database.read() as session:
        found = suggest(session, query_data.q, limit=query_data.limit, kind=query_data.kind)
        return Suggestions(found)


def _decoded(upload: FileStorage) -> Pixels:
    """In the sandbox: what people send is as untrusted as what lies in their folders."""
    owner = services()
    owner.settings.run_path.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=owner.settings.run_path) as folder,
        owner.sandbox() as sandbox,
    ):
        path = Path(folder) / UPLOAD
        upload.save(path)
        return sandbox.photo(path).image


def _results(query: Query) -> Response:
    """Exactly what `dam search --json` prints."""
    return jsonify(results_as_json(services().search.search(query)))
