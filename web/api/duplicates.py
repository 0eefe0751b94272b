"""Copies and near-copies: groups to review, and what is decided about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from apiflask import APIBlueprint
from flask import current_app
from pydantic import Field

from dam.assets import AssetCard, cards_of, read_cursor, write_cursor
from dam.changes import Changed
from dam.duplicates.copies import (
    FileCopy,
    copies_of,
    restore_files,
    trash_files,
    trashed_copies,
)
from dam.duplicates.decisions import decide, trash_copies, undo
from dam.duplicates.facts import CopyFacts, facts_of
from dam.duplicates.groups import Copy, Duplicates, Group, GroupKind
from dam.errors import BadRequest
from dam.tables import PairVerdict
from web.services import services
from web.shapes import Page, Request, answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

bp = APIBlueprint("duplicates", __name__, url_prefix="/duplicates", tag="Duplicates")
EXTENSION = "dam.duplicates"
AssetId = Annotated[str, Field(max_length=40)]
AssetIds = Annotated[list[AssetId], Field(min_length=1, max_length=200)]
FileIds = Annotated[
    list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=1_000)
]
NO_ASSET = {404: "There is no such asset."}
NO_FILE = {404: "There is no such file, or it is missing."}


class Said(StrEnum):
    KEEP = "keep"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    id: str  # the same as long as the same assets are in it
    kind: str  # exact, photo, burst, video or audio
    distance: float  # in [0, 1]; 0: the same bytes
    reason: str | None  # why the first: resolution, length, metadata, size or age; exact: null
    assets: list[Copy]  # first the one that is proposed to be kept; of an exact copy each file
    cards: list[AssetCard]  # of those assets, each once
    facts: list[CopyFacts]  # of the same, in the same order
    files: list[FileCopy]  # of exact copies: each file, first the one that is proposed to be kept


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    groups: list[DuplicateGroup]
    next_cursor: str | None
    total: int  # of the kind that was asked for
    counts: dict[str, int]  # of every kind


@dataclass(frozen=True, slots=True)
class PairsDecided:
    asset_ids: list[str]
    undo: str  # what `POST /duplicates/undo` wants


@dataclass(frozen=True, slots=True)
class CopiesUndone:
    changed: int


@dataclass(frozen=True, slots=True)
class TrashedCopies:
    files: list[FileCopy]  # the newest first


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
        True,
        description="Give the kept one the rating, label, title, caption and tags that it lacks, "
        "and what was said of faces where the picture was not cut or turned.",
    )


class CopyFilesBody(Request):
    file_ids: FileIds


class CopiesUndoBody(Request):
    undo: Annotated[str, Field(max_length=100)] = Field(description="As the change answered it.")


@bp.get("")
@bp.input(DuplicatesQuery, location="query")
@bp.output(answer(DuplicatePage))
def list_duplicates(query_data: DuplicatesQuery) -> DuplicatePage:
    """List groups of copies: exact ones first, then by kind and path."""
    kind, everything = query_data.kind, _duplicates().groups()
    counts = Counter(str(group.kind) for group in everything)
    groups = [each for each in everything if kind is None or each.kind is kind]
    total = len(groups)
    if query_data.cursor:
        after = _position(query_data.cursor)
        groups = [group for group in groups if group.position > after]
    shown, limit = groups[: query_data.limit], query_data.limit
    following = write_cursor(list(shown[-1].position)) if len(groups) > limit else None
    every = {str(each): counts[each] for each in GroupKind}
    return DuplicatePage(_views(shown), following, total, every)


@bp.post("/decide")
@bp.input(PairDecisionBody)
@bp.output(answer(PairsDecided))
@bp.doc(responses=NO_ASSET)
def decide_pairs(json_data: PairDecisionBody) -> PairsDecided:
    """Keep all, tell apart, or take that back; the group is not shown again for these assets."""
    verdict = None if json_data.verdict is None else PairVerdict(json_data.verdict)
    with services().database.write() as session:
        done = decide(session, json_data.asset_ids, verdict)
    return PairsDecided(json_data.asset_ids, done.undo)


@bp.post("/stack")
@bp.input(CopyStackBody)
@bp.output(answer(PairsDecided))
@bp.doc(responses=NO_ASSET)
def stack_copies(json_data: CopyStackBody) -> PairsDecided:
    """Show copies as one."""
    stacked, cover_id = PairVerdict.STACKED, json_data.cover_id
    with services().database.write() as session:
        done = decide(session, json_data.asset_ids, stacked, cover_id=cover_id)
    return PairsDecided(json_data.asset_ids, done.undo)


@bp.post("/trash")
@bp.input(TrashCopiesBody)
@bp.output(answer(Changed))
@bp.doc(responses=NO_ASSET)
def trash(json_data: TrashCopiesBody) -> Changed:
    """Keep one and move its copies to the trash."""
    return trash_copies(
        services().database, json_data.keep_id, json_data.asset_ids, merge=json_data.merge
    )


@bp.post("/undo")
@bp.input(CopiesUndoBody)
@bp.output(answer(CopiesUndone))
@bp.doc(responses={404: "It cannot be undone any more."})
def undo_copies(json_data: CopiesUndoBody) -> CopiesUndone:
    """Take back any change that an address below `/duplicates` answered."""
    return CopiesUndone(undo(services().database, json_data.undo))


@bp.get("/files/trash")
@bp.output(answer(TrashedCopies))
def list_trashed_files() -> TrashedCopies:
    """List the files that were put away while their assets lie elsewhere too."""
    with services().database.read() as session:
        return TrashedCopies(trashed_copies(session))


@bp.post("/files/trash")
@bp.input(CopyFilesBody)
@bp.output(answer(Changed))
@bp.doc(responses=NO_FILE)
def put_files_away(json_data: CopyFilesBody) -> Changed:
    """Put exact copies away; one file of each asset stays. Nothing is removed from disk."""
    return trash_files(services().database, json_data.file_ids)


@bp.post("/files/restore")
@bp.input(CopyFilesBody)
@bp.output(answer(Changed))
@bp.doc(responses=NO_FILE)
def take_files_back(json_data: CopyFilesBody) -> Changed:
    """Take files that were put away back into use."""
    return restore_files(services().database, json_data.file_ids)


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


def _views(groups: Sequence[Group]) -> list[DuplicateGroup]:
    ids = sorted({copy.asset_id for group in groups for copy in group.assets})
    exact = [group.assets[0].asset_id for group in groups if group.kind is GroupKind.EXACT]
    with services().database.read() as session:
        cards = {card.id: card for card in cards_of(session, ids)}
        facts, files = facts_of(session, ids), copies_of(session, exact)
    return [_view(group, cards, facts, files) for group in groups]


def _view(
    group: Group,
    cards: Mapping[str, AssetCard],
    facts: Mapping[str, CopyFacts],
    files: Mapping[str, list[FileCopy]],
) -> DuplicateGroup:
    members = [each for each in dict.fromkeys(copy.asset_id for copy in group.assets)]
    there = [asset_id for asset_id in members if asset_id in cards and asset_id in facts]
    return DuplicateGroup(
        id=group.id,
        kind=group.kind,
        distance=group.distance,
        reason=group.reason,
        assets=group.assets,
        cards=[cards[asset_id] for asset_id in there],
        facts=[facts[asset_id] for asset_id in there],
        files=files.get(members[0], []) if group.kind is GroupKind.EXACT else [],
    )
