"""Loading a network without what its libraries do at that moment and nobody needs.

A start costs seconds of processor time, of every worker and of every search from the command line.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partialmethod
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dam.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dam.contracts import ModelFiles, Setup

CONFIGURATION = "open_clip_config.json"


@contextmanager
def without_collecting() -> Iterator[None]:
    """Looks for no garbage while modules load, and never again among what was loaded.

    Three thousand modules make millions of objects and no garbage: a second in all.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # the interpreter's end collects everything
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Optional:
    """A library that open_clip imports whenever it is installed, for the networks that need it."""

    library: str
    module: str  # of open_clip, where the library's name is bound
    section: str  # of the configuration
    key: str  # there when the network needs the library


_OPTIONAL = (
    _Optional("timm", "open_clip.timm_model", "vision_cfg", "timm_model_name"),
    _Optional("transformers", "open_clip.hf_model", "text_cfg", "hf_model_name"),
)


def import_open_clip(folder: Path) -> None:
    """Imports open_clip for the network in `folder`, where that is plain in a third of the time.

    Raises nothing for a broken configuration: open_clip will say what is wrong with it.
    """
    needed = [one for one in _OPTIONAL if _is_needed(one, folder)]
    if "open_clip" not in sys.modules:
        # torchvision asks one question of torch's compiler, which brings in 900 modules; timm and
        # transformers work with more of it.
        stand_ins: dict[str, Any] = {} if needed else {"torch._dynamo.utils": _NoCompiler()}
        stand_ins |= {one.library: None for one in _OPTIONAL if one not in needed}
        _import_beside(stand_ins, "open_clip")
    for one in needed:
        module = importlib.import_module(one.module)
        if getattr(module, one.library) is None:  # imported without, for an earlier network
            importlib.reload(module)


def _import_beside(stand_ins: Mapping[str, Any], name: str) -> None:
    """Imports a module while others seem to be something else, or (None) not to be installed."""
    fresh = {other: it for other, it in stand_ins.items() if other not in sys.modules}
    sys.modules.update(fresh)
    try:
        importlib.import_module(name)
    finally:
        for other in fresh:
            del sys.modules[other]


class _NoCompiler(ModuleType):
    """What `torchvision.ops.roi_align`, which no network here calls, wants to know."""

    def __init__(self) -> None:
        super().__init__("torch._dynamo.utils")

    @staticmethod
    def is_compile_supported(_device: str) -> bool:
        return False


def _is_needed(one: _Optional, folder: Path) -> bool:
    try:
        found = json.loads((folder / CONFIGURATION).read_bytes())
        return one.key in found["model_cfg"][one.section]
    except (OSError, ValueError, KeyError, TypeError):
        return True


@contextmanager
def from_file_alone() -> Iterator[None]:
    """Weights are what the file holds: neither drawn at random before nor copied after.

    Drawing 150 million numbers takes a second, copying them another. Parameters keep the number
    format of the file and its pages of the system's cache.
    """
    import torch

    drawn = [name for name in vars(torch.nn.init) if name.endswith(("uniform_", "normal_"))]
    patches: list[tuple[Any, str, Any]] = [
        (torch.nn.init, name, lambda tensor, *_args, **_options: tensor) for name in drawn
    ]
    load = torch.nn.Module.load_state_dict
    patches.append((torch.nn.Module, "load_state_dict", partialmethod(load, assign=True)))
    saved = [getattr(owner, name) for owner, name, _ in patches]
    try:
        for owner, name, replacement in patches:
            setattr(owner, name, replacement)
        yield
    finally:
        for (owner, name, _), original in zip(patches, saved, strict=True):
            setattr(owner, name, original)


class Weights:
    """The files of an indexer's model: found without loading, loaded once, refused when broken."""

    def __init__(self, setup: Setup, indexer: str) -> None:
        self._setup = setup
        self._indexer = indexer
        self._refusals = Refusals(setup.cache)

    def find(self) -> ModelFiles:
        """Raises `WeightsUnavailable` when they are absent, or did not load a moment ago."""
        files = self._files()
        self._refusals.check(files.digest)
        return files

    @contextmanager
    def loading(self) -> Iterator[ModelFiles]:
        """Around the import of the libraries and the making of the network.

        `WeightsUnavailable` raised inside is remembered: what needs the model then waits.
        """
        # A model's threads must sleep while they wait for each other: beside decoders, spinning
        # halves the pictures a CPU second (20 to 11) and makes a query twenty times slower. OpenMP
        # reads this once, when torch loads.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        files = self._files()
        try:
            with without_collecting():
                yield files
        except WeightsUnavailable as error:
            self._refusals.note(files.digest, str(error))
            raise

    def _files(self) -> ModelFiles:
        wanted = self._setup.options.get("model") or "auto"
        return self._setup.models.find(wanted, indexer=self._indexer)


class Refusals:
    """Networks that did not load, kept in a cache file for every process to know.

    A model that does not load is as good as absent: what needs it waits, with the reason, instead
    of trying again with every batch.
    """

    AGAIN_S = 60.0  # then it is tried once more: what was missing may have been installed

    def __init__(self, cache: Path) -> None:
        self._path = cache / "refusals.json"

    def check(self, digest: str) -> None:
        """Raises `WeightsUnavailable` while the network with these weights is refused."""
        at_s, reason = self._read().get(digest, (0.0, ""))
        if 0 <= time.time() - at_s < self.AGAIN_S:
            raise WeightsUnavailable(reason)

    def note(self, digest: str, reason: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps({**self._read(), digest: (time.time(), reason)}))
        fresh.replace(self._path)

    def _read(self) -> dict[str, tuple[float, str]]:
        try:
            return {digest: (at_s, reason) for digest, (at_s, reason) in self._load().items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # a cache: lost or torn, the network is tried

    def _load(self) -> dict[str, tuple[float, str]]:
        found: dict[str, tuple[float, str]] = json.loads(self._path.read_bytes())
        return found
