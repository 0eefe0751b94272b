"""Findings as rows and back: the one place that knows how a kind of finding is stored.

Says nothing about when rows are written or forgotten; `dam.store` does that, and nobody else
writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dam import findings as f
from dam.tables import (
    FaceRow,
    FingerprintRow,
    MusicRow,
    QualityRow,
    ShotRow,
    SoundEventRow,
    TagRow,
    TagSource,
    TextBoxRow,
    TextField,
    TextRow,
    TranscriptLineRow,
    VectorRow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from dam.contracts import Finding, Unit

STORED_VECTOR = np.dtype("<f2")
FoundRow = type[
    VectorRow
    | TagRow
    | ShotRow
    | TranscriptLineRow
    | SoundEventRow
    | MusicRow
    | TextBoxRow
    | FaceRow
    | FingerprintRow
    | QualityRow
    | TextRow
]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of finding is stored."""

    row: FoundRow
    columns: Callable[[Any], Mapping[str, Any]]  # of a finding, beside its asset and run
    finding: Callable[[Any], Finding]  # of a row
    field: TextField | None = None  # under which `text` can be searched, at the finding's span
    text: Callable[[Any], str] = str
    joined: bool = False  # what shares a span is one text: a sentence may fill several lines


def pack_vector(values: Unit) -> bytes:
    """(dim,) float32 → little-endian fp16."""
    return values.astype(STORED_VECTOR).tobytes()


def unpack_vectors(rows: Sequence[bytes]) -> NDArray[np.float32]:
    """Stored vectors → (n, dim) float32, rows brought back to unit norm."""
    if not rows:
        return np.zeros((0, 0), np.float32)
    stacked = np.frombuffer(b"".join(rows), STORED_VECTOR).reshape(len(rows), -1)
    matrix = stacked.astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True).clip(min=1e-12)
    return matrix


def span_columns(span: f.Span | None) -> dict[str, int | None]:
    return {
        "start_us": span.start_us if span else None,
        "end_us": span.end_us if span else None,
    }


def span_of(row: Any) -> f.Span | None:
    if row.start_us is None or row.end_us is None:
        return None
    return f.Span(row.start_us, row.end_us)


def _certain_span(row: Any) -> f.Span:
    return f.Span(row.start_us, row.end_us)


def _box_columns(box: f.Box) -> dict[str, float]:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}


def _box(row: TextBoxRow | FaceRow) -> f.Box:
    return f.Box(row.left, row.top, row.width, row.height)


def _vector_columns(vector: f.Vector) -> Mapping[str, Any]:
    values = pack_vector(vector.values)
    return {"at_us": vector.at_us, "values": values, **span_columns(vector.span)}


def _vector(row: VectorRow) -> f.Vector:
    return f.Vector(unpack_vectors([row.values])[0], row.at_us, span_of(row))


def _tag_columns(tag: f.Tag) -> Mapping[str, Any]:
    return {
        "source": TagSource.MODEL,
        "vocabulary": tag.vocabulary,
        "word": tag.word,
        "score": tag.score,
        **span_columns(tag.span),
    }


def _tag(row: TagRow) -> f.Tag:
    return f.Tag(row.vocabulary, row.word, row.score, span_of(row))


def _shot_columns(shot: f.Shot) -> Mapping[str, Any]:
    return {
        "best_us": shot.best_us,
        "first_frame": shot.first_frame,
        "end_frame": shot.end_frame,
        **span_columns(shot.span),
    }


def _shot(row: ShotRow) -> f.Shot:
    return f.Shot(_certain_span(row), row.best_us, row.first_frame, row.end_frame)


def _line_columns(line: f.TranscriptLine) -> Mapping[str, Any]:
    words = [[w.span.start_us, w.span.end_us, w.text, w.probability] for w in line.words]
    return {
        "text": line.text,
        "language": line.language,
        "confidence": line.confidence,
        "words": words,
        "english": line.english,
        **span_columns(line.span),
    }


