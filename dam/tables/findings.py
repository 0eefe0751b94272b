"""Findings, and what people decided about them."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base, now_us


class SpaceState(StrEnum):
    BUILDING = "building"  # its producer is active, not every asset has its vectors yet
    SERVING = "serving"  # answers queries
    RETIRED = "retired"  # kept for a rollback
    DROPPED = "dropped"  # nobody returns to it; its vectors are being deleted


class TagSource(StrEnum):
    FILE = "file"  # keywords in the file or its sidecar
    MODEL = "model"
    TAUGHT = "taught"  # looks like what a person approved


class Verdict(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"


class TextField(StrEnum):
    """What a searchable text is."""

    NAME = "name"
    FOLDER = "folder"
    TITLE = "title"
    CAPTION = "caption"
    KEYWORD = "keyword"
    TAG = "tag"
    CAMERA = "camera"
    PLACE = "place"
    DETAIL = "detail"  # what else its file says: credits, scene and take, notes
    SPEECH = "speech"
    WRITING = "writing"  # read in the picture
    SOUND = "sound"  # what an event sounds like
    PERSON = "person"  # the name of somebody who is seen


class SpaceRow(Base):
    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(
        ForeignKey("producers.id", ondelete="CASCADE"), unique=True
    )
    indexer: Mapped[str]
    dim: Mapped[int]
    metric: Mapped[str] = mapped_column(default="cosine")
    state: Mapped[str] = mapped_column(default=SpaceState.BUILDING)


class VectorRow(Base):
    """Ids are AUTOINCREMENT: never used twice, so the index can follow them."""

    __tablename__ = "vectors"
    __table_args__ = (
        Index("ix_vectors_space_id", "space_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id", ondelete="CASCADE"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    at_us: Mapped[int | None]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]
    values: Mapped[bytes] = mapped_column(LargeBinary)  # little-endian fp16, unit norm before


class VectorTombstone(Base):
    """A vector that is gone; filled by a trigger, so that cascades are seen too."""

    __tablename__ = "vector_tombstones"
    __table_args__ = (
        Index("ix_vector_tombstones_space_id", "space_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int]
    vector_id: Mapped[int]


class ShotRow(Base):
    __tablename__ = "shots"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    start_us: Mapped[int]
    end_us: Mapped[int]
    best_us: Mapped[int]
    first_frame: Mapped[int | None]
    end_frame: Mapped[int | None]


class TagRow(Base):
    __tablename__ = "tags"
    __table_args__ = (Index("ix_tags_word", "word", "asset_id", "score"),)  # counted without rows

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), index=True
    )  # None: read from the file
    source: Mapped[str]
    vocabulary: Mapped[str]  # "keywords" for those read from the file
    word: Mapped[str]
    score: Mapped[float]
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]


class TagDecision(Base):
    """What a person said about a word on an asset; keyed by value, so re-runs cannot touch it."""

    __tablename__ = "tag_decisions"
    __table_args__ = (UniqueConstraint("asset_id", "word"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    word: Mapped[str]
    verdict: Mapped[str]
    decided_us: Mapped[int] = mapped_column(default=now_us)


class TextRow(Base):
    """One searchable text: (asset, span, field). Triggers keep the two FTS5 tables level."""

    __tablename__ = "texts"

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    file_id: Mapped[int | None] = mapped_column(
        ForeignKey("files.id", ondelete="CASCADE"), index=True
    )  # names and folders belong to a file
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), index=True
    )
    field: Mapped[str]  # TextField
    start_us: Mapped[int | None]
    end_us: Mapped[int | None]
    body: Mapped[str]
