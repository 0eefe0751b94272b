"""Which model an indexer uses: changed without a gap, and changed back.

The choice is a stored preference; `DAM_<INDEXER>_MODEL` overrides it. The space that serves goes on
serving until the new one is complete (`dam.vectors.spaces`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.errors import NotFound
from dam.indexing.plan import open_registry
from dam.tables import Preference, ProducerRow
from dam.vectors.spaces import rollback

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database


def choose_model(database: Database, settings: Settings, indexer: str, model: str) -> None:
    """Uses `model` from the next plan on. Raises `WeightsUnavailable` when it is not here."""
    replace(open_registry(database, settings), model=model).producer(indexer)
    with database.write() as session:
        session.merge(Preference(key=_key(indexer), value=model))


def return_to_earlier_model(database: Database, indexer: str) -> str:
    """Lets the space before serve again, at once; returns the name of its model.

    Raises `NotFound` when nothing can be returned to.
    """
    with database.write() as session:
        space = rollback(session, indexer)
        model = session.scalar(
            select(ProducerRow.model).where(ProducerRow.fingerprint == space.fingerprint)
        )
        if model is None:
            raise NotFound(f"The earlier producer of {indexer} used no model.")
        session.merge(Preference(key=_key(indexer), value=model))
    return model


def _key(indexer: str) -> str:
    return f"{indexer}_model"
