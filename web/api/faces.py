"""Faces: of an asset, as small pictures, rejected or drawn by a person."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from PIL import Image
from pydantic import Field

from dam.asset_detail import find_asset
from dam.errors import NotFound, WeightsUnavailable
from dam.findings import Box
from dam.media.previews import PREVIEW, preview_folder
from dam.models import ModelStore
from dam.people import decisions
from dam.people.faces import face_id, find_face
from dam.people.reading import FaceView, face_view, faces_of_asset
from dam.people.state import FaceState, face_state
from dam.tables import FaceDecision, FaceRow
from web.api.people import FaceIds, Id, Name, name_taken
from web.services import services
from web.shapes import Request, answer

bp = APIBlueprint("faces", __name__, tag="People")
bp.register_error_handler(decisions.NameTaken, name_taken)
CROP_PX = 160
MARGIN = 1.5  # as of the faces that are found
Part = Annotated[float, Field(ge=-1, le=2)]


@dataclass(frozen=True, slots=True)
class AssetFaces:
    faces: list[FaceView]
    state: FaceState
    reason: str | None  # why they were not looked for


@dataclass(frozen=True, slots=True)
class FacesChanged:
    changed: int
    undo: str  # what `POST /people/undo` wants


@dataclass(frozen=True, slots=True)
class FaceDrawn:
    face: FaceView
    undo: str  # what `POST /people/undo` wants


class RejectBody(Request):
    face_ids: FaceIds
    person_id: Id | None = Field(None, description="Who they are not; null: they are no faces.")


class BoxBody(Request):
    left: Part
    top: Part
    width: Part
    height: Part


class DrawBody(Request):
    box: BoxBody
    at_s: Annotated[float, Field(ge=0, le=1e7)] | None = Field(
        None, description="Of a video: when."
    )
    person_id: Id | None = None
    name: Name | None = Field(None, description="Of somebody who is known, or not yet.")


JPEG: dict[int, Any] = {
    200: {
        "description": "The face with a margin.",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    },
    404: "The face is not there any more, or was drawn on a video.",
}


@bp.get("/faces/<wanted>/crop")
@bp.doc(responses=JPEG)
def get_crop(wanted: str) -> Response:
    """Serve a small picture of a face. Browsers do not keep it."""
    with services().database.read() as session:
        row = find_face(session, wanted)
        jpeg = row.crop if isinstance(row, FaceRow) else None
    if jpeg is None and isinstance(row, FaceDecision):
        jpeg = _cut(row)
    response = Response(jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "no-store"  # what is deleted may lie nowhere
    return response


@bp.post("/faces/reject")
@bp.input(RejectBody)
@bp.output(answer(FacesChanged))
@bp.doc(responses={404: "There is no such person, or a face is not there any more."})
def reject(json_data: RejectBody) -> FacesChanged:
    """Say that faces are not somebody's, or are no faces."""
    database = services().database
    changed = decisions.reject(database, json_data.face_ids, json_data.person_id)
    return FacesChanged(changed.changed, changed.undo)


@bp.get("/assets/<asset_id>/faces")
@bp.output(answer(AssetFaces))
def list_faces(asset_id: str) -> AssetFaces:
    """List the faces of an asset, and whether they have been looked for."""
    owner = services()
    with owner.database.read() as session:
        asset = find_asset(session, asset_id)
        faces = faces_of_asset(session, asset_id)
        state, reason = face_state(session, asset)
    if state is FaceState.PENDING:
        try:
            ModelStore(owner.settings).find(owner.settings.faces_model, indexer="faces")
        except WeightsUnavailable as error:
            state, reason = FaceState.WAITING, str(error)
    return AssetFaces(faces, state, reason)


@bp.post("/assets/<asset_id>/faces")
@bp.input(DrawBody)
@bp.output(answer(FaceDrawn), status_code=201)
@bp.doc(responses={400: "The box does not lie in the picture."})
def draw(asset_id: str, json_data: DrawBody) -> FaceDrawn:
    """Draw a face that was missed, and say whose it is."""
    box = json_data.box
    database = services().database
    changed = decisions.draw(
        database,
        asset_id,
        Box(box.left, box.top, box.width, box.height),
        at_us=None if json_data.at_s is None else round(json_data.at_s * 1e6),
        person_id=json_data.person_id,
        name=json_data.name,
    )
    with database.read() as session:
        row = session.get_one(FaceDecision, changed.drawn)
        return FaceDrawn(face_view(session, row), changed.undo)


def _cut(row: FaceDecision) -> bytes:
    """Out of the preview of a photo."""
    owner = services()
    with owner.database.read() as session:
        asset = find_asset(session, row.asset_id)
    path = preview_folder(owner.settings.previews_path, asset.essence_hash) / PREVIEW
    if row.at_us is not None or not path.is_file():
        raise NotFound(f"There is no picture of the face {face_id(row)}.")
    with owner.sandbox() as sandbox:
        picture = Image.fromarray(sandbox.preview(path))
    half = MARGIN / 2 * max(row.width * picture.width, row.height * picture.height)
    x = (row.left + row.width / 2) * picture.width
    y = (row.top + row.height / 2) * picture.height
    edges = (max(0, x - half), max(0, y - half),
             min(picture.width, x + half), min(picture.height, y + half))  # fmt: skip
    cut = picture.crop(tuple(round(edge) for edge in edges))  # type: ignore[arg-type]
    cut.thumbnail((CROP_PX, CROP_PX))
    kept = io.BytesIO()
    cut.save(kept, "JPEG", quality=85)
    return kept.getvalue()
