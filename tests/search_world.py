"""A small searchable world: real rows, and an encoder whose space a person can see through.

Every word has a direction of its own; a sentence and a picture lie in the sum of the words they
hold, and pictures share a common part as those of real models do.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dam import store
from dam.contracts import Kind, Producer, Shot, Span, Tag, Vector
from dam.findings import SoundEvent
from dam.library.names import words_of_name
from dam.search.words import content_words
from dam.store import Lease
from dam.tables import File, FileState, Library, ProducerRow, Run, RunState, TextField
from tests.spaces import make_asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from dam.contracts import Finding, Pixels, Unit
    from dam.db import Database

DIM = 256
VISUAL = Producer("visual", 1, "words")
TAGS = Producer("tags", 1, "words")
SOUND_SPACE = Producer("sound_space", 1, "words")
SOUNDS = Producer("sounds", 1, "words")


def _direction(word: str) -> Unit:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def looks_like(words: str, *, seed: int = 0, noise: float = 0.3) -> Unit:
    """(DIM,) of a picture that shows these words."""
    total = 0.5 * _direction("(any picture)")
    for word in content_words(words):
        total = total + _direction(word)
    total = total + noise * np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return (total / np.linalg.norm(total)).astype(np.float32)


@dataclass
class WordEncoder:
    """A real `QueryEncoder` over that space; pictures are read as seeds of their first pixel."""

    space: str = VISUAL.fingerprint
    asked: list[str] = field(default_factory=list)
    pictures: int = 0  # that were encoded

    def encode_text(self, texts: Sequence[str]) -> Unit:
        self.asked += texts
        rows = np.stack(
            [
                sum(map(_direction, content_words(text)), 0.1 * _direction("(query)"))
                for text in texts
            ]
        )
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_image(self, images: Sequence[Pixels]) -> Unit:
        self.pictures += len(images)
        return np.stack([looks_like(WORDS[int(image[0, 0, 0])]) for image in images])


WORDS = ("dog", "beach", "car", "mountain")


class World:
    def __init__(self, database: Database, root: Path, name: str = "main") -> None:
        self.database = database
        self.root = root
        with database.write() as session:
            library = Library(name=name, root=os.fsencode(root))
            session.add(library)
            session.flush()
            self.library_id = library.id

    def add(
        self,
        name: str,
        shows: str | None = None,
        *,
        vector: Unit | None = None,  # instead of `shows`
        kind: Kind = Kind.PHOTO,
        title: str = "",
        caption: str = "",
        keywords: Sequence[str] = (),
        tags: Sequence[tuple[str, float]] = (),
        frames: Sequence[tuple[int, int, str]] = (),  # start_s, end_s, what it shows
        shots: Sequence[tuple[int, int]] = (),
        sounds: Sequence[tuple[int, int, str]] = (),  # start_s, end_s, what it sounds like
        events: Sequence[tuple[int, int, str, float]] = (),  # start_s, end_s, label, score
        seed: int = 0,
        **columns: object,
    ) -> str:
        """An asset at `name` (a path in the library), as ingest and the indexers store it."""
        with self.database.write() as session:
            asset = make_asset(kind=kind, title=title or None, caption=caption or None, **columns)
            session.add(asset)
            session.flush()
            file_id = self._add_file(session, name, asset.id)
            folder = name.rpartition("/")[0]
            store.replace_texts(
                session,
                asset.id,
                [(TextField.NAME, words_of_name(name)), (TextField.FOLDER, folder)],
                file_id=file_id,
            )
            own = [(TextField.TITLE, title), (TextField.CAPTION, caption)]
            own += [(TextField.KEYWORD, ", ".join(keywords))]
            own += [
                (TextField(part), str(columns[part]))
                for part in ("camera", "place")
                if part in columns
            ]
            store.replace_texts(session, asset.id, own)
            store.replace_keywords(session, asset.id, keywords)
            findings: list[Finding] = [Shot(_span(*shot), shot[0] * 10**6) for shot in shots]
            if shows is not None:
                vector = looks_like(shows, seed=seed)
            if vector is not None:
                findings.append(Vector(vector))
            for at, (start, end, shown) in enumerate(frames):
                values = looks_like(shown, seed=seed + at)
                findings.append(Vector(values, start * 10**6, _span(start, end)))
            if findings:
                _save(session, VISUAL, asset.id, findings)
            if sounds:
                heard = [
                    Vector(looks_like(shown, seed=seed + at), start * 10**6, _span(start, end))
                    for at, (start, end, shown) in enumerate(sounds)
                ]
                _save(session, SOUND_SPACE, asset.id, heard)
            if events:
                named = [SoundEvent(label, sure, _span(*at)) for *at, label, sure in events]
                _save(session, SOUNDS, asset.id, named)
            if tags:
                _save(session, TAGS, asset.id, [Tag("words", word, score) for word, score in tags])
            return asset.id

    def add_file(self, name: str, asset_id: str, state: FileState = FileState.PRESENT) -> None:
        with self.database.write() as session:
            file_id = self._add_file(session, name, asset_id, state)
            texts = [(TextField.NAME, words_of_name(name))]
            store.replace_texts(session, asset_id, texts, file_id=file_id)

    def _add_file(
        self, session: Session, name: str, asset_id: str, state: FileState = FileState.PRESENT
    ) -> int:
        row = File(
            library_id=self.library_id,
            path=os.fsencode(name),
            display=name,
            asset_id=asset_id,
            state=state,
            size_bytes=1,
            mtime_ns=1,
            device=1,
            inode=1,
        )
        session.add(row)
        session.flush()
        return row.id


def _span(start_s: int, end_s: int) -> Span:
    return Span(start_s * 10**6, end_s * 10**6)


def _save(session: Session, producer: Producer, asset_id: str, findings: Iterable[Finding]) -> None:
    row = session.query(ProducerRow).filter_by(fingerprint=producer.fingerprint).one_or_none()
    if row is None:
        row = ProducerRow(
            fingerprint=producer.fingerprint,
            indexer=producer.indexer,
            version=producer.version,
            model=producer.model,
            parameters={},
        )
        session.add(row)
        session.flush()
    run = Run(asset_id=asset_id, revision=1, producer_id=row.id, state=RunState.LEASED, fence=1)
    session.add(run)
    session.flush()
    store.save(session, Lease(run.id, 1, asset_id, row.id), list(findings))
