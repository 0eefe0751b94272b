"""What the kept one gains from copies that go: only what it lacks, and never against a decision.

Titles, captions, ratings, labels and tags are written as a person's own, so the file stays as it
is. Faces are carried where the picture was not cut or turned, since they are places in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert, select

from dam.changes import AssetChange, Before, regroup_faces
from dam.contracts import Kind
from dam.edits import EditField
from dam.findings import FingerprintKind
from dam.tables import (
    Asset,
    FaceDecision,
    FingerprintRow,
    TagDecision,
    TagRow,
    TagSource,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

# Of the 64 bits of two pHashes. Of 24 photographs all that were scaled, compressed or brightened
# differ in 4 and less; 92 % of those that were cropped by 5 % or straightened, so that faces lie
# elsewhere, differ in more, and all that lost 5 % at each edge do.
SAME_FRAMING_BITS = 4
SAME_SHAPE = 0.01  # part by which width / height may differ: scaled copies are rounded
SAME_FACE = 0.5  # of the area of both boxes together


def lacking(session: Session, keeper_id: str, copy_ids: Sequence[str]) -> AssetChange:
    """Title, caption, rating and label where the keeper has none, and all tags somebody gave."""
    keeper = session.get_one(Asset, keeper_id)
    copies = list(session.scalars(select(Asset).where(Asset.id.in_(copy_ids)).order_by(Asset.id)))
    fields: dict[EditField, str | int | None] = {}
    for field in EditField:
        values = [getattr(copy, field) for copy in copies if getattr(copy, field)]
        if field is EditField.RATING:  # a copy that was rejected says nothing of the kept one
            values = sorted((stars for stars in values if stars > 0), reverse=True)
        if values and not getattr(keeper, field):
            fields[field] = values[0]
    decided = select(TagDecision.word).where(TagDecision.asset_id == keeper_id)
    has = _words(session, [keeper_id]) | set(session.scalars(decided))  # rejected stays rejected
    words = dict.fromkeys(sorted(_words(session, copy_ids) - has), Verdict.APPROVED)
    return AssetChange(fields, words)


def carry_faces(session: Session, keeper_id: str, copy_ids: Sequence[str], at_us: int) -> Before:
    """Gives the keeper what was said of faces where nothing was said of its own."""
    own = list(_faces(session, keeper_id))
    carried = [
        face
        for copy_id in copy_ids
        if _is_framed_alike(session, keeper_id, copy_id)
        for face in _faces(session, copy_id)
        if not any(_overlap(face, other) >= SAME_FACE for other in own)
    ]
    if not carried:
        return Before()
    rows = {
        (face.left, face.top, face.width, face.height, face.verdict, face.person_id)
        for face in carried
    }
    names = ("left", "top", "width", "height", "verdict", "person_id")
    fixed: dict[str, object] = {"asset_id": keeper_id, "at_us": None, "decided_us": at_us}
    session.execute(
        insert(FaceDecision),
        [fixed | dict(zip(names, row, strict=True)) for row in sorted(rows, key=str)],
    )
    regroup_faces(session)  # so that its faces are looked at again in their light
    return Before(faces=[(keeper_id, at_us)])


def _words(session: Session, asset_ids: Sequence[str]) -> set[str]:
    """Keywords of files and approved tags."""
    words = set(
        session.scalars(
            select(TagRow.word).where(
                TagRow.asset_id.in_(asset_ids), TagRow.source == TagSource.FILE
            )
        )
    )
    approved = select(TagDecision.word).where(
        TagDecision.asset_id.in_(asset_ids), TagDecision.verdict == Verdict.APPROVED
    )
    return words | set(session.scalars(approved))


def _faces(session: Session, asset_id: str) -> list[FaceDecision]:
    """Of photos: in films a face is at another time in a shortened copy."""
    photo = select(Asset.id).where(Asset.id == asset_id, Asset.kind == Kind.PHOTO)
    return list(
        session.scalars(
            select(FaceDecision)
            .where(FaceDecision.asset_id.in_(photo), FaceDecision.at_us.is_(None))
            .order_by(FaceDecision.id)
        )
    )


def _is_framed_alike(session: Session, one_id: str, other_id: str) -> bool:
    shapes, hashes = [], []
    for asset_id in (one_id, other_id):
        asset = session.get_one(Asset, asset_id)
        packed = session.scalar(
            select(FingerprintRow.bits).where(
                FingerprintRow.asset_id == asset_id, FingerprintRow.kind == FingerprintKind.PHASH
            )
        )
        if not asset.width_px or not asset.height_px or packed is None:
            return False
        shapes.append(asset.width_px / asset.height_px)
        hashes.append(np.frombuffer(packed[:8], ">u8")[0])  # of the whole picture
    bits = int(np.bitwise_count(hashes[0] ^ hashes[1]))
    return bits <= SAME_FRAMING_BITS and abs(shapes[0] / shapes[1] - 1) <= SAME_SHAPE


def _overlap(one: FaceDecision, other: FaceDecision) -> float:
    """In [0, 1]: what both boxes share, of what they cover together."""
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0.0, across) * max(0.0, down)
    covered = one.width * one.height + other.width * other.height - shared
    return shared / covered if covered else 0.0
