"""What people said of assets that look like copies of each other."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base, now_us


class PairVerdict(StrEnum):
    KEEP = "keep"  # both, as they are
    DIFFERENT = "different"  # they are no duplicates
    STACKED = "stacked"  # shown as one


class PairDecision(Base):
    """Keyed by the two assets, so that no re-run asks again. Of exact copies both are the same."""

    __tablename__ = "pair_decisions"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    other_id: Mapped[str] = mapped_column(  # the greater of the two
        ForeignKey("assets.id", ondelete="CASCADE"), index=True
    )
    verdict: Mapped[str]
    cover_id: Mapped[str | None]  # stacked: the asset shown for both
    decided_us: Mapped[int] = mapped_column(default=now_us)