def _line(row: TranscriptLineRow) -> f.TranscriptLine:
    words = tuple(
        f.Word(f.Span(start_us, end_us), text, probability)
        for start_us, end_us, text, probability in row.words
    )
    return f.TranscriptLine(
        _certain_span(row), row.text, row.language, row.confidence, words, row.english
    )


def _sound_columns(event: f.SoundEvent) -> Mapping[str, Any]:
    return {"label": event.label, "score": event.score, **span_columns(event.span)}


def _sound(row: SoundEventRow) -> f.SoundEvent:
    return f.SoundEvent(row.label, row.score, _certain_span(row))


def _music_columns(music: f.Music) -> Mapping[str, Any]:
    return {"tempo_bpm": music.tempo_bpm, "key": music.key, "confidence": music.confidence}


def _music(row: MusicRow) -> f.Music:
    return f.Music(row.tempo_bpm, row.key, row.confidence)


def _text_columns(written: f.TextBox) -> Mapping[str, Any]:
    return {
        "text": written.text,
        "confidence": written.confidence,
        "at_us": written.at_us,
        **_box_columns(written.box),
        **span_columns(written.span),
    }


def _text(row: TextBoxRow) -> f.TextBox:
    return f.TextBox(row.text, row.confidence, _box(row), row.at_us, span_of(row))


def _face_columns(face: f.Face) -> Mapping[str, Any]:
    return {
        "confidence": face.confidence,
        "landmarks": [list(point) for point in face.landmarks],
        "template": None if face.template is None else pack_vector(face.template),
        "quality": face.quality,
        "crop": face.crop,
        "at_us": face.at_us,
        **_box_columns(face.box),
        **span_columns(face.span),
    }


def _face(row: FaceRow) -> f.Face:
    return f.Face(
        box=_box(row),
        confidence=row.confidence,
        landmarks=tuple((x, y) for x, y in row.landmarks),
        template=None if row.template is None else unpack_vectors([row.template])[0],
        quality=row.quality,
        crop=row.crop,
        at_us=row.at_us,
        span=span_of(row),
    )


def _fingerprint_columns(print_: f.Fingerprint) -> Mapping[str, Any]:
    span = span_columns(print_.span)
    return {"kind": print_.kind, "bits": print_.bits, "at_us": print_.at_us, **span}


def _fingerprint(row: FingerprintRow) -> f.Fingerprint:
    return f.Fingerprint(f.FingerprintKind(row.kind), row.bits, row.at_us, span_of(row))


def _quality_columns(quality: f.Quality) -> Mapping[str, Any]:
    return {
        "measure": quality.measure,
        "value": quality.value,
        "is_fault": quality.is_fault,
        **span_columns(quality.span),
    }


def _quality(row: QualityRow) -> f.Quality:
    return f.Quality(f.Measure(row.measure), row.value, row.is_fault, span_of(row))


KINDS: Mapping[type, Kind] = {
    f.Vector: Kind(VectorRow, _vector_columns, _vector),
    f.Tag: Kind(TagRow, _tag_columns, _tag),
    f.Shot: Kind(ShotRow, _shot_columns, _shot),
    f.TranscriptLine: Kind(
        TranscriptLineRow, _line_columns, _line, TextField.SPEECH, lambda line: line.searchable
    ),
    f.SoundEvent: Kind(
        SoundEventRow, _sound_columns, _sound, TextField.SOUND, lambda event: event.label
    ),
    f.Music: Kind(MusicRow, _music_columns, _music),
    f.TextBox: Kind(
        TextBoxRow,
        _text_columns,
        _text,
        TextField.WRITING,
        lambda written: written.text,
        joined=True,
    ),
    f.Face: Kind(FaceRow, _face_columns, _face),
    f.Fingerprint: Kind(FingerprintRow, _fingerprint_columns, _fingerprint),
    f.Quality: Kind(QualityRow, _quality_columns, _quality),
}
