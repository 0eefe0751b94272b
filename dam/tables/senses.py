"""Findings about speech, sound, copies and quality: one table a kind.

The rows of a run go with it. Who reads them joins with the asset's current revision through the
run only where an older revision may still have rows; `dam.store` drops those when it saves.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base


class _Found:
    """What every finding has."""

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)


class TranscriptLineRow(_Found, Base):
    __tablename__ = "transcript_lines"

    start_us: Mapped[int]
    end_us: Mapped[int]
    text: Mapped[str]
    language: Mapped[str]
    confidence: Mapped[float]
    words: Mapped[list[Any]] = mapped_column(JSON)  # [[start_us, end_us, text, probability], …]
    english: Mapped[str | None]


class SoundEventRow(_Found, Base):
    __tablename__ = "sound_events"
    __table_args__ = (Index("ix_sound_events_label", "label", "asset_id"),)

    label: Mapped[str]
    score: Mapped[float]
    start_us: Mapped[int]
    end_us: Mapped[int]


class FingerprintRow(_Found, Base):
    __tablename__ = "fingerprints"
    __table_args__ = (Index("ix_fingerprints_kind", "kind"),)

    kind: Mapped[str]
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    at_us: Mapped[int | None]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]


class QualityRow(_Found, Base):
    __tablename__ = "quality"
    __table_args__ = (Index("ix_quality_measure", "measure", "is_fault", "asset_id"),)

    measure: Mapped[str]
    value: Mapped[float]
    is_fault: Mapped[bool]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]
