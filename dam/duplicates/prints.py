"""Reads from the database what is compared: the fingerprints of assets that people can see.

Photos' coarse pictures and vectors are read for candidates only: of 100,000 photos they would take
300 MB.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from dam.assets import has_file
from dam.contracts import Kind
from dam.duplicates.films import Film
from dam.duplicates.movement import Pictures
from dam.duplicates.photos import Photos
from dam.findings import FingerprintKind
from dam.media.views import BLENDED_PX, FRAME_PICTURE, FRAME_VIEWS, PHOTO_VIEWS
from dam.rows import unpack_vectors
from dam.tables import Asset, FingerprintRow, VectorRow
from dam.trash import not_in_trash
from dam.vectors import rows as vector_rows
from dam.vectors.spaces import serving_space

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

PARAMETERS = 10_000  # SQLite takes 32,766 in one statement
SAMPLE = 1_000  # vectors from which is learned how alike unrelated pictures are
FEWEST = 64  # of them; fewer may be copies of each other


def read_photos(session: Session) -> tuple[list[str], Photos]:
    found = session.execute(
        _prints(Kind.PHOTO, FingerprintKind.PHASH).add_columns(
            Asset.width_px, Asset.height_px, Asset.captured_us, Asset.camera
        )
    ).all()
    ids = [row.asset_id for row in found]
    packed = np.frombuffer(b"".join(row.bits for row in found), ">u8").astype(np.uint64)
    return ids, Photos(
        hashes=packed.reshape(len(found), len(PHOTO_VIEWS)),
        sizes=np.array([(row.width_px or 1, row.height_px or 1) for row in found], float).reshape(
            -1, 2
        ),
        taken_us=np.array(
            [-1 if row.captured_us is None else row.captured_us for row in found], np.int64
        ),
        cameras=[row.camera for row in found],
        greys=lambda rows: _greys(session, [ids[row] for row in rows]),
        unlike=_Unlike(session, ids),
    )


def read_films(
    session: Session,
) -> tuple[list[str], list[Film], Callable[[int], Pictures]]:
    """The last: reads the pictures of one of them, by its place among the films."""
    rows = session.execute(
        _prints(Kind.VIDEO, FingerprintKind.PHASH)
        .add_columns(FingerprintRow.start_us, FingerprintRow.end_us, Asset.duration_us)
        .order_by(FingerprintRow.start_us)
    )
    ids, films = [], []
    for asset_id, group in groupby(rows, key=lambda row: row.asset_id):
        looks = list(group)
        packed = np.frombuffer(b"".join(row.bits for row in looks), ">u8").astype(np.uint64)
        ends_us = [row.end_us for row in looks]
        ids.append(asset_id)
        films.append(
            Film(
                np.array([row.start_us for row in looks], np.int64),
                np.array(ends_us, np.int64),
                packed.reshape(len(looks), len(FRAME_VIEWS)),
                looks[0].duration_us or ends_us[-1],
            )
        )
    return ids, films, lambda film: _pictures(session, ids[film])


def _pictures(session: Session, asset_id: str) -> Pictures:
    """None of a film that was fingerprinted before there were any."""
    packed = session.scalar(
        select(FingerprintRow.bits)
        .where(FingerprintRow.asset_id == asset_id, FingerprintRow.kind == FingerprintKind.GREY)
        .limit(1)
    )
    records = np.frombuffer(packed or b"", FRAME_PICTURE)
    return Pictures(records["at_ms"].astype(np.int64) * 1_000, records["grey"])


def read_recordings(session: Session) -> tuple[list[str], list[NDArray[np.uint32]]]:
    found = session.execute(_prints(Kind.AUDIO, FingerprintKind.CHROMAPRINT)).all()
    words = [np.frombuffer(row.bits, "<u4").astype(np.uint32) for row in found]
    return [row.asset_id for row in found], words


def _prints(kind: Kind, made: FingerprintKind) -> Select[str, bytes]:
    """By asset. `store` keeps those of one run an asset."""
    return (
        select(FingerprintRow.asset_id, FingerprintRow.bits)
        .join(Asset, Asset.id == FingerprintRow.asset_id)
        .where(
            FingerprintRow.kind == made,
            Asset.kind == kind,
            not_in_trash(),
            has_file(Asset.id),
        )
        .order_by(FingerprintRow.asset_id)
    )


def _greys(session: Session, asset_ids: Sequence[str]) -> NDArray[np.uint8]:
    """(n, side, side), in the order of the ids; black where there is none."""
    found: dict[str, bytes] = {}
    for start in range(0, len(asset_ids), PARAMETERS):
        part = list(asset_ids[start : start + PARAMETERS])
        rows = session.execute(
            select(FingerprintRow.asset_id, FingerprintRow.bits).where(
                FingerprintRow.asset_id.in_(part), FingerprintRow.kind == FingerprintKind.GREY
            )
        )
        found.update({asset_id: bits for asset_id, bits in rows})
    black = bytes(BLENDED_PX * BLENDED_PX)
    packed = b"".join(found.get(asset_id, black) for asset_id in asset_ids)
    return np.frombuffer(packed, np.uint8).reshape(-1, BLENDED_PX, BLENDED_PX)


class _Unlike:
    """Says which pairs a picture model finds no more alike than any two pictures.

    What a cosine means differs from model to model, so it is compared with those of pairs taken at
    random from the same space. Whoever has no vector is unlike nobody.
    """

    def __init__(self, session: Session, ids: Sequence[str]) -> None:
        self._session = session
        self._ids = ids

    def __call__(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        space = serving_space(self._session, "visual")
        none = np.zeros(len(one), np.bool_)
        if space is None or not len(one):
            return none
        sample = vector_rows.sample(self._session, space.id, SAMPLE)
        if len(sample) < FEWEST:
            return none
        half = len(sample) // 2
        usual = float(np.median((sample[:half] * sample[half : 2 * half]).sum(1)))
        vectors = self._vectors(space.id, {self._ids[row] for row in [*one, *other]})
        for at, (first, second) in enumerate(zip(one, other, strict=True)):
            mine, theirs = vectors.get(self._ids[first]), vectors.get(self._ids[second])
            none[at] = mine is not None and theirs is not None and float(mine @ theirs) <= usual
        return none

    def _vectors(self, space_id: int, asset_ids: set[str]) -> dict[str, NDArray[np.float32]]:
        listed, found = sorted(asset_ids), defaultdict[str, list[bytes]](list)
        for start in range(0, len(listed), PARAMETERS):
            rows = self._session.execute(
                select(VectorRow.asset_id, VectorRow.values).where(
                    VectorRow.space_id == space_id,
                    VectorRow.asset_id.in_(listed[start : start + PARAMETERS]),
                )
            )
            for asset_id, values in rows:
                found[asset_id].append(values)
        return {asset_id: unpack_vectors(values)[0] for asset_id, values in found.items()}
