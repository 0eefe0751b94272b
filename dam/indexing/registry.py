"""The indexers of this installation: built-ins and plug-ins through one door.

Both are entry points of the group `dam.indexers` and pass the same validator. A plug-in that
cannot be imported or breaks the contract is reported and left out; it never stops the others.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from dam.contracts import Incomplete, Indexer, Kind, Producer, Queryable, QueryEncoder, Reads, Setup
from dam.errors import BadRequest, UpstreamFailed, WeightsUnavailable
from dam.models import ModelStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dam.config import Settings

GROUP = "dam.indexers"
PREVIEWS = "previews"  # the worker's own step: it has runs like an indexer, but no findings
log = logging.getLogger(__name__)


def discover(entries: Iterable[EntryPoint] | None = None) -> dict[str, type[Indexer]]:
    """Valid indexer classes by name, each after those it needs."""
    found: dict[str, type[Indexer]] = {}
    for entry in entries if entries is not None else entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except Exception as error:
            log.warning("The indexer plug-in %s cannot be imported: %s", entry.value, error)
            continue
        faults = contract_faults(loaded)
        if faults:
            log.warning("The indexer plug-in %s is left out: %s", entry.value, "; ".join(faults))
        else:
            found[loaded.name] = loaded
    return _in_order_of_needs(found)


def contract_faults(candidate: object) -> list[str]:
    """What a class would have to change to be an indexer; empty when it is one."""
    if not isinstance(candidate, type):
        return ["it is not a class"]
    faults = []
    for attribute, kind in {"name": str, "version": int, "batch_size": int, "needs": tuple}.items():
        if not isinstance(getattr(candidate, attribute, None), kind):
            faults.append(f"`{attribute}` is not a {kind.__name__}")
    for attribute, member in {"accepts": Kind, "reads": Reads, "produces": type}.items():
        value = getattr(candidate, attribute, None)
        if not isinstance(value, frozenset) or not all(isinstance(v, member) for v in value):
            faults.append(f"`{attribute}` is not a frozenset of {member.__name__}")
    for method in ("producer", "index", "__enter__", "__exit__"):
        if not callable(getattr(candidate, method, None)):
            faults.append(f"`{method}` is missing")
    if getattr(candidate, "name", None) == PREVIEWS:
        faults.append(f"the name {PREVIEWS!r} is taken")
    return faults


def _in_order_of_needs(found: Mapping[str, type[Indexer]]) -> dict[str, type[Indexer]]:
    ordered: dict[str, type[Indexer]] = {}
    waiting = dict(found)
    while waiting:
        ready = [name for name, cls in waiting.items() if all(n in ordered for n in cls.needs)]
        if not ready:
            for name, cls in waiting.items():
                absent = ", ".join(need for need in cls.needs if need not in ordered)
                log.warning("The indexer %s is left out: it needs %s, not there.", name, absent)
            break
        for name in ready:
            ordered[name] = waiting.pop(name)
    return ordered


@dataclass
class Registry:
    """The indexers that these settings ask for, constructed on first use, never loaded here."""

    settings: Settings
    preferences: Mapping[str, str] = field(default_factory=dict)  # e.g. {"visual_model": "fast"}
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # a person's, as asked
    model: str | None = None  # overrides both, to serve a space that an older model built

    @cached_property
    def classes(self) -> dict[str, type[Indexer]]:
        available = discover()
        wanted = self.settings.names(self.settings.indexers)
        unknown = [name for name in wanted if name not in available]
        if unknown:
            raise BadRequest(
                f"DAM_INDEXERS names {', '.join(unknown)}; there is {', '.join(available)}."
            )
        return {name: cls for name, cls in available.items() if not wanted or name in wanted}

    @cached_property
    def _models(self) -> ModelStore:
        return ModelStore(self.settings)

    @cached_property
    def _made(self) -> dict[str, Indexer]:
        return {}

    def indexer(self, name: str) -> Indexer:
        """The one instance of that name. Raises `UpstreamFailed` when it is switched off."""
        if name not in self._made:
            if name not in self.classes:
                raise UpstreamFailed(f"The indexer {name} is switched off (DAM_INDEXERS).")
            self._made[name] = self.classes[name](self._setup(name))
        return self._made[name]

    def producer(self, name: str) -> Producer:
        """Raises `WeightsUnavailable` while the model is not on this machine."""
        return self.indexer(name).producer()

    def query_encoder(self, name: str) -> QueryEncoder:
        """Of an indexer whose weights are loaded."""
        indexer = self.indexer(name)
        if not isinstance(indexer, Queryable):
            raise UpstreamFailed(f"The indexer {name} takes no queries.")
        return indexer.query_encoder()

    def producers(self) -> tuple[dict[str, Producer], dict[str, str]]:
        """(what can work now, what waits for a model or for another indexer, and why)."""
        ready: dict[str, Producer] = {}
        waiting: dict[str, str] = {}
        for name in self.classes:
            try:
                ready[name] = self.producer(name)
            except (WeightsUnavailable, UpstreamFailed) as error:
                waiting[name] = str(error)
        return ready, waiting

    def lacks(self, name: str, kinds: Collection[Kind]) -> str | None:
        """What a part of a working indexer's work on these waits for."""
        indexer = self.indexer(name) if name in self.classes else None
        return indexer.lacks(kinds) if isinstance(indexer, Incomplete) else None

    def _setup(self, name: str) -> Setup:
        settings = self.settings
        options = {
            "runtime": settings.visual_runtime,
            "precision": settings.visual_precision,
            "vocabularies": settings.vocabularies,
            "own_words": json.dumps(dict(self.words)),
            "tier": settings.video_tier.value,
            "translate": "yes" if settings.speech_translate else "no",
            "model": self.model_of(name),
        }
        return Setup(
            models=self._models,
            cache=settings.cache_path / name,
            options=options,
            threads=settings.threads,
            producer_of=self.producer,
            encoder_of=self.query_encoder,
        )

    def model_of(self, name: str) -> str:
        """An explicit setting wins over a stored choice, which wins over `auto`."""
        if self.model is not None:
            return self.model
        asked = str(getattr(self.settings, f"{name}_model", "auto"))
        return asked if asked != "auto" else self.preferences.get(f"{name}_model", "auto")
