"""The bytes: originals with ranges, and what was made of them to look at."""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from dam.asset_detail import find_asset, preview_state
from dam.contracts import Kind
from dam.errors import NotFound, Permanent
from dam.full_size import is_shown_by_browsers
from dam.media.previews import (
    POSTER,
    PREVIEW,
    SPRITE,
    SPRITE_TIMES,
    THUMB,
    WAVEFORM,
    preview_folder,
)
from dam.originals import open_original
from web.files import answer_file, disposition
from web.media_types import media_type
from web.problems import problem
from web.services import services
from web.shapes import Request
from web.vtt import thumbnail_track

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

bp = APIBlueprint("media", __name__, url_prefix="/assets/<asset_id>", tag="Media")

# What each endpoint serves, by the kind of the asset.
THUMBNAILS = dict.fromkeys(Kind, THUMB)
PREVIEWS = {Kind.PHOTO: PREVIEW, Kind.VIDEO: POSTER}
POSTERS = {Kind.VIDEO: POSTER}
SPRITES = {Kind.VIDEO: SPRITE}
SPRITE_JSON = {Kind.VIDEO: SPRITE_TIMES}
WAVEFORMS = {Kind.AUDIO: WAVEFORM}


PATIENCE_S = 2.0  # who leafs through photos leaves the one before just now


class Versioned(Request):
    v: str | None = Field(
        None, max_length=64, description="The asset's `version`: the answer may be kept for ever."
    )


class OriginalQuery(Versioned):
    download: bool = Field(False, description="Suggest to save it under its own name.")


def documented(mimetype: str, *, ranges: bool = False) -> Callable[[Any], Any]:
    """Describes a binary answer in the OpenAPI document."""
    body = {"content": {mimetype: {"schema": {"type": "string", "format": "binary"}}}}
    responses: dict[int, Any] = {200: {"description": "The file.", **body}, 304: "Not modified"}
    if ranges:
        responses[206] = {"description": "The part that was asked for.", **body}
        responses[416] = "The range starts behind the end of the file."
    return bp.doc(responses=responses)


@bp.get("/file")
@bp.input(OriginalQuery, location="query")
@documented("application/octet-stream", ranges=True)
def get_file(asset_id: str, query_data: OriginalQuery) -> Response:
    """Serve the original, whole or by byte ranges."""
    owner = services()
    owner.originals.take()
    try:
        with owner.database.read() as session:
            original = open_original(session, asset_id)
    except BaseException:  # also a busy database: a lost slot would be lost until a restart
        owner.originals.give_back()
        raise
    response = answer_file(
        original.stream,
        size_bytes=original.size_bytes,
        mimetype=media_type(original.format, original.name, original.kind),
        etag=original.etag,
        on_close=owner.originals.give_back,
    )
    response.headers["Content-Disposition"] = disposition(
        original.name, download=query_data.download
    )
    return response


@bp.get("/full")
@bp.input(Versioned, location="query")
@documented("image/jpeg", ranges=True)
def get_full(asset_id: str, query_data: Versioned) -> Response:
    """Serve a whole photo as browsers show it: the original, or a JPEG made of it."""
    owner = services()
    owner.originals.take(patience_s=PATIENCE_S)
    try:
        return _full(asset_id, query_data)
    except Permanent as error:
        owner.originals.give_back()
        return _failed(str(error))
    except BaseException:
        owner.originals.give_back()
        raise


@bp.get("/thumbnail")
@bp.input(Versioned, location="query")
@documented("image/webp")
def get_thumbnail(asset_id: str, query_data: Versioned) -> Response:
    """Serve a small picture of any asset, long side at most 250 px."""
    return _serve(asset_id, THUMBNAILS, "image/webp", query_data)


@bp.get("/preview")
@bp.input(Versioned, location="query")
@documented("image/jpeg")
def get_preview(asset_id: str, query_data: Versioned) -> Response:
    """Serve a picture that fills a screen: of a photo, or of a video its poster."""
    return _serve(asset_id, PREVIEWS, "image/jpeg", query_data)


