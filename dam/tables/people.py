"""People and what was said about their faces.

All of it are decisions: keyed by asset, time and place, never by a finding's id.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base, new_id, now_us


class Person(Base):
    """Somebody whose faces belong together; without a name until somebody gives one."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(index=True)
    hidden: Mapped[bool] = mapped_column(default=False)
    created_us: Mapped[int] = mapped_column(default=now_us)


class FaceVerdict(StrEnum):
    IS = "is"  # this person
    IS_NOT = "is not"  # this person
    NO_FACE = "no face"
    DRAWN = "drawn"  # by a person, where none was found
    FORGOTTEN = "forgotten"  # of somebody who was deleted: not kept if it is found again


class FaceDecision(Base):
    """Of the face that overlaps this box at this time, whatever run found it."""

    __tablename__ = "face_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    at_us: Mapped[int | None]
    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    verdict: Mapped[str]
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    decided_us: Mapped[int] = mapped_column(default=now_us)
