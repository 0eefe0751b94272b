"""Candidates from one space of vectors (what is shown, what is heard), and what is missing for a
full answer.

Holds what is dear to make: the encoder, the vectors of past queries, the index of the space, a
sample of it. Works without any of them: it then answers nothing and says what is waiting.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from dam.contracts import Kind
from dam.errors import DamError, NotFound, WeightsUnavailable
from dam.model_catalogue import preset_of
from dam.models import AUTO, ModelStore
from dam.rows import unpack_vectors
from dam.search.fuse import Background
from dam.search.query import PictureModel, Waiting
from dam.tables import Asset, ProducerRow, Run, RunState, SpaceRow, VectorRow
from dam.vectors.spaces import Space, serving_space, space_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.contracts import Pixels, QueryEncoder, Unit
    from dam.db import Database
    from dam.search.senses import Sense
    from dam.vectors.faiss_index import FaissIndex
    from dam.vectors.protocol import Ids, VectorIndex

REMEMBERED = 256  # query vectors: 2 kB each; paging and filtering ask the same query again
SAMPLE = 1_000  # vectors of the background; its mean is then good to a thirtieth of a deviation
LIKE_FRAMES = 8  # frames of a video, or windows of a recording, that stand for all of it
REOPEN_S = 5.0  # between two looks for an encoder of the space that serves by now
COMMAND = re.compile(r"\bdam (?:models [a-z]+(?: [\w./:@+-]*[\w/])?|serve|index)\b")


@dataclass(frozen=True, slots=True)
class VectorHit:
    vector_id: int
    asset_id: str
    confidence: float  # in [0, 1], `dam.search.fuse`
    at_us: int | None
    start_us: int | None
    end_us: int | None


class SpaceChannel:
    """Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sense: Sense,
        open_encoder: Callable[[], QueryEncoder] | None,
    ) -> None:
        self.sense = sense
        self._database = database
        self._settings = settings
        self._open_encoder = open_encoder
        self._encoder: QueryEncoder | None = None
        self._opened_s = 0.0  # on the monotonic clock
        self._vectors: OrderedDict[tuple[str, str, str], Unit] = OrderedDict()
        self._index: FaissIndex | None = None
        self._sample: tuple[int, int, Unit] | None = None  # space id, count, (n, dim)
        self._lock = threading.Lock()

    @property
    def is_set_up(self) -> bool:
        return self._open_encoder is not None

    def has_vectors(self, session: Session) -> bool:
        return serving_space(session, self.sense.indexer) is not None

    def missing_model(self, session: Session) -> list[Waiting]:
        """Why there are no vectors yet although there are recordings, if it is for lack of a model.

        Says nothing in a library without recordings: not every video has sound worth a model.
        """
        wanted = self._settings.names(self._settings.indexers)
        if wanted and self.sense.indexer not in wanted:
            return []
        if session.scalar(select(Asset.id).where(Asset.kind == Kind.AUDIO).limit(1)) is None:
            return []
        try:
            ModelStore(self._settings).find(AUTO, indexer=self.sense.indexer)
        except WeightsUnavailable as error:
            return [unanswered(error, self.sense)]
        return []

    # Query vectors ------------------------------------------------------------------------

    def query_of_text(self, session: Session, text: str) -> tuple[Unit, str]:
        """(1, dim) and the fingerprint of its space. Raises `DamError` without an encoder."""
        return self._asked(
            session,
            lambda encoder: self._remembered(
                encoder, ("text", text), lambda: encoder.encode_text([text])
            ),
        )

    def query_of_image(self, session: Session, image: Pixels) -> tuple[Unit, str]:
        """(1, dim) and the fingerprint of its space. Raises `DamError` without an encoder."""
        return self._asked(session, lambda encoder: encoder.encode_image([image]))

    def query_of_kept(
        self, session: Session, picture_id: str, load: Callable[[], Pixels]
    ) -> tuple[Unit, str]:
        """As `query_of_image`; decodes and encodes only what has no remembered vector."""
        return self._asked(
            session,
            lambda encoder: self._remembered(
                encoder, ("picture", picture_id), lambda: encoder.encode_image([load()])
            ),
        )

    def query_of_asset(
        self, session: Session, asset_id: str, at_s: float | None = None
    ) -> tuple[Unit, str]:
        """(n, dim) of an asset that is indexed, or (1, dim) of its frame nearest to `at_s`; needs
        no encoder."""
        if session.get(Asset, asset_id) is None:
            raise NotFound(f"There is no asset {asset_id}.")
        space = serving_space(session, self.sense.indexer)
        rows = (
            session.execute(
                select(VectorRow.values, VectorRow.at_us)
                .where(VectorRow.asset_id == asset_id, VectorRow.space_id == space.id)
                .order_by(VectorRow.id)
            ).all()
            if space
            else []
        )
        if space is None or not rows:
            raise NotFound(self.sense.without.format(asset_id))
        if at_s is not None:
            nearest = min(rows, key=lambda row: abs((row.at_us or 0) - at_s * 1e6))
            return unpack_vectors([nearest.values]), space.fingerprint
        picked = np.unique(np.linspace(0, len(rows) - 1, LIKE_FRAMES).astype(int))
        return unpack_vectors([rows[at].values for at in picked]), space.fingerprint

    def _asked(self, session: Session, ask: Callable[[QueryEncoder], Unit]) -> tuple[Unit, str]:
        self._leave_retired_space(session)
        was_open = self._encoder is not None
        try:
            return self._answer(ask)
        except (DamError, OSError) as error:
            self._encoder = None
            if not was_open:
                raise _as_dam_error(error) from error
        try:  # the encoder process may have been restarted since it was opened
            return self._answer(ask)
        except OSError as error:
            raise _as_dam_error(error) from error

    def _answer(self, ask: Callable[[QueryEncoder], Unit]) -> tuple[Unit, str]:
        encoder = self._encoder
        if encoder is None:
            if self._open_encoder is None:
                raise WeightsUnavailable(self.sense.not_set_up)
            encoder = self._encoder = self._open_encoder()
            self._opened_s = time.monotonic()
        return ask(encoder), encoder.space

    def _leave_retired_space(self, session: Session) -> None:
        """Forgets an encoder whose space another one has replaced."""
        encoder, serving = self._encoder, serving_space(session, self.sense.indexer)
        if encoder is None or serving is None or encoder.space == serving.fingerprint:
            return
        if time.monotonic() - self._opened_s > REOPEN_S:
            self._encoder = None

    def _remembered(
        self, encoder: QueryEncoder, asked: tuple[str, str], encode: Callable[[], Unit]
    ) -> Unit:
        key = (encoder.space, *asked)
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        vector = encode()
        with self._lock:
            self._vectors[key] = vector
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return vector

    # Neighbours ---------------------------------------------------------------------------

    def search(
        self,
        session: Session,
        queries: Unit,
        fingerprint: str,
        limit: int,
        *,
        within: Select[str] | None,
    ) -> list[VectorHit]:
        """The nearest moments to any of the queries, best first; empty without that space."""
        space = space_of(session, fingerprint)
        if space is None or space.dim != queries.shape[1]:
            return []
        index = self._index_of(space)
        sample = self._sample_of(space, index)
        allowed = None if within is None else _allowed(session, within)
        best: dict[int, float] = {}
        for query in queries:
            found = index.search(query, limit, allowed=allowed)
            cosines = np.array([hit.score for hit in found], np.float64)
            background = Background.of(
                query, sample, expected=self.sense.expected, worth=self.sense.expected_worth
            )
            confidences = background.confidence(cosines)
            for hit, confidence in zip(found, confidences, strict=True):
                best[hit.vector_id] = max(best.get(hit.vector_id, 0.0), float(confidence))
        return _described(session, best)

    def is_exhausted(self, limit: int) -> bool:
        """True when a search with this limit has already seen every vector."""
        return self._index is None or limit >= self._index.count

    def _index_of(self, space: Space) -> VectorIndex:
        with self._lock:
            if self._index is None or self._index.space != space:
                # One at a time: after a change of model the old one would fill memory for nobody.
                from dam.vectors.faiss_index import FaissIndex  # FAISS, at the first search

                self._index = FaissIndex(
                    self._database,
                    space,
                    self._settings.index_path,
                    threads=self._settings.threads,
                )
            index = self._index
        index.refresh()
        return index

    def _sample_of(self, space: Space, index: VectorIndex) -> Unit:
        known = self._sample
        if known and known[0] == space.id and abs(known[1] - index.count) * 10 <= known[1]:
            return known[2]
        sample = index.sample(SAMPLE)
        self._sample = (space.id, index.count, sample)
        return sample


def _as_dam_error(error: DamError | OSError) -> DamError:
    if isinstance(error, DamError):
        return error
    return DamError(f"The query encoder does not answer: {error}.")


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


def _allowed(session: Session, within: Select[str]) -> Ids:
    found = session.scalars(select(VectorRow.id).where(VectorRow.asset_id.in_(within)))
    return np.fromiter(found, np.int64)


def _described(session: Session, best: dict[int, float]) -> list[VectorHit]:
    listed: Sequence[int] = sorted(best)
    hits = []
    for start in range(0, len(listed), 10_000):
        rows = session.execute(
            select(
                VectorRow.id,
                VectorRow.asset_id,
                VectorRow.at_us,
                VectorRow.start_us,
                VectorRow.end_us,
            ).where(VectorRow.id.in_(listed[start : start + 10_000]))
        )
        hits += [VectorHit(row[0], row[1], best[row[0]], row[2], row[3], row[4]) for row in rows]
    return sorted(hits, key=lambda hit: (-hit.confidence, hit.vector_id))
