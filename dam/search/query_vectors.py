"""The vectors of what is asked, in one space: by its encoder, or of what is indexed already.

Holds the encoder and remembers what it said: paging and filtering ask the same query again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from dam.errors import DamError, NotFound, WeightsUnavailable
from dam.rows import unpack_vectors
from dam.tables import Asset, VectorRow
from dam.vectors.spaces import serving_space

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from dam.contracts import Pixels, QueryEncoder, Unit
    from dam.search.senses import Sense

REMEMBERED = 256  # query vectors: 2 kB each
LIKE_FRAMES = 8  # frames of a video, or windows of a recording, that stand for all of it
REOPEN_S = 5.0  # between two looks for an encoder of the space that serves by now


class QueryVectors:
    """Safe to share between threads."""

    def __init__(self, sense: Sense, open_encoder: Callable[[], QueryEncoder] | None) -> None:
        self._sense = sense
        self._open_encoder = open_encoder
        self._encoder: QueryEncoder | None = None
        self._opened_s = 0.0  # on the monotonic clock
        self._vectors: OrderedDict[tuple[str, str, str], Unit] = OrderedDict()
        self._neutral: tuple[str, Unit] | None = None  # fingerprint of their space, (n, dim)
        self._lock = threading.Lock()

    @property
    def has_encoder(self) -> bool:
        """Whether there is one to ask; it may still lack its weights."""
        return self._open_encoder is not None

    def of_text(self, session: Session, text: str) -> tuple[Unit, str]:
        """(1, dim) and the fingerprint of its space. Raises `DamError` without an encoder."""
        return self._asked(
            session,
            lambda encoder: self._remembered(
                encoder, ("text", text), lambda: self._encoded(encoder, text)
            ),
        )

    def neutral(self, fingerprint: str) -> Unit | None:
        """(n, dim) of the texts that nobody asks for; None before a text was asked for."""
        known = self._neutral
        return known[1] if known and known[0] == fingerprint else None

    def _encoded(self, encoder: QueryEncoder, text: str) -> Unit:
        """Asks once for the texts that nobody asks for: they are many."""
        known = self._neutral
        if self._sense.neutral and (known is None or known[0] != encoder.space):
            self._neutral = (encoder.space, encoder.encode_text(self._sense.neutral))
        return encoder.encode_text([text])

    def of_image(self, session: Session, image: Pixels) -> tuple[Unit, str]:
        """(1, dim) and the fingerprint of its space. Raises `DamError` without an encoder."""
        return self._asked(session, lambda encoder: encoder.encode_image([image]))

    def of_kept(
        self, session: Session, picture_id: str, load: Callable[[], Pixels]
    ) -> tuple[Unit, str]:
        """As `of_image`; decodes and encodes only what has no remembered vector."""
        return self._asked(
            session,
            lambda encoder: self._remembered(
                encoder, ("picture", picture_id), lambda: encoder.encode_image([load()])
            ),
        )

    def of_asset(
        self, session: Session, asset_id: str, at_s: float | None = None
    ) -> tuple[Unit, str]:
        """(n, dim) of an asset that is indexed, or (1, dim) of its frame nearest to `at_s`; needs
        no encoder."""
        if session.get(Asset, asset_id) is None:
            raise NotFound(f"There is no asset {asset_id}.")
        space = serving_space(session, self._sense.indexer)
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
            raise NotFound(self._sense.without.format(asset_id))
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
                raise WeightsUnavailable(self._sense.not_set_up)
            encoder = self._encoder = self._open_encoder()
            self._opened_s = time.monotonic()
        return ask(encoder), encoder.space

    def _leave_retired_space(self, session: Session) -> None:
        """Forgets an encoder whose space another one has replaced."""
        encoder, serving = self._encoder, serving_space(session, self._sense.indexer)
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


def _as_dam_error(error: DamError | OSError) -> DamError:
    if isinstance(error, DamError):
        return error
    return DamError(f"The query encoder does not answer: {error}.")
