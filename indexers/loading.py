"""Loading a network without what its libraries do at that moment and nobody needs.

A start costs seconds of processor time, of every worker and of every search from the command line.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import sys
from contextlib import contextmanager
from functools import partialmethod
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def import_open_clip(folder: Path) -> None:
    """Imports open_clip for the network in `folder`, in a third of the time.

    On import it asks for transformers, which only a text tower from there needs, and torchvision
    asks one question of torch's compiler, which brings in 900 modules.
    """
    foreign = _has_foreign_text_tower(folder)
    if "open_clip" not in sys.modules:
        stand_ins: dict[str, Any] = {"torch._dynamo.utils": _NoCompiler()}
        if not foreign:
            stand_ins["transformers"] = None  # "not installed"
        stand_ins = {name: it for name, it in stand_ins.items() if name not in sys.modules}
        sys.modules.update(stand_ins)
        try:
            importlib.import_module("open_clip")
        finally:
            for name in stand_ins:
                del sys.modules[name]
    towers = importlib.import_module("open_clip.hf_model")
    if foreign and towers.transformers is None:  # imported without, for an earlier network
        importlib.reload(towers)


class _NoCompiler(ModuleType):
    """What `torchvision.ops.roi_align`, which no network here calls, wants to know."""

    def __init__(self) -> None:
        super().__init__("torch._dynamo.utils")

    @staticmethod
    def is_compile_supported(_device: str) -> bool:
        return False


def _has_foreign_text_tower(folder: Path) -> bool:
    try:
        found = json.loads((folder / CONFIGURATION).read_bytes())
        return "hf_model_name" in found["model_cfg"]["text_cfg"]
    except (OSError, ValueError, KeyError, TypeError):
        return True  # open_clip will say what is wrong with it


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
