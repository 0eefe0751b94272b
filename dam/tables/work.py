"""Producers, runs and preferences: what was made, by what, what remains, what a person chose."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dam.tables.base import Base, now_us


class RunState(StrEnum):
    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"  # the input is at fault; tried again when it changes
    QUARANTINED = "quarantined"  # it killed its worker too often


class ProducerRow(Base):
    __tablename__ = "producers"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    indexer: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    model: Mapped[str | None]
    weights: Mapped[str | None]  # sha256
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    active: Mapped[bool] = mapped_column(default=True)  # planned for new work
    created_us: Mapped[int] = mapped_column(default=now_us)


class Run(Base):
    """(asset revision, producer). The only queue there is."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("asset_id", "revision", "producer_id"),
        Index("ix_runs_state_producer_id", "state", "producer_id", "asset_id"),
        Index("ix_runs_queue", "state", "attempts", "id"),  # claims walk it in order
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    revision: Mapped[int]
    producer_id: Mapped[int] = mapped_column(
        ForeignKey("producers.id", ondelete="CASCADE"), index=True
    )
    state: Mapped[str] = mapped_column(default=RunState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    fence: Mapped[int] = mapped_column(default=0)  # grows with every lease; checked on save
    lease_until_us: Mapped[int | None]
    error: Mapped[str | None]  # what a person reads
    trace: Mapped[str | None]  # only for bugs
    created_us: Mapped[int] = mapped_column(default=now_us)
    finished_us: Mapped[int | None]

    producer: Mapped[ProducerRow] = relationship()


class Preference(Base):
    """A choice that outlives the process that made it, e.g. the model of `dam reindex --model`."""

    __tablename__ = "preferences"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
