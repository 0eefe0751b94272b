"""Findings about speech, sound, writing, faces and quality: one table a kind.

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


class MusicRow(_Found, Base):
    __tablename__ = "music"

    tempo_bpm: Mapped[float | None]
    key: Mapped[str | None]
    confidence: Mapped[float]


class TextBoxRow(_Found, Base):
    __tablename__ = "text_boxes"

    text: Mapped[str]
    confidence: Mapped[float]
    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    at_us: Mapped[int | None]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]


class FaceRow(_Found, Base):
    __tablename__ = "faces"

    left: Mapped[float]
    top: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]
    confidence: Mapped[float]
    landmarks: Mapped[list[Any]] = mapped_column(JSON)  # [[x, y], …]
    template: Mapped[bytes | None] = mapped_column(LargeBinary)  # as `VectorRow.values`
    quality: Mapped[float]
    crop: Mapped[bytes] = mapped_column(LargeBinary)  # JPEG
    at_us: Mapped[int | None]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]
    # Who it seems to be: worked out from templates and decisions, and worked out again at will.
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", ondelete="SET NULL"), index=True
    )


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
