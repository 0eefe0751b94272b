"""Tags that are suggested by example."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base, now_us


class TaughtTag(Base):
    """What a person asked for, and from what its suggestions were made last."""

    __tablename__ = "taught_tags"

    word: Mapped[str] = mapped_column(primary_key=True)
    taught_us: Mapped[int] = mapped_column(default=now_us)
    made_from: Mapped[str | None]  # space, its vectors and the decisions; None: to be made
    examples: Mapped[int] = mapped_column(default=0)  # approved
    counterexamples: Mapped[int] = mapped_column(default=0)  # rejected
    background: Mapped[int] = mapped_column(default=0)  # undecided ones that were taken as "no"
    precision: Mapped[float | None]  # held out, of what would be suggested
    recall: Mapped[float | None]  # held out, of the examples
