"""Libraries, assets, their revisions, and the files in which they lie."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dam.tables.base import Base, new_id, now_us


class LibraryState(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"  # the root is not there, or is another folder than the one added
    SUSPENDED = "suspended"  # too many files vanished at once: a person must confirm


class FileState(StrEnum):
    PRESENT = "present"
    MISSING = "missing"
    UNREADABLE = "unreadable"  # `error` says why; tried again when the file changes


class Library(Base):
    __tablename__ = "libraries"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    root: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # absolute path, as the OS has it
    state: Mapped[str] = mapped_column(default=LibraryState.ONLINE)
    state_reason: Mapped[str | None]
    device: Mapped[int | None]  # st_dev and st_ino of the root when it was last scanned whole
    inode: Mapped[int | None]
    created_us: Mapped[int] = mapped_column(default=now_us)
    scanned_us: Mapped[int | None]  # end of the last complete scan
    scans: Mapped[int] = mapped_column(default=0)  # complete scans so far
    # 1: indexed first, 0: normal, -1: when nothing else is left
    priority: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Whether faces are looked for: only after somebody has said so.
    faces: Mapped[bool] = mapped_column(default=False, server_default=text("0"))

    files: Mapped[list[File]] = relationship(back_populates="library", passive_deletes=True)


class Asset(Base):
    __tablename__ = "assets"
    __table_args__ = (
        Index(  # all that a grid is laid out from
            "ix_assets_layout",
            *("captured_us", "id", "trashed_us", "stack_id"),
            *("captured_local", "width_px", "height_px"),
        ),
        Index("ix_assets_trashed_us", "trashed_us", sqlite_where=text("trashed_us IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]  # dam.contracts.Kind
    revision: Mapped[int] = mapped_column(default=1)
    content_hash: Mapped[str] = mapped_column(unique=True)  # BLAKE3 of the current bytes, hex
    # BLAKE3 of the media without its metadata, plus orientation: equal means "looks the same", so
    # findings and previews are kept. Falls back to the content hash.
    essence_hash: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int]
    format: Mapped[str]  # short container or image format name, e.g. jpeg, mp4, wav
    codec: Mapped[str | None]
    width_px: Mapped[int | None]  # upright, after rotation
    height_px: Mapped[int | None]
    duration_us: Mapped[int | None] = mapped_column(index=True)
    frame_rate: Mapped[str | None]  # rational, e.g. 30000/1001
    has_audio: Mapped[bool] = mapped_column(default=False)

    captured_local: Mapped[str | None]  # ISO 8601 without offset, as the camera's clock showed it
    captured_offset_min: Mapped[int | None]  # minutes east of UTC, when it is known
    captured_us: Mapped[int | None] = mapped_column(index=True)  # UTC, derived; else local as UTC
    camera: Mapped[str | None] = mapped_column(index=True)  # make and model, without repetition
    lens: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    place: Mapped[str | None] = mapped_column(index=True)  # the nearest: city, region, country
    country: Mapped[str | None]
    title: Mapped[str | None]
    caption: Mapped[str | None]
    rating: Mapped[int | None] = mapped_column(index=True)  # -1 (reject), 0 to 5
    label: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # everything else, as read
    thumbhash: Mapped[bytes | None] = mapped_column(LargeBinary)
    trashed_us: Mapped[int | None]  # None: not in the trash

    stack_id: Mapped[str | None] = mapped_column(
        ForeignKey("stacks.id", ondelete="SET NULL"), index=True
    )
    created_us: Mapped[int] = mapped_column(default=now_us)
    updated_us: Mapped[int] = mapped_column(default=now_us, onupdate=now_us)

    files: Mapped[list[File]] = relationship(back_populates="asset")


class Edit(Base):
    """What a person wrote over a field of an asset; the asset's own column shows `value`.

    Keyed by (asset, field) and never touched by reading the file again, which only renews
    `file_value`.
    """

    __tablename__ = "edits"
    __table_args__ = (UniqueConstraint("asset_id", "field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    field: Mapped[str]  # dam.edits.EditField
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    file_value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    decided_us: Mapped[int] = mapped_column(default=now_us)


class Undo(Base):
    """What assets were like before a change of many of them; kept for a while."""

    __tablename__ = "undos"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    created_us: Mapped[int] = mapped_column(default=now_us)
    before: Mapped[bytes] = mapped_column(LargeBinary)  # zlib of JSON, as `dam.edits` packs it


class Revision(Base):
    """Every content an asset has had; the newest repeats the asset's own columns."""

    __tablename__ = "revisions"

    asset_id: Mapped[str] = mapped_column(
        ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(index=True)
    essence_hash: Mapped[str]
    size_bytes: Mapped[int]
    seen_us: Mapped[int] = mapped_column(default=now_us)


class Stack(Base):
    """Assets shown as one and searched as each: RAW+JPEG, Live Photo still+clip."""

    __tablename__ = "stacks"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    reason: Mapped[str]  # dam.library.stacks.StackReason
    cover_id: Mapped[str]  # the asset shown for all


class File(Base):
    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("library_id", "path"),
        Index("ix_files_asset_id_state", "asset_id", "state"),
        Index("ix_files_problems", "state", sqlite_where=text("state != 'present'")),
        Index("ix_files_trashed_us", "trashed_us", sqlite_where=text("trashed_us IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id", ondelete="CASCADE"))
    path: Mapped[bytes] = mapped_column(LargeBinary)  # relative to the root, as the OS has it
    display: Mapped[str]  # the same for people: NFC, undecodable bytes as U+FFFD
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(default=FileState.PRESENT)
    error: Mapped[str | None]  # why it is unreadable, or (present) what of it is damaged
    size_bytes: Mapped[int]
    mtime_ns: Mapped[int]
    device: Mapped[int]
    inode: Mapped[int]
    sidecar: Mapped[str | None]  # mtime_ns:size of the XMP sidecar that was read with it
    missing_us: Mapped[int | None]
    # A copy that a person wants no more, while the asset lies elsewhere too; None: in use.
    trashed_us: Mapped[int | None]
    seen_us: Mapped[int] = mapped_column(default=now_us)

    library: Mapped[Library] = relationship(back_populates="files")
    asset: Mapped[Asset | None] = relationship(back_populates="files")
