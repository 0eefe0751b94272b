"""Assets: browse them, see everything about one, say what its tags should be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Self

from apiflask import APIBlueprint
from flask import Response, jsonify, request
from pydantic import Field, model_validator

from dam.asset_detail import AssetDetail, describe_asset
from dam.assets import AssetPage, cards_of, list_assets
from dam.changes import AssetChange, Changed, change_asset, change_many, undo_change
from dam.edits import EditField
from dam.errors import BadRequest
from dam.layout import AssetLayout, read_layout
from dam.search.filters import conditions
from dam.tables import Verdict
from web.files import REVALIDATE
from web.filters import FilterQuery
from web.services import services
from web.shapes import Cursor, Limit, Request, answer

bp = APIBlueprint("assets", __name__, url_prefix="/assets", tag="Assets")
MOST_IDS = 100
MOST_CHANGED = 100_000  # at once; their ids are larger than any other body
AssetId = Annotated[str, Field(max_length=40)]
MOST_TYPED = 20_000  # characters, of which `dam.edits` takes fewer and says how many
Written = Annotated[str, Field(max_length=MOST_TYPED)]
Trashed = Annotated[bool, Field(description="What is in the trash, and nothing else.")]


class AssetsQuery(FilterQuery):
    trashed: Trashed = False
    limit: Limit = 100
    cursor: Cursor | None = Field(None, description="`next_cursor` of the page before.")
    ids: Annotated[str, Field(max_length=MOST_IDS * 40)] | None = Field(
        None, description="Just these, in this order, commas between them; nothing else counts."
    )


@dataclass(frozen=True, slots=True)
class Undone:
    changed: int  # assets that are different now


class LayoutQuery(FilterQuery):
    trashed: Trashed = False


class TagDecisionBody(Request):
    word: Annotated[str, Field(min_length=1, max_length=200)]
    verdict: Verdict | None = Field(description="null takes an earlier decision back.")


class AssetChanges(Request):
    """What is absent stays. A null title, caption or rating takes the edit of it back."""

    tags: Annotated[list[TagDecisionBody], Field(min_length=1, max_length=500)] | None = None
    title: Written | None = Field(None, description="Empty: none, whatever the file says.")
    caption: Written | None = Field(None, description="Empty: none, whatever the file says.")
    rating: Annotated[int, Field(ge=-1, le=5, strict=True)] | None = Field(
        None, description="Stars; 0: none, -1: rejected."
    )
    trashed: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set & {*EditField} and not self.tags and self.trashed is None:
            raise ValueError("say what to change: tags, title, caption, rating or trashed")
        return self

    @property
    def change(self) -> AssetChange:
        return AssetChange(
            fields={
                field: getattr(self, field) for field in EditField if field in self.model_fields_set
            },
            verdicts={tag.word: tag.verdict for tag in self.tags or ()},
            trashed=self.trashed,
        )


class BulkChanges(AssetChanges):
    asset_ids: Annotated[list[AssetId], Field(min_length=1, max_length=MOST_CHANGED)]


class UndoBody(Request):
    undo: Annotated[str, Field(max_length=100)] = Field(description="As the change answered it.")


@bp.get("")
@bp.input(AssetsQuery, location="query")
@bp.output(answer(AssetPage))
def list_page(query_data: AssetsQuery) -> AssetPage:
    """List assets, newest capture first; a stack is one entry."""
    with services().database.read() as session:
        if query_data.ids is not None:
            wanted = query_data.ids.split(",")
            if len(wanted) > MOST_IDS:
                raise BadRequest(f"At most {MOST_IDS} ids are answered at once, not {len(wanted)}.")
            cards = cards_of(session, wanted)
            return AssetPage(cards, None, len(cards))
        return list_assets(
            session,
            conditions(query_data.filters),
            limit=query_data.limit,
            cursor=query_data.cursor,
            trashed=query_data.trashed,
        )


@bp.get("/layout")
@bp.input(LayoutQuery, location="query")
@bp.output(answer(AssetLayout))
@bp.doc(responses={304: "Nothing changed since the version in If-None-Match."})
def get_layout(query_data: LayoutQuery) -> Response:
    """Tell of every asset of a list how wide it is and when it was taken, to lay out a grid."""
    with services().database.read() as session:
        layout = read_layout(session, conditions(query_data.filters), trashed=query_data.trashed)
    response = jsonify(asdict(layout))
    response.set_etag(layout.version)
    response.headers["Cache-Control"] = REVALIDATE
    response.make_conditional(request)
    return response


@bp.get("/<asset_id>")
@bp.output(answer(AssetDetail))
def get(asset_id: str) -> AssetDetail:
    """Tell everything about one asset: metadata, files, tags, shots, runs, stack."""
    with services().database.read() as session:
        return describe_asset(session, asset_id)


@bp.patch("/<asset_id>")
@bp.input(AssetChanges)
@bp.output(answer(AssetDetail))
def change(asset_id: str, json_data: AssetChanges) -> AssetDetail:
    """Change tags, title, caption, rating or trash. Outlives reading the file again."""
    database = services().database
    with database.write() as session:
        change_asset(session, asset_id, json_data.change)
    with database.read() as session:
        return describe_asset(session, asset_id)


@bp.post("/bulk")
@bp.input(BulkChanges)
@bp.output(answer(Changed))
@bp.doc(responses={413: "The list of ids is too long."})
def change_selected(json_data: BulkChanges) -> Changed:
    """Change many assets in the same way; ids that are gone are passed over."""
    return change_many(services().database, json_data.asset_ids, json_data.change)


@bp.post("/bulk/undo")
@bp.input(UndoBody)
@bp.output(answer(Undone))
@bp.doc(responses={404: "It cannot be undone any more."})
def undo(json_data: UndoBody) -> Undone:
    """Put back exactly what each asset had before a change of many; within a day, and once."""
    return Undone(undo_change(services().database, json_data.undo))
