"""The weights on this machine: find, list, verify, import, and pull them from the hub.

`ModelStore` is the `ModelSource` that indexers are given. It looks in `DAM_MODELS` first, then in
the folder of models that dam pulled or imported. It never loads a network and `find` never
downloads; that weights are absent or the machine is offline is a normal state with a command that
mends it. Folders in `DAM_MODELS` are read, never written.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from dam.contracts import ModelFiles, ModelSource
from dam.errors import BadRequest, Conflict, NotFound, WeightsUnavailable
from dam.model_catalogue import PRESETS, Preset, folder_of, preset_of
from dam.model_download import fetch
from dam.model_files import (
    UNKNOWN_LICENCE,
    Digests,
    Manifest,
    flaw,
    is_model_folder,
    model_files,
    read_manifest,
    size_bytes,
)
from dam.model_formats import FORMATS, OPEN_CLIP, format_for, format_of
from dam.model_packages import package_flaw, package_folder, preset_at
from dam.model_pulls import Download, DownloadRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Set

    from dam.config import Settings

AUTO = "auto"
BUILT_IN = Path(__file__).parent / "weights"  # what comes with dam: `dam/weights/mini`
LEFT_OUT = "comes with dam, but this installation was made without its weights"


class ModelCondition(StrEnum):
    READY = "ready"
    MISSING = "missing"
    DAMAGED = "damaged"
    DOWNLOADING = "downloading"
    FAILED = "failed"  # its download was: `reason` says why


@dataclass(frozen=True, slots=True)
class ModelState:
    """One row of `dam models list`."""

    name: str
    indexer: str
    state: ModelCondition
    source: str  # the folder it lies in, or where it can be had
    licence: str
    size_bytes: int
    sha256: str | None  # of the weights file; None while it is missing
    mend: str | None  # the command that makes it ready
    in_use: bool  # new work is done with it
    notice: str | None = None  # what has to be known wherever it is used
    reason: str | None = None  # what is wrong with a damaged one, or why a download failed
    network: str = ""  # its name where findings are kept: the same whatever the folder is called
    download: Download | None = None  # one that runs, or that failed


class ModelStore(ModelSource):
    def __init__(self, settings: Settings, *, hub: str | None = None) -> None:
        """`hub` replaces the address of the Hugging Face hub (a mirror)."""
        self._settings = settings
        self._hub = hub
        self._digests = Digests(settings.cache_path)

    # Finding --------------------------------------------------------------------------------

    def find(self, name: str, *, indexer: str = "visual") -> ModelFiles:
        """By preset, network ("ViT-B-32/laion2b_s34b_b79k"), folder name, path or `auto`.

        Raises `WeightsUnavailable` with the command that mends it.
        """
        folder = self._automatic(indexer) if name == AUTO else self._folder(name, indexer)
        if folder is None:
            raise WeightsUnavailable(_absent(name, indexer))
        reason = self._damage(folder)
        if reason:
            raise WeightsUnavailable(f"The model in {folder} cannot be used: {reason}.")
        manifest, preset = read_manifest(folder), preset_at(folder)
        return ModelFiles(
            # The same network has one name, whatever its folder is called: it is in the producer.
            name=preset.network if preset else folder.name,
            path=folder,
            digest=self._digests.of_folder(folder),
            licence=manifest.licence if manifest else _licence_of(preset),
            size_bytes=size_bytes(folder),
            calibration=manifest.calibration if manifest else {},
        )

    def _roots(self) -> list[Path]:
        roots = [self._settings.models, self._settings.pulled_models_path]
        # A checkout may lack the weights that come with dam: as normal as lacking all others.
        if self._settings.built_in_model and any(BUILT_IN.glob(f"*/{OPEN_CLIP.weights}")):
            roots.append(BUILT_IN)
        return [root.expanduser().resolve() for root in roots if root is not None]

    def _folder(self, name: str, indexer: str | None = None) -> Path | None:
        preset = preset_of(name)
        names = [preset.name, preset.folder] if preset else [folder_of(name)]
        for root in self._roots():
            for candidate in names:
                if candidate and is_model_folder(root / candidate, indexer):
                    return root / candidate
        if preset is not None and self._settings.built_in_model:
            packaged = package_folder(preset)
            if packaged is not None and is_model_folder(packaged, indexer):
                return packaged
        path = Path(name).expanduser().resolve()
        return path if preset is None and is_model_folder(path, indexer) else None

    def _local(self, indexer: str) -> Iterator[Path]:
        """Its model folders, those in `DAM_MODELS` first; a name that repeats is shadowed."""
        seen = set()
        for root in self._roots():
            for folder in sorted(root.iterdir()) if root.is_dir() else ():
                if folder.name not in seen and is_model_folder(folder, indexer):
                    seen.add(folder.name)
                    yield folder

    def _automatic(self, indexer: str) -> Path | None:
        """The best preset that is ready, else the only other model, else the built-in one."""
        ready = {
            preset.name: folder
            for preset in PRESETS
            if preset.indexer == indexer
            and (folder := self._folder(preset.name, indexer))
            and not self._damage(folder)
        }
        better = [ready[p.name] for p in PRESETS if p.name in ready and not p.built_in]
        if better:
            return better[0]
        local = self._local(indexer)
        others = [f for f in local if preset_of(f.name) is None and not self._damage(f)]
        if len(others) > 1:
            names = ", ".join(folder.name for folder in others)
            called = format_for(indexer).called.replace("model", "models", 1)
            raise WeightsUnavailable(
                f"There are several {called} here: set DAM_{indexer.upper()}_MODEL to one of "
                f"{names}."
            )
        return next(iter([*others, *ready.values()]), None)

    def _damage(self, folder: Path) -> str | None:
        reason = flaw(folder)
        if reason:
            return reason
        try:
            manifest = read_manifest(folder)
        except BadRequest as error:
            return str(error)
        for name, promised in (manifest.sha256 if manifest else {}).items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if self._digests.sha256(folder / name) != promised:
                return f"{name} does not have the sha256 in its manifest"
        return package_flaw(folder, self._digests)

    # Listing and verifying ------------------------------------------------------------------

    def list(self, chosen: Mapping[str, str] | None = None) -> list[ModelState]:
        """The presets, then every other model folder.

        `chosen` names the models in use, by indexer, where a person chose one
        (`dam.indexing.choice`).
        """
        in_use = self._in_use(chosen)
        presets = [
            (preset, folder)
            for preset in sorted(reversed(PRESETS), key=_place_of_indexer)
            if (folder := self._folder(preset.name, preset.indexer))
            or not preset.built_in
            or self._settings.built_in_model
        ]
        taken = {folder for _, folder in presets if folder}
        return [self._preset_state(preset, folder, in_use) for preset, folder in presets] + [
            self._folder_state(folder, None, in_use)
            for indexer in dict.fromkeys(known.indexer for known in FORMATS)
            for folder in self._local(indexer)
            if folder not in taken
        ]

    def _in_use(self, chosen: Mapping[str, str] | None = None) -> set[Path]:
        """The folder of every indexer's model, as far as there is one."""
        found: set[Path | None] = set()
        for known in FORMATS:
            fixed = str(getattr(self._settings, f"{known.indexer}_model", AUTO))
            name = (chosen or {}).get(known.indexer) or fixed
            with suppress(WeightsUnavailable):
                indexer = known.indexer
                found.add(self._automatic(indexer) if name == AUTO else self._folder(name, indexer))
        return {folder for folder in found if folder is not None}

    def _preset_state(self, preset: Preset, folder: Path | None, in_use: Set[Path]) -> ModelState:
        if folder and not self._damage(folder):
            return self._folder_state(folder, preset, in_use)
        state = self._folder_state(folder, preset, in_use) if folder else _missing(preset)
        download = self._record(preset.network).read()
        if download is None:
            return state
        if download.error is None:
            return replace(state, state=ModelCondition.DOWNLOADING, download=download)
        return replace(state, state=ModelCondition.FAILED, reason=download.error, download=download)

    def _record(self, network: str) -> DownloadRecord:
        return DownloadRecord(self._settings.pulled_models_path.resolve(), network)

    def _folder_state(self, folder: Path, preset: Preset | None, in_use: Set[Path]) -> ModelState:
        reason = self._damage(folder)
        manifest = None if reason else read_manifest(folder)
        found = format_of(folder) or OPEN_CLIP
        weights = folder / found.weights
        name = preset.name if preset else folder.name
        return ModelState(
            name=name,
            indexer=found.indexer,
            state=ModelCondition.DAMAGED if reason else ModelCondition.READY,
            source=str(folder),
            licence=manifest.licence if manifest else _licence_of(preset or preset_at(folder)),
            size_bytes=size_bytes(folder),
            sha256=self._digests.sha256(weights) if weights.is_file() else None,
            mend=_mend(name, preset) if reason else None,
            in_use=folder in in_use,
            notice=preset.notice if preset else None,
            reason=reason,
            network=preset.network if preset else folder.name,
        )

    def verify(self, name: str) -> ModelState:
        """Reads every byte again and compares with the manifest. Raises `NotFound`."""
        preset = preset_of(name)
        folder = self._folder(name)
        if folder is None:
            raise NotFound(_absent(name, preset.indexer if preset else "visual"))
        for path in model_files(folder):
            self._digests.sha256(path, fresh=True)
        return self._folder_state(folder, preset, self._in_use())

    # Bringing weights in --------------------------------------------------------------------

    def import_folder(self, path: Path, name: str | None = None) -> ModelState:
        """Copies a model folder in under `name` (default: the folder's own).

        Raises `BadRequest` when it is no whole model, `Conflict` when the name is taken.
        """
        source = path.expanduser().resolve()
        name = name or source.name
        preset = preset_of(name)
        if not is_model_folder(source):
            raise BadRequest(
                f"{source} is not an open_clip folder, nor one of another kind of model that dam "
                "knows: there is no open_clip_config.json in it, and no config.json of such a model"
            )
        reason = flaw(source)
        if reason:
            raise BadRequest(f"{source} cannot be imported: {reason}.")

        def copy(folder: Path) -> Manifest:
            for file in model_files(source):
                shutil.copyfile(file, folder / file.name)
            known = read_manifest(source)
            licence = known.licence if known else _licence_of(preset)
            calibration = known.calibration if known else {}
            return Manifest(name, str(source), licence, calibration=calibration)

        self._complete(preset.folder if preset else folder_of(name), copy, anew=False)
        return self._folder_state(*self._placed(name))

    def pull(self, name: str) -> ModelState:
        """Downloads a preset or an open_clip network, verifies it, and puts it in place.

        A download that was cut off goes on where it stopped. Raises `WeightsUnavailable` when the
        hub cannot be reached (or `DAM_OFFLINE` is set), `BadRequest` for an unknown name.
        """
        preset = preset_of(name)
        if preset and preset.built_in:
            raise BadRequest(f"{preset.name} comes with dam: there is nothing to download.")
        network = preset.network if preset else name
        if self._settings.offline:
            raise WeightsUnavailable(
                f"DAM_OFFLINE is set, so {name} is not downloaded. Copy the folder of the model "
                "here from another machine and run: dam models import PATH"
            )

        record = self._record(network)

        def download(folder: Path) -> Manifest:
            record.begin(preset.size_bytes if preset else None)
            return fetch(network, folder, hub=self._hub, expect=record.expect)

        try:
            self._complete(folder_of(network), download, anew=True)
        except Exception as error:
            record.fail(str(error) or type(error).__name__)
            raise
        except KeyboardInterrupt:  # a person does not want it any more
            record.clear()
            raise
        record.clear()
        return self._folder_state(*self._placed(name))

    def _placed(self, name: str) -> tuple[Path, Preset | None, Set[Path]]:
        preset = preset_of(name)
        folder = preset.folder if preset else folder_of(name)
        return self._settings.pulled_models_path.resolve() / folder, preset, self._in_use()

    def _complete(self, name: str, fill: Callable[[Path], Manifest], *, anew: bool) -> None:
        """Fills a hidden folder, checks it, writes its manifest and renames it: whole or absent."""
        if not re.fullmatch(r"\w[\w.+@-]*", name):
            raise BadRequest(f"{name!r} is not a name for a model: letters, digits, . _ - only")
        root = self._settings.pulled_models_path.resolve()
        root.mkdir(parents=True, exist_ok=True)
        place, incoming = root / name, root / f".incoming-{name}"
        with FileLock(root / f".lock-{name}"):
            if place.exists() and not anew:
                raise Conflict(f"There is a model named {name} already: {place}")
            incoming.mkdir(exist_ok=True)
            manifest = fill(incoming)
            reason = flaw(incoming)
            if reason:
                shutil.rmtree(incoming)
                raise BadRequest(f"{name} was not taken: {reason}.")
            _seal(incoming, manifest, self._digests)
            _swap(incoming, place)


