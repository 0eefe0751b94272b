"""Faces as rows: where each is, what people said of it, and who it belongs to.

What was said is kept by asset, time and place, and found again here for whatever row lies there
now. The only writer of who a face belongs to, and of people's names as searchable text. Works
inside the caller's session.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from dam.errors import NotFound
from dam.tables import (
    FaceDecision,
    FaceRow,
    FaceVerdict,
    Person,
    TextField,
    TextRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

SAME_PLACE = 0.4  # overlap of boxes; less: a neighbour's; more: another detector draws otherwise
NEAR_US = 1_000_000  # a sample of another pass through the same video
AT_ONCE = 500  # values in one statement
HERS = (FaceVerdict.IS, FaceVerdict.DRAWN)  # whose face it is
GONE = (FaceVerdict.NO_FACE, FaceVerdict.FORGOTTEN)  # never shown


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a picture, in parts of its size; `at_us` None: of a photo."""

    asset_id: str
    at_us: int | None
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, row: FaceRow | FaceDecision) -> Spot:
        return cls(row.asset_id, row.at_us, row.left, row.top, row.width, row.height)

    def overlap(self, other: Spot) -> float:
        """Intersection over union of the boxes."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.width * self.height + other.width * other.height - shared)


def face_id(row: FaceRow | FaceDecision) -> str:
    """Says which row and what lay there: a number alone may be another face's by now."""
    kind = "d" if isinstance(row, FaceDecision) else "f"
    known = f"{row.asset_id}|{row.at_us}|{row.left:.6f}|{row.top:.6f}"
    return f"{kind}{row.id:x}-{zlib.crc32(known.encode()):08x}"


def find_face(session: Session, wanted: str) -> FaceRow | FaceDecision:
    """Raises `NotFound` for a face that is not there any more."""
    try:
        number = int(wanted[1:].partition("-")[0], 16)
    except ValueError:
        number = -1
    number = number if 0 <= number < 2**62 else -1
    row: FaceRow | FaceDecision | None
    if wanted.startswith("d"):
        row = session.get(FaceDecision, number)
    else:
        row = session.get(FaceRow, number)
    if row is None or face_id(row) != wanted:
        raise NotFound(f"There is no face {wanted} any more; load the list again.")
    return row


def said_of(
    rows: Sequence[FaceRow], decisions: Iterable[FaceDecision]
) -> dict[int, list[FaceDecision]]:
    """What was said of each row, by its id. Every decision is about one face at most."""
    by_asset: dict[str, list[FaceRow]] = defaultdict(list)
    for row in rows:
        by_asset[row.asset_id].append(row)
    found: dict[int, list[FaceDecision]] = defaultdict(list)
    for decision in decisions:
        meant = _meant(by_asset.get(decision.asset_id, ()), decision)
        if meant is not None:
            found[meant.id].append(decision)
    return found


def _meant(rows: Sequence[FaceRow], decision: FaceDecision) -> FaceRow | None:
    then = [row for row in rows if _at_the_same_time(row, decision.at_us)]
    spot = Spot.of(decision)
    best = max(then, key=lambda row: (spot.overlap(Spot.of(row)), -row.id), default=None)
    if best is None or spot.overlap(Spot.of(best)) >= SAME_PLACE:
        return best
    # Somebody who walks is drawn elsewhere in the same shot; alone there, it is the same one.
    is_followed = decision.at_us is not None and len(then) == 1
    return best if is_followed and decision.verdict != FaceVerdict.DRAWN else None


def _at_the_same_time(row: FaceRow, at_us: int | None) -> bool:
    if at_us is None or row.at_us is None:
        return at_us is None and row.at_us is None
    if row.start_us is not None and row.end_us is not None and row.start_us <= at_us < row.end_us:
        return True
    return abs(row.at_us - at_us) <= NEAR_US


def decisions_on(session: Session, asset_ids: Iterable[str]) -> list[FaceDecision]:
    return list(
        session.scalars(
            select(FaceDecision)
            .where(FaceDecision.asset_id.in_(set(asset_ids)))
            .order_by(FaceDecision.id)
        )
    )


def drawn(
    decisions: Iterable[FaceDecision], said: Mapping[int, Sequence[FaceDecision]]
) -> list[FaceDecision]:
    """Faces that people drew and no run has found since."""
    found = {decision.id for some in said.values() for decision in some}
    return [d for d in decisions if d.verdict == FaceVerdict.DRAWN and d.id not in found]


def place(session: Session, people: Mapping[int, str | None]) -> None:
    """Says of rows, by id, who they belong to."""
    if people:
        session.connection().execute(
            update(FaceRow)
            .where(FaceRow.id == bindparam("row_id"))
            .values(person_id=bindparam("who")),
            [{"row_id": row_id, "who": who} for row_id, who in people.items()],
        )
        session.expire_all()


def renew_names(session: Session, asset_ids: Iterable[str]) -> None:
    """Makes the names of those who are seen in these assets searchable, at their times."""
    session.flush()
    ordered = sorted(set(asset_ids))
    for start in range(0, len(ordered), AT_ONCE):
        some = ordered[start : start + AT_ONCE]
        session.execute(
            delete(TextRow)
            .where(TextRow.asset_id.in_(some), TextRow.field == TextField.PERSON)
            .execution_options(synchronize_session=False)
        )
        seen = session.execute(
            select(FaceRow.asset_id, FaceRow.run_id, FaceRow.start_us, FaceRow.end_us, Person.name)
            .join(Person, Person.id == FaceRow.person_id)
            .where(FaceRow.asset_id.in_(some), Person.name.is_not(None), ~Person.hidden)
        )
        texts = {(row.asset_id, row.start_us, row.end_us, row.name): row.run_id for row in seen}
        said = session.execute(
            select(FaceDecision.asset_id, FaceDecision.at_us, Person.name)
            .join(Person, Person.id == FaceDecision.person_id)
            .where(
                FaceDecision.asset_id.in_(some),
                FaceDecision.verdict == FaceVerdict.DRAWN,
                Person.name.is_not(None),
                ~Person.hidden,
            )
        )
        for row in said:
            end_us = None if row.at_us is None else row.at_us + NEAR_US
            texts.setdefault((row.asset_id, row.at_us, end_us, row.name), None)
        if texts:
            session.execute(
                insert(TextRow),
                [
                    {"asset_id": asset_id, "start_us": start_us, "end_us": end_us, "body": name,
                     "field": TextField.PERSON, "run_id": run_id}
                    for (asset_id, start_us, end_us, name), run_id in texts.items()
                ],
            )  # fmt: skip
