"""Models that come with dam as Python packages: found without running a line of them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dam.model_catalogue import PRESETS, Preset, preset_of
from dam.model_formats import format_for

if TYPE_CHECKING:
    from dam.model_files import Digests

FOLDER = "model"  # of the package


def package_folder(preset: Preset) -> Path | None:
    """Where the weights lie; None for presets without a package, or without theirs installed."""
    spec = find_spec(preset.package) if preset.package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    return (Path(next(iter(spec.submodule_search_locations))) / FOLDER).resolve()


def preset_at(folder: Path) -> Preset | None:
    """The preset whose weights a folder holds, as its name or its place says."""
    return preset_of(folder.name) or _packaged_at(folder)


def package_flaw(folder: Path, digests: Digests) -> str | None:
    """What is wrong with the weights of a package: who made it is not who trained them."""
    preset = _packaged_at(folder)
    if preset is None:
        return None
    weights = format_for(preset.indexer).weights
    if digests.sha256(folder / weights) != preset.sha256:
        return f"{weights} is not what {preset.repository} published"
    return None


def _packaged_at(folder: Path) -> Preset | None:
    return next((p for p in PRESETS if p.package and package_folder(p) == folder), None)
