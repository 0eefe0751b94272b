"""Rows for tests that start from a database instead of from files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dam.contracts import Kind, Producer
from dam.tables import Asset, File, Library, ProducerRow, Run

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session


def add_library(session: Session, root: Path, name: str = "photos") -> Library:
    root.mkdir(parents=True, exist_ok=True)
    library = Library(name=name, root=os.fsencode(root))
    session.add(library)
    session.flush()
    return library


def add_asset(session: Session, library: Library, name: str, kind: Kind = Kind.PHOTO) -> Asset:
    """An asset with one present file (whose bytes nobody reads here)."""
    asset = Asset(
        kind=kind, content_hash=name, essence_hash=f"e-{name}", size_bytes=1, format="jpeg"
    )
    session.add(asset)
    session.flush()
    session.add(
        File(
            library_id=library.id,
            path=os.fsencode(name),
            display=name,
            asset_id=asset.id,
            size_bytes=1,
            mtime_ns=1,
            device=1,
            inode=abs(hash(name)) % 2**40,
        )
    )
    return asset


def add_producer(session: Session, indexer: str, version: int = 1) -> ProducerRow:
    fingerprint = Producer(indexer, version).fingerprint
    row = ProducerRow(fingerprint=fingerprint, indexer=indexer, version=version)
    session.add(row)
    session.flush()
    return row


def add_run(session: Session, asset: Asset, producer: ProducerRow) -> Run:
    run = Run(asset_id=asset.id, revision=asset.revision, producer_id=producer.id)
    session.add(run)
    session.flush()
    return run
