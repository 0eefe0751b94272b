"""Assets as people browse them: cards, newest first, page by page.

Reads only. `AssetCard` is what a grid shows of one asset; everything else that is known of it is
in `dam.asset_detail`.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from dam.errors import BadRequest
from dam.tables import Asset, File, FileState, Library, LibraryState, Run, RunState, Stack
from dam.trash import in_trash, not_in_trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class AssetCard:
    """What a grid needs to show one asset."""

    id: str
    kind: str  # photo, video or audio
    path: str  # of the file that is shown, relative to its library
    name: str
    library_id: str | None
    available: bool  # its file is present in a library that is online
    version: str  # changes with what the asset shows: `?v=` of media addresses
    width_px: int | None
    height_px: int | None
    duration_s: float | None
    captured_local: str | None  # the camera's clock, ISO 8601 without offset
    rating: int | None
    title: str | None
    thumbhash: str | None  # base64
    stack_id: str | None
    stack_size: int  # 1: alone
    pending: bool  # some indexer has yet to look at it


@dataclass(frozen=True, slots=True)
class AssetPage:
    assets: list[AssetCard]
    next_cursor: str | None  # None: this was the last page
    total: int | None  # of all pages; only on the first one


def list_assets(
    session: Session,
    where: Sequence[ColumnElement[bool]] = (),
    *,
    limit: int,
    cursor: str | None = None,
    trashed: bool = False,
) -> AssetPage:
    """Assets that have a file, newest capture first, those without a date last.

    Each stack is one entry, by its cover. Raises `BadRequest` for a foreign cursor.
    """
    chosen = select(Asset.id, Asset.captured_us).where(*listed(where, trashed=trashed))
    after = _read_cursor(cursor) if cursor else None
    rows = _page(session, chosen, after, limit + 1)
    following = _cursor_after(rows[limit - 1]) if len(rows) > limit else None
    total = None
    if cursor is None:
        total = session.scalar(select(func.count()).select_from(chosen.subquery()))
    return AssetPage(cards_of(session, [row.id for row in rows[:limit]]), following, total)


def cards_of(session: Session, asset_ids: Sequence[str]) -> list[AssetCard]:
    """Cards in the order of the ids; unknown ids are left out."""
    assets = {
        asset.id: asset for asset in session.scalars(select(Asset).where(Asset.id.in_(asset_ids)))
    }
    places = _places(session, asset_ids)
    sizes = _stack_sizes(session, assets.values())
    pending = _pending(session, asset_ids)
    return [
        _card(
            asset,
            places.get(asset.id),
            sizes.get((asset.stack_id, asset.trashed_us is not None), 1),
            pending=asset.id in pending,
        )
        for asset in (assets[id_] for id_ in asset_ids if id_ in assets)
    ]


def _pending(session: Session, asset_ids: Sequence[str]) -> set[str]:
    unfinished = (RunState.PENDING, RunState.LEASED)
    return set(
        session.scalars(
            select(Run.asset_id).where(Run.asset_id.in_(asset_ids), Run.state.in_(unfinished))
        )
    )


def _stack_sizes(session: Session, assets: Iterable[Asset]) -> dict[tuple[str | None, bool], int]:
    """Members of stacks, those in the trash (True) apart from those that are not."""
    stacks = {asset.stack_id for asset in assets if asset.stack_id}
    rows = session.execute(
        select(Asset.stack_id, in_trash(), func.count())
        .where(Asset.stack_id.in_(stacks))
        .group_by(Asset.stack_id, in_trash())
    )
    return {(stack_id, bool(trashed)): members for stack_id, trashed, members in rows}


def version_of(essence_hash: str) -> str:
    """Changes with what an asset shows."""
    return essence_hash[:16]


def listed(
    where: Sequence[ColumnElement[bool]], *, trashed: bool = False
) -> list[ColumnElement[bool]]:
    """Conditions on the assets of a list: those in the trash, or those that are not."""
    return [
        in_trash() if trashed else not_in_trash(),
        has_file(Asset.id),
        _stands_for_its_stack(trashed=trashed),
        *where,
    ]


def has_file(asset_id: Any) -> ColumnElement[bool]:
    """The asset lies somewhere, as far as the last scans know."""
    present = aliased(File)
    return (
        select(present.id)
        .where(present.asset_id == asset_id, present.state == FileState.PRESENT)
        .exists()
    )


def _stands_for_its_stack(*, trashed: bool) -> ColumnElement[bool]:
    """It is alone, the cover, or the cover is not in this list."""
    cover = aliased(Asset)
    cover_is_listed = cover.trashed_us.is_not(None) if trashed else cover.trashed_us.is_(None)
    hidden = (
        select(Stack.id)
        .join(cover, cover.id == Stack.cover_id)
        .where(Stack.id == Asset.stack_id, cover.id != Asset.id, cover_is_listed)
        .where(has_file(cover.id))
        .exists()
    )
    return or_(Asset.stack_id.is_(None), ~hidden)


def _page(
    session: Session,
    chosen: Select[str, int | None],
    after: tuple[int | None, str] | None,
    limit: int,
) -> list[Row[str, int | None]]:
    """Dated assets by the index on their date, then the undated ones."""
    dated = chosen.where(Asset.captured_us.is_not(None))
    undated = chosen.where(Asset.captured_us.is_(None))
    rows: list[Row[str, int | None]] = []
    if after is None or after[0] is not None:
        if after is not None:
            dated = dated.where(tuple_(Asset.captured_us, Asset.id) < tuple_(*after))
        dated = dated.order_by(Asset.captured_us.desc(), Asset.id.desc()).limit(limit)
        rows += session.execute(dated).all()
    elif after is not None:
        undated = undated.where(Asset.id < after[1])
    if len(rows) < limit:
        undated = undated.order_by(Asset.id.desc()).limit(limit - len(rows))
        rows += session.execute(undated).all()
    return rows


def _cursor_after(row: Row[str, int | None]) -> str:
    return write_cursor([row.captured_us, row.id])


def _read_cursor(cursor: str) -> tuple[int | None, str]:
    match read_cursor(cursor):
        case [int() | None as captured_us, str() as asset_id]:
            return captured_us, asset_id
        case _:
            raise BadRequest("The cursor does not come from this list.")


def write_cursor(position: list[Any]) -> str:
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Any:
    """The position that `write_cursor` was given. Raises `BadRequest` when it is none."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadRequest("The cursor does not come from this list.") from error
    if not isinstance(position, list) or not all(map(_can_be_asked_for, position)):
        raise BadRequest("The cursor does not come from this list.")
    return position


