"""Places: where assets were taken."""

from __future__ import annotations

from apiflask import APIBlueprint

from dam.places import PlaceList, list_places
from web.services import services
from web.shapes import answer

bp = APIBlueprint("places", __name__, url_prefix="/places", tag="Places")


@bp.get("")
@bp.output(answer(PlaceList))
def list_all() -> PlaceList:
    """List the countries and places where assets were taken, most assets first."""
    with services().database.read() as session:
        return list_places(session)
