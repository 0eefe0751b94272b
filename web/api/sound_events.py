"""What is heard in an asset: the lanes of a player."""

from __future__ import annotations

from apiflask import APIBlueprint

from dam.sound_events import HeardEvents, read_sound_events
from web.services import services
from web.shapes import answer

bp = APIBlueprint("sound_events", __name__, url_prefix="/assets/<asset_id>", tag="Media")


@bp.get("/sounds")
@bp.output(answer(HeardEvents))
def get_sound_events(asset_id: str) -> HeardEvents:
    """Tell what is heard in an asset, by its name in AudioSet, with beginning and end."""
    with services().database.read() as session:
        return read_sound_events(session, asset_id)
