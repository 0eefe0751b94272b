"""What is missing for a full answer of a space, and which model made what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.errors import DamError, WeightsUnavailable
from dam.model_catalogue import preset_of
from dam.models import AUTO, ModelStore
from dam.search.query import PictureModel, Waiting
from dam.tables import ProducerRow, Run, RunState, SpaceRow
from dam.vectors.spaces import serving_space, space_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.search.senses import Sense

COMMAND = re.compile(r"\bdam (?:models [a-z]+(?: [\w./:@+-]*[\w/])?|serve|index)\b")


def missing_model(session: Session, settings: Settings, sense: Sense) -> list[Waiting]:
    """Why there are no vectors yet although there is something to make them of, if it is for lack
    of a model."""
    wanted = settings.names(settings.indexers)
    if wanted and sense.indexer not in wanted:
        return []
    if sense.wanted_for is None or session.scalar(sense.wanted_for.limit(1)) is None:
        return []
    try:
        ModelStore(settings).find(AUTO, indexer=sense.indexer)
    except WeightsUnavailable as error:
        return [unanswered(error, sense)]
    return []


def pending(session: Session, sense: Sense) -> list[Waiting]:
    """Says how many assets the indexer of a space has still to look at."""
    count = session.scalar(
        select(func.count())
        .select_from(Run)
        .join(ProducerRow)
        .where(
            ProducerRow.indexer == sense.indexer,
            ProducerRow.active,
            Run.state.in_((RunState.PENDING, RunState.LEASED)),
        )
    )
    return [Waiting(sense.channel, pending=count)] if count else []


def unanswered(error: DamError, sense: Sense) -> Waiting:
    """Why a space gave no answer, and the command that mends it."""
    named = COMMAND.search(str(error))
    default = sense.command if isinstance(error, WeightsUnavailable) else None
    return Waiting(sense.channel, reason=str(error), command=named[0] if named else default)


def not_looked_at(session: Session, fingerprint: str, sense: Sense) -> list[Waiting]:
    """Says so when there is no vector in the space of a query."""
    if space_of(session, fingerprint) is not None:
        return []
    unserved = serving_space(session, sense.indexer) is None
    reason = sense.not_yet if unserved else sense.by_another
    return [Waiting(sense.channel, reason=reason, command="dam index")]


def model_of(session: Session, fingerprint: str) -> PictureModel | None:
    """The model that made the vectors of a space; None where there are none yet."""
    network = session.scalar(
        select(ProducerRow.model).join(SpaceRow).where(ProducerRow.fingerprint == fingerprint)
    )
    if network is None:
        return None
    preset = preset_of(network)
    return PictureModel(preset.name, preset.notice) if preset else PictureModel(network, None)
