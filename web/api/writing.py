"""What can be read in a picture: the boxes of a viewer."""

from __future__ import annotations

from apiflask import APIBlueprint

from dam.writing import Writing, read_writing
from web.services import services
from web.shapes import answer

bp = APIBlueprint("writing", __name__, url_prefix="/assets/<asset_id>", tag="Media")


@bp.get("/text")
@bp.output(answer(Writing))
def get_writing(asset_id: str) -> Writing:
    """Tell what can be read in a photo or a video, line by line, where it is and when."""
    with services().database.read() as session:
        return read_writing(session, asset_id)
