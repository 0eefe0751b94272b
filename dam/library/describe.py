"""Writes what a file says about itself to its asset, and makes it searchable as text.

Works inside the caller's write session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam import store
from dam.edits import keep_edits
from dam.library.names import words_of_folder, words_of_name
from dam.media.details import words_of_details
from dam.tables import TextField

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.media.metadata import Metadata
    from dam.media.probe import Probe
    from dam.tables import Asset, File

# Columns of an asset that carry the same name in `Probe` and in `Metadata`.
PROBED = (
    *("kind", "format", "codec", "width_px", "height_px"),
    *("duration_us", "frame_rate", "has_audio"),
)
SAID = (
    *("captured_local", "captured_offset_min", "captured_us", "camera", "lens"),
    *("latitude", "longitude", "place", "country", "title", "caption", "rating", "label"),
)


def fill_asset(asset: Asset, probe: Probe, metadata: Metadata) -> None:
    for column in PROBED:
        setattr(asset, column, getattr(probe, column))
    for column in SAID:
        setattr(asset, column, getattr(metadata, column))
    asset.details = {**probe.details, **metadata.details}


def describe_asset(session: Session, asset: Asset, metadata: Metadata) -> None:
    """Makes a filled asset findable by what its file says, or a person instead of it."""
    keep_edits(session, asset)
    store.replace_keywords(session, asset.id, metadata.keywords)
    texts = (
        (TextField.TITLE, asset.title),
        (TextField.CAPTION, asset.caption),
        (TextField.KEYWORD, ", ".join(metadata.keywords)),
        (TextField.CAMERA, " ".join(filter(None, (metadata.camera, metadata.lens)))),
        (TextField.PLACE, _place(metadata)),
        (TextField.DETAIL, words_of_details(metadata.details)),
    )
    store.replace_texts(session, asset.id, [(field, body) for field, body in texts if body])


def describe_name(session: Session, file: File) -> None:
    """Makes a file findable by the words of its name and of its folders."""
    session.flush()  # a new file has its id from then on
    if file.asset_id is not None:
        texts = (
            (TextField.NAME, words_of_name(file.display)),
            (TextField.FOLDER, words_of_folder(file.display)),
        )
        store.replace_texts(session, file.asset_id, texts, file_id=file.id)


def _place(metadata: Metadata) -> str:
    """The country follows its place, unless the place says it already."""
    place, country = metadata.place or "", metadata.country or ""
    return place if country in place else f"{place}, {country}".strip(", ")