def _can_be_asked_for(part: Any) -> bool:
    """Whether SQLite takes it: text, or a whole number of 64 bits."""
    match part:
        case bool():
            return False
        case int():
            return -(2**63) <= part < 2**63
        case str():
            return part.encode("utf-8", "replace").decode() == part
    return part is None


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    library_id: str
    available: bool


def _places(session: Session, asset_ids: Iterable[str]) -> dict[str, _Place]:
    """The file that stands for each asset: one that can be opened, else one that is known."""
    reachable = and_(File.state == FileState.PRESENT, Library.state != LibraryState.OFFLINE)
    rows = session.execute(
        select(File.asset_id, File.display, File.library_id, reachable)
        .join(Library)
        .where(File.asset_id.in_(asset_ids))
        .order_by(reachable, File.trashed_us.is_(None), File.id.desc())
    )
    return {
        asset_id: _Place(display, library_id, bool(available))
        for asset_id, display, library_id, available in rows
        if asset_id is not None
    }


def _card(asset: Asset, place: _Place | None, stack_size: int, *, pending: bool) -> AssetCard:
    path = place.path if place else ""
    return AssetCard(
        id=asset.id,
        kind=asset.kind,
        path=path,
        name=path.rpartition("/")[2],
        library_id=place.library_id if place else None,
        available=place is not None and place.available,
        version=version_of(asset.essence_hash),
        width_px=asset.width_px,
        height_px=asset.height_px,
        duration_s=None if asset.duration_us is None else asset.duration_us / US_PER_S,
        captured_local=asset.captured_local,
        rating=asset.rating,
        title=asset.title,
        thumbhash=base64.b64encode(asset.thumbhash).decode() if asset.thumbhash else None,
        stack_id=asset.stack_id,
        stack_size=stack_size,
        pending=pending,
    )