@bp.get("/poster")
@bp.input(Versioned, location="query")
@documented("image/jpeg")
def get_poster(asset_id: str, query_data: Versioned) -> Response:
    """Serve the frame that stands for a video."""
    return _serve(asset_id, POSTERS, "image/jpeg", query_data)


@bp.get("/sprite")
@bp.input(Versioned, location="query")
@documented("image/webp")
def get_sprite(asset_id: str, query_data: Versioned) -> Response:
    """Serve the sheet of small frames for scrubbing through a video."""
    return _serve(asset_id, SPRITES, "image/webp", query_data)


@bp.get("/sprite.json")
@bp.input(Versioned, location="query")
@documented("application/json")
def get_sprite_times(asset_id: str, query_data: Versioned) -> Response:
    """Say which tile of the sheet shows which time."""
    return _serve(asset_id, SPRITE_JSON, "application/json", query_data)


@bp.get("/thumbnails.vtt")
@bp.input(Versioned, location="query")
@documented("text/vtt")
def get_thumbnail_track(asset_id: str, query_data: Versioned) -> Response:
    """Describe the sheet as a WebVTT track of thumbnails, for players that take one."""
    with services().database.read() as session:
        asset = find_asset(session, asset_id)
    times = _serve(asset_id, SPRITE_JSON, "text/vtt", query_data)
    if times.status_code == 200:
        sprite = json.loads(times.get_data())
        times.set_data(thumbnail_track(sprite, asset.duration_us, version=asset.essence_hash[:16]))
    return times


@bp.get("/waveform")
@bp.input(Versioned, location="query")
@documented("application/json")
def get_waveform(asset_id: str, query_data: Versioned) -> Response:
    """Serve the peaks of a recording."""
    return _serve(asset_id, WAVEFORMS, "application/json", query_data)


def _full(asset_id: str, query: Versioned) -> Response:
    """Gives the slot back with the answer; raises before that."""
    owner = services()
    with owner.database.read() as session:
        asset = find_asset(session, asset_id)
        if asset.kind != Kind.PHOTO:
            raise NotFound(f"A {asset.kind} has none; only these do: {Kind.PHOTO}.")
        original = open_original(session, asset_id)
    stream, name = original.stream, original.name
    mimetype = media_type(original.format, name, original.kind)
    if not is_shown_by_browsers(asset):
        with original.stream:
            stream = owner.full_pictures.open(original, asset_id)
        name, mimetype = f"{PurePath(name).stem}.jpg", "image/jpeg"
    response = answer_file(
        stream,
        size_bytes=os.fstat(stream.fileno()).st_size,
        mimetype=mimetype,
        etag=original.etag,
        immutable=query.v == asset.essence_hash[:16] and original.etag == asset.content_hash,
        on_close=owner.originals.give_back,
    )
    response.headers["Content-Disposition"] = disposition(name, download=False)
    return response


def _serve(asset_id: str, names: dict[Kind, str], mimetype: str, query: Versioned) -> Response:
    """A file from the asset's preview folder, or a problem that says why there is none."""
    owner = services()
    with owner.database.read() as session:
        asset = find_asset(session, asset_id)
    if asset.kind not in names:
        raise NotFound(f"A {asset.kind} has none; only these do: {', '.join(names)}.")
    folder = preview_folder(owner.settings.previews_path, asset.essence_hash)
    try:
        stream = (folder / names[Kind(asset.kind)]).open("rb")
    except FileNotFoundError:
        return _why_absent(asset_id)
    facts = os.fstat(stream.fileno())
    return answer_file(
        stream,
        size_bytes=facts.st_size,
        mimetype=mimetype,
        etag=f"{asset.essence_hash}-{facts.st_mtime_ns:x}",
        immutable=query.v == asset.essence_hash[:16],
    )


def _why_absent(asset_id: str) -> Response:
    with services().database.read() as session:
        state = preview_state(session, find_asset(session, asset_id))
    if state.state == "failed":
        return _failed(state.reason or "no reason given")
    return problem(404, "It is not made yet.", reason="pending")


def _failed(reason: str) -> Response:
    return problem(404, f"It could not be made: {reason}", reason="failed")
