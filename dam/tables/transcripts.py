"""The lines of a transcript that a person mended: decisions, which no re-run can touch."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base, now_us


class LineEdit(Base):
    """What a person wrote in the place of a transcript line: whatever lies there at a re-run."""

    __tablename__ = "line_edits"
    __table_args__ = (UniqueConstraint("asset_id", "start_us"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    start_us: Mapped[int]
    end_us: Mapped[int]
    text: Mapped[str]  # empty: there is nothing to be heard
    decided_us: Mapped[int] = mapped_column(default=now_us)
