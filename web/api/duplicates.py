"""Copies and near-copies: groups to review, and what is decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from apiflask import APIBlueprint
from flask import current_app
from pydantic import Field

from dam.assets import AssetCard, cards_of, read_cursor, write_cursor
from dam.changes import Changed
from dam.duplicates.decisions import decide, trash_copies
from dam.duplicates.groups import Copy, Duplicates, Group, GroupKind
from dam.errors import BadRequest
from dam.tables import PairVerdict
from web.services import services
from web.shapes import Page, Request, answer

bp = APIBlueprint("duplicates", __name__, url_prefix="/duplicates", tag="Duplicates")
EXTENSION = "dam.duplicates"
AssetId = Annotated[str, Field(max_length=40)]
AssetIds = Annotated[list[AssetId], Field(min_length=1, max_length=200)]


class Said(StrEnum):
    KEEP = "keep"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    id: str  # the same as long as the same assets are in it
    kind: str  # exact, photo, burst, video or audio
    distance: float  # in [0, 1]; 0: the same bytes
    assets: list[Copy]  # first the one that is proposed to be kept; of an exact copy each file
    cards: list[AssetCard]  # of those assets, each once


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    groups: list[DuplicateGroup]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class PairsDecided:
    asset_ids: list[str]


class DuplicatesQuery(Page):
    kind: GroupKind | None = Field(None, description="Only groups of this kind.")


class PairDecisionBody(Request):
    asset_ids: AssetIds = Field(description="One: its files, which are exact copies.")
    verdict: Said | None = Field(
        description="keep: all of them, as they are. null forgets what was said, stacks included."
    )


class CopyStackBody(Request):
    asset_ids: AssetIds
    cover_id: AssetId = Field(description="The one that is shown for all.")


class TrashCopiesBody(Request):
    keep_id: AssetId
    asset_ids: AssetIds = Field(description="Those that go to the trash.")
    merge: bool = Field(
        True, description="Give the kept one the rating, title, caption and tags that it lacks."
    )


@bp.get("")
@bp.input(DuplicatesQuery, location="query")
@bp.output(answer(DuplicatePage))
def list_duplicates(query_data: DuplicatesQuery) -> DuplicatePage:
    """List groups of copies: exact ones first, then by kind and path."""
    kind = query_data.kind
    groups = [each for each in _duplicates().groups() if kind is None or each.kind is kind]
    total = len(groups)
    if query_data.cursor:
        after = _position(query_data.cursor)
        groups = [group for group in groups if group.position > after]
    shown, limit = groups[: query_data.limit], query_data.limit
    following = write_cursor(list(shown[-1].position)) if len(groups) > limit else None
    return DuplicatePage(_views(shown), following, total)


@bp.post("/decide")
@bp.input(PairDecisionBody)
@bp.output(answer(PairsDecided))
@bp.doc(responses={404: "There is no such asset."})
def decide_pairs(json_data: PairDecisionBody) -> PairsDecided:
    """Keep all, tell apart, or take that back; the group is not shown again for these assets."""
    verdict = None if json_data.verdict is None else PairVerdict(json_data.verdict)
    with services().database.write() as session:
        decide(session, json_data.asset_ids, verdict)
    return PairsDecided(json_data.asset_ids)


@bp.post("/stack")
@bp.input(CopyStackBody)
@bp.output(answer(PairsDecided))
@bp.doc(responses={404: "There is no such asset."})
def stack_copies(json_data: CopyStackBody) -> PairsDecided:
    """Show copies as one. Undone by `POST /duplicates/decide` with a null verdict."""
    with services().database.write() as session:
        decide(session, json_data.asset_ids, PairVerdict.STACKED, cover_id=json_data.cover_id)
    return PairsDecided(json_data.asset_ids)


@bp.post("/trash")
@bp.input(TrashCopiesBody)
@bp.output(answer(Changed))
@bp.doc(responses={404: "There is no such asset."})
def trash(json_data: TrashCopiesBody) -> Changed:
    """Keep one and move its copies to the trash. Undone by `POST /assets/bulk/undo`."""
    return trash_copies(
        services().database, json_data.keep_id, json_data.asset_ids, merge=json_data.merge
    )


def _duplicates() -> Duplicates:
    """One for the process: it remembers what it compared."""
    found = current_app.extensions.get(EXTENSION)
    if not isinstance(found, Duplicates):
        found = Duplicates(services().database)
        current_app.extensions[EXTENSION] = found
    return found


def _position(cursor: str) -> tuple[int, str, str]:
    match read_cursor(cursor):
        case [int() as kind, str() as path, str() as group_id]:
            return kind, path, group_id
        case _:
            raise BadRequest("The cursor does not come from this list.")


def _views(groups: list[Group]) -> list[DuplicateGroup]:
    ids = {copy.asset_id for group in groups for copy in group.assets}
    with services().database.read() as session:
        cards = {card.id: card for card in cards_of(session, sorted(ids))}
    return [
        DuplicateGroup(
            group.id,
            group.kind,
            group.distance,
            group.assets,
            [
                cards[asset_id]
                for asset_id in dict.fromkeys(copy.asset_id for copy in group.assets)
                if asset_id in cards
            ],
        )
        for group in groups
    ]
