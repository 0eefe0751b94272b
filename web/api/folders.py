"""The folder picker: folders of this machine that may become libraries."""

from __future__ import annotations

from apiflask import APIBlueprint
from pydantic import Field

from dam.folders import FolderListing, list_choices
from web.services import services
from web.shapes import Request, answer

bp = APIBlueprint("folders", __name__, url_prefix="/folders", tag="Libraries")


class ChoicesQuery(Request):
    path: str | None = Field(
        None, min_length=1, max_length=4096, description="Absolute; without it, the roots."
    )


@bp.get("")
@bp.input(ChoicesQuery, location="query")
@bp.output(answer(FolderListing))
@bp.doc(responses={403: "It lies outside of DAM_FOLDER_ROOTS, or is hidden."})
def list_folder_choices(query_data: ChoicesQuery) -> FolderListing:
    """List the folders in a folder of this machine, to pick one for a library."""
    owner = services()
    return list_choices(owner.database, owner.settings, query_data.path)