def _missing(preset: Preset) -> ModelState:
    return ModelState(
        name=preset.name,
        indexer=preset.indexer,
        state=ModelCondition.MISSING,
        source=LEFT_OUT if preset.built_in else f"hub: {preset.repository}",
        licence=preset.licence,
        size_bytes=preset.size_bytes,
        sha256=None,
        mend=_mend(preset.name, preset),
        in_use=False,
        notice=preset.notice,
        network=preset.network,
    )


def _seal(folder: Path, manifest: Manifest, digests: Digests) -> None:
    """Everything on disk, what does not belong to the model gone, the manifest last."""
    files = model_files(folder)
    for stray in set(folder.iterdir()) - set(files):
        shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
    for path in files:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    sums = {path.name: digests.sha256(path, fresh=True) for path in files}
    replace(manifest, sha256=sums).write(folder)


def _swap(fresh: Path, place: Path) -> None:
    old = place.with_name(f".old-{place.name}")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _licence_of(preset: Preset | None) -> str:
    return preset.licence if preset else UNKNOWN_LICENCE


def _mend(name: str, preset: Preset | None) -> str | None:
    if preset and preset.built_in:
        return None  # whoever installs dam does that
    return f"dam models pull {name}" if preset else f"dam models import PATH --name {name}"


def _suits(preset: Preset, indexer: str) -> bool:
    return preset.indexer == indexer and not preset.built_in


def _place_of_indexer(preset: Preset) -> int:
    return [known.indexer for known in FORMATS].index(preset.indexer)


def _absent(name: str, indexer: str) -> str:
    preset = preset_of(name)
    default = next((p.name for p in reversed(PRESETS) if _suits(p, indexer)), "fast")
    if preset and preset.built_in:
        return (
            f"{preset.name}, which comes with dam, is not in this installation, or "
            f"DAM_BUILT_IN_MODEL leaves it out. Run: dam models pull {default}"
        )
    wanted = default if name == AUTO else name
    kind = format_for(indexer).called
    called = f"There is no {kind}" if name == AUTO else f"The model {name} is not"
    return (
        f"{called} on this machine. Run: dam models pull {wanted}  "
        "(or, without a network: dam models import PATH)"
    )
