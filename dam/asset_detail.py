"""Everything that is known of one asset: for its page, for support, for scripts.

Reads only. The counterpart for many assets is `dam.assets`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from dam.assets import US_PER_S, AssetCard, cards_of
from dam.edits import edited_fields
from dam.errors import NotFound
from dam.media.ucs import UcsName, ucs_name
from dam.music import AssetMusic, music_of
from dam.quality import AssetQuality, quality_of
from dam.sound_events import count_sound_events
from dam.tables import (
    Asset,
    File,
    FileState,
    Library,
    ProducerRow,
    Run,
    RunState,
    ShotRow,
    Stack,
)
from dam.tagging import TagView, tags_of
from dam.transcripts import TranscriptSummary, summarise_transcript
from dam.trash import in_trash, not_in_trash
from dam.writing import count_written_lines

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PREVIEWS = "previews"  # the indexer name of the step that makes them
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FileView:
    """One place where an asset lies, or a file that is no asset because it cannot be read."""

    library_id: str
    library: str
    library_state: str  # online, offline or suspended
    path: str
    state: str  # present, missing or unreadable
    error: str | None
    size_bytes: int
    modified_at: datetime
    missing_at: datetime | None
    trashed_at: datetime | None  # a copy that was put away, while the asset lies elsewhere too
    asset_id: str | None


@dataclass(frozen=True, slots=True)
class AssetTag:
    word: str
    vocabulary: str
    source: str  # file, model or person
    score: float
    verdict: str | None  # approved, rejected, or nothing said yet
    producer: str | None  # who suggests it: indexer and model; nothing for files and people
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class AssetShot:
    start_s: float
    end_s: float
    best_s: float  # shows the shot best
    first_frame: int | None  # known when every frame was decoded
    end_frame: int | None  # half-open


@dataclass(frozen=True, slots=True)
class AssetRun:
    """What one indexer did or will do with the asset."""

    id: str
    indexer: str
    version: int
    model: str | None
    state: str  # pending, leased, done, failed or quarantined
    error: str | None
    attempts: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class StackView:
    id: str
    reason: str  # raw_jpeg, live_photo or chosen (by a person)
    cover_id: str
    members: list[AssetCard]  # in the trash: those that are there too


@dataclass(frozen=True, slots=True)
class PreviewState:
    state: str  # ready, pending or failed
    reason: str | None


@dataclass(frozen=True, slots=True)
class AssetDetail:
    card: AssetCard
    revision: int
    content_hash: str
    size_bytes: int
    format: str
    codec: str | None
    frame_rate: str | None
    has_audio: bool
    captured_at: datetime | None
    captured_offset_min: int | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    place: str | None
    country: str | None
    caption: str | None
    label: str | None
    details: dict[str, Any]  # everything else that the file says about itself
    ucs: UcsName | None  # what its file's name says by the Universal Category System
    edited: list[str]  # title, caption, rating: those that a person wrote over the file's
    trashed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    previews: PreviewState
    files: list[FileView]
    tags: list[AssetTag]
    shots: list[AssetShot]
    transcript: TranscriptSummary
    sound_events: int  # how many sounds are named in it
    music: AssetMusic | None  # what of it was heard, where it is music
    written_lines: int  # how many lines can be read in it
    quality: list[AssetQuality]
    runs: list[AssetRun]
    stack: StackView | None


def describe_asset(session: Session, asset_id: str) -> AssetDetail:
    """Raises `NotFound`."""
    asset = find_asset(session, asset_id)
    runs = _runs(session, asset)
    card = cards_of(session, [asset_id])[0]
    return AssetDetail(
        card=card,
        revision=asset.revision,
        content_hash=asset.content_hash,
        size_bytes=asset.size_bytes,
        format=asset.format,
        codec=asset.codec,
        frame_rate=asset.frame_rate,
        has_audio=asset.has_audio,
        captured_at=moment(asset.captured_us),
        captured_offset_min=asset.captured_offset_min,
        camera=asset.camera,
        lens=asset.lens,
        latitude=asset.latitude,
        longitude=asset.longitude,
        place=asset.place,
        country=asset.country,
        caption=asset.caption,
        label=asset.label,
        details=_finite(asset.details),
        ucs=ucs_name(card.name),
        edited=edited_fields(session, asset_id),
        trashed_at=moment(asset.trashed_us),
        created_at=EPOCH + timedelta(microseconds=asset.created_us),
        updated_at=EPOCH + timedelta(microseconds=asset.updated_us),
        previews=_preview_state(runs),
        files=_files(session, asset_id),
        tags=[_tag(tag) for tag in tags_of(session, asset_id)],
        shots=_shots(session, asset_id),
        transcript=summarise_transcript(session, asset_id),
        sound_events=count_sound_events(session, asset_id),
        music=music_of(session, asset_id),
        written_lines=count_written_lines(session, asset_id),
        quality=quality_of(session, [asset_id])[asset_id],
        runs=runs,
        stack=_stack(session, asset),
    )


def find_asset(session: Session, asset_id: str) -> Asset:
    asset = session.get(Asset, asset_id)
    if asset is None:
        raise NotFound(f"There is no asset {asset_id}.")
    return asset


def preview_state(session: Session, asset: Asset) -> PreviewState:
    """Why previews may be absent."""
    return _preview_state(_runs(session, asset))


def file_view(file: File, library: Library) -> FileView:
    return FileView(
        library_id=library.id,
        library=library.name,
        library_state=library.state,
        path=file.display,
        state=file.state,
        error=file.error,
        size_bytes=file.size_bytes,
        modified_at=EPOCH + timedelta(microseconds=file.mtime_ns // 1000),
        missing_at=moment(file.missing_us),
        trashed_at=moment(file.trashed_us),
        asset_id=file.asset_id,
    )


def moment(since_epoch_us: int | None) -> datetime | None:
    return None if since_epoch_us is None else EPOCH + timedelta(microseconds=since_epoch_us)


def _preview_state(runs: list[AssetRun]) -> PreviewState:
    run = next((run for run in runs if run.indexer == PREVIEWS), None)
    if run is None:
        return PreviewState("pending", None)
    if run.state in (RunState.FAILED, RunState.QUARANTINED):
        return PreviewState("failed", run.error)
    return PreviewState("ready" if run.state == RunState.DONE else "pending", None)


def _files(session: Session, asset_id: str) -> list[FileView]:
    rows = session.execute(
        select(File, Library)
        .join(Library)
        .where(File.asset_id == asset_id)
        .order_by(File.state != FileState.PRESENT, File.id)
    )
    return [file_view(file, library) for file, library in rows]


def _runs(session: Session, asset: Asset) -> list[AssetRun]:
    rows = session.execute(
        select(Run, ProducerRow)
        .join(ProducerRow)
        .where(Run.asset_id == asset.id, Run.revision == asset.revision, ProducerRow.active)
        .order_by(ProducerRow.indexer)
    )
    return [
        AssetRun(
            id=str(run.id),
            indexer=producer.indexer,
            version=producer.version,
            model=producer.model,
            state=run.state,
            error=run.error,
            attempts=run.attempts,
            finished_at=moment(run.finished_us),
        )
        for run, producer in rows
    ]


def _shots(session: Session, asset_id: str) -> list[AssetShot]:
    rows = session.scalars(
        select(ShotRow).where(ShotRow.asset_id == asset_id).order_by(ShotRow.start_us)
    )
    return [
        AssetShot(
            row.start_us / US_PER_S,
            row.end_us / US_PER_S,
            row.best_us / US_PER_S,
            row.first_frame,
            row.end_frame,
        )
        for row in rows
    ]


def _stack(session: Session, asset: Asset) -> StackView | None:
    stack = session.get(Stack, asset.stack_id) if asset.stack_id else None
    if stack is None:
        return None
    beside = in_trash() if asset.trashed_us is not None else not_in_trash()
    members = session.scalars(
        select(Asset.id)
        .where(Asset.stack_id == stack.id, beside)
        .order_by(Asset.id != stack.cover_id, Asset.id)
    ).all()
    return StackView(stack.id, stack.reason, stack.cover_id, cards_of(session, members))


def _tag(tag: TagView) -> AssetTag:
    return AssetTag(
        word=tag.word,
        vocabulary=tag.vocabulary,
        source=tag.source,
        score=tag.score,
        verdict=tag.verdict,
        producer=tag.producer,
        start_s=_seconds(tag.start_us),
        end_s=_seconds(tag.end_us),
    )


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity; cameras write both."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / US_PER_S
