"""What the indexers of sound share: model calls for the windows of many assets, and loading."""

from __future__ import annotations

import warnings
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from dam.contracts import Item, Outcome
from dam.errors import DamError, OutOfMemory, Permanent, WeightsUnavailable
from indexers.stretches import Audible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dam.contracts import Finding, Samples
    from indexers.stretches import Place, Windows

_T = TypeVar("_T")


@dataclass(slots=True)
class _Waiting(Generic[_T]):
    """An asset whose windows are partly heard or partly understood."""

    item: Item
    places: list[Place] = field(default_factory=list)  # of its windows
    answers: list[_T] = field(default_factory=list)  # of the model, one a window
    error: DamError | None = None
    is_read: bool = False

    @property
    def is_done(self) -> bool:
        return self.is_read and len(self.answers) == len(self.places)


class Hearing(Generic[_T]):
    """Windows of many assets in one model call after the other, outcomes in order.

    At most `batch_size` windows wait, whatever the length of what is listened to.
    """

    def __init__(
        self,
        batch_size: int,
        listen: Callable[[Sequence[Samples]], Sequence[_T]],
        conclude: Callable[[Item, Audible, Sequence[Place], Sequence[_T]], Sequence[Finding]],
        *,
        windows: Windows,
        rate_hz: int,
    ) -> None:
        """`listen` asks the model about some windows, `conclude` makes findings of what it said
        about all windows of one asset."""
        self._batch_size = batch_size
        self._listen = listen
        self._conclude = conclude
        self._windows = windows
        self._rate_hz = rate_hz
        self._batch: list[tuple[_Waiting[_T], Samples]] = []

    def outcomes(
        self,
        items: Iterable[Item],
        samples_of: Callable[[Item], Iterable[Samples]],
    ) -> Iterator[Outcome]:
        """`samples_of`: one channel at the rate that the model wants, piece by piece."""
        waiting: deque[tuple[_Waiting[_T], Audible]] = deque()
        for item in items:
            asset, audible = _Waiting[_T](item), Audible(self._rate_hz)
            waiting.append((asset, audible))
            try:
                for place, samples in self._windows.cut(samples_of(item), audible):
                    asset.places.append(place)
                    self._batch.append((asset, samples))
                    if len(self._batch) >= self._batch_size:
                        self._understand()
            except DamError as error:
                asset.error = error
            asset.is_read = True
            while waiting and waiting[0][0].is_done:
                yield self._outcome(*waiting.popleft())
        self._understand()
        while waiting:
            yield self._outcome(*waiting.popleft())

    def _understand(self) -> None:
        """Hands every asset its answers, in order, and empties the batch."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        try:
            answers = self._halving([samples for _, samples in batch])
        except DamError as error:
            for asset, _ in batch:
                asset.error = asset.error or error
                asset.places.pop()
            return
        for (asset, _), answer in zip(batch, answers, strict=True):
            asset.answers.append(answer)

    def _halving(self, windows: Sequence[Samples]) -> list[_T]:
        try:
            return list(self._listen(windows))
        except OutOfMemory:
            if len(windows) == 1:
                raise
            half = len(windows) // 2
            return [*self._halving(windows[:half]), *self._halving(windows[half:])]

    def _outcome(self, asset: _Waiting[_T], audible: Audible) -> Outcome:
        if asset.error is not None:
            return Outcome(error=asset.error)
        try:
            return Outcome(self._conclude(asset.item, audible, asset.places, asset.answers))
        except DamError as error:
            return Outcome(error=error)


def checked(samples: Samples) -> Samples:
    """One channel of finite numbers. Raises `Permanent` for anything else."""
    if samples.ndim != 1 or samples.dtype != np.float32 or not np.isfinite(samples).all():
        raise Permanent("The sound is not one channel of finite 32-bit samples.")
    return samples


@contextmanager
def calling_a_model() -> Iterator[None]:
    """One call of a network. What torch says of full memory becomes `OutOfMemory`."""
    import torch

    try:
        with torch.inference_mode():
            yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory from error


@contextmanager
def loading_a_model(folder: Path, threads: int) -> Iterator[None]:
    """Loads with transformers from a local folder, quietly.

    Raises `WeightsUnavailable` for what transformers cannot load.
    """
    import torch
    from transformers.utils import logging

    torch.set_num_threads(threads)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            # Normal for 128 bands on 257 frequencies: the lowest ones are empty.
            warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
            yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        raise WeightsUnavailable(f"The model in {folder} cannot be loaded: {error}") from error
