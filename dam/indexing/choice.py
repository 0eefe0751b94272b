"""Which model an indexer uses: changed without a gap, and changed back.

The choice is a stored preference; `DAM_<INDEXER>_MODEL` overrides it. The space that serves goes on
serving until the new one is complete (`dam.vectors.spaces`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.errors import Conflict, NotFound, WeightsUnavailable
from dam.indexing.plan import open_registry, plan_runs
from dam.model_catalogue import preset_of
from dam.model_formats import FORMATS
from dam.models import AUTO
from dam.tables import Preference, ProducerRow
from dam.vectors.spaces import rollback, serving_space

if TYPE_CHECKING:
    from dam.config import Settings
    from dam.db import Database


def choose_model(database: Database, settings: Settings, indexer: str, model: str) -> None:
    """Uses `model` from the next plan on. Raises `WeightsUnavailable` when it is not here."""
    replace(open_registry(database, settings), model=model).producer(indexer)
    with database.write() as session:
        session.merge(Preference(key=_key(indexer), value=model))


def use_model(database: Database, settings: Settings, indexer: str, model: str) -> None:
    """`choose_model`, with its work planned at once: nobody begins what the old one had left.

    Raises `Conflict` when a setting decides instead, or the model is not here.
    """
    setting = f"DAM_{_key(indexer).upper()}"
    fixed = getattr(settings, _key(indexer), AUTO)
    if fixed != AUTO:
        raise Conflict(f"{setting} is set to {fixed}, which decides; without it you can choose.")
    try:
        choose_model(database, settings, indexer, model)
    except WeightsUnavailable as error:
        raise Conflict(str(error)) from error
    plan_runs(database, open_registry(database, settings))


def chosen_model(database: Database, settings: Settings, indexer: str) -> str:
    """What new work is done with, as a person named it, or `auto`."""
    return open_registry(database, settings).model_of(indexer)


def chosen_models(database: Database, settings: Settings) -> dict[str, str]:
    """`chosen_model` of every indexer whose models dam knows."""
    registry = open_registry(database, settings)
    return {known.indexer: registry.model_of(known.indexer) for known in FORMATS}


def serving_model(database: Database, indexer: str) -> str | None:
    """The network whose vectors answer searches now; None while there are none."""
    with database.read() as session:
        space = serving_space(session, indexer)
        if space is None:
            return None
        return session.scalar(
            select(ProducerRow.model).where(ProducerRow.fingerprint == space.fingerprint)
        )


def serving_notice(database: Database, indexer: str) -> str | None:
    """What has to be known about the model that answers searches now, in one sentence."""
    network = serving_model(database, indexer)
    preset = preset_of(network) if network else None
    return preset.notice if preset else None


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
