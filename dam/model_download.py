"""Fetches one model from the Hugging Face hub into a folder, verified.

The one place that talks to a hub, and only when a person asked for it (`dam models pull`).
The sha256 of large files comes from the hub's own record of them (Git LFS) at a pinned commit and
is compared with what arrived.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dam.errors import BadRequest, WeightsUnavailable
from dam.model_catalogue import BY_NETWORK
from dam.model_files import UNKNOWN_LICENCE, Manifest
from dam.model_formats import OPEN_CLIP, Format, format_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from huggingface_hub.hf_api import ModelInfo, RepoSibling


def fetch(
    network: str,
    folder: Path,
    *,
    hub: str | None = None,
    expect: Callable[[int], None] | None = None,
) -> Manifest:
    """Downloads configuration, tokenizer and safetensors weights of `network` into `folder`.

    Goes on with files that an earlier, interrupted call left there. `expect` is told how many bytes
    there are in all.
    """
    # Slow to import, and importing dam must not need it.
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its client

    repository = _repository(network)
    asked = HfApi(endpoint=hub)
    try:
        about = asked.model_info(repository, files_metadata=True)
        wanted = [(about, file) for file in _wanted(about, repository, network)]
        for other, name in _beside(network):
            found = asked.model_info(other, files_metadata=True)
            wanted += [(found, file) for file in _named(found, other, (name,))]
        if expect is not None:
            expect(sum(file.size or 0 for _, file in wanted))
        for found, file in wanted:
            hf_hub_download(
                found.id,
                file.rfilename,
                revision=found.sha,
                local_dir=folder,
                endpoint=hub,
            )
    except (HTTPError, OSError) as error:
        raise WeightsUnavailable(
            f"{repository} could not be downloaded from the Hugging Face hub: {error}. Try again "
            "when the network is there, or copy the folder of the model here and run: "
            "dam models import PATH"
        ) from error
    for _, file in wanted:
        _verify(folder / file.rfilename, file)
    return Manifest(network, f"{repository}@{about.sha}", _licence(network, about))


def _repository(network: str) -> str:
    preset = BY_NETWORK.get(network)
    if preset:
        return preset.repository
    from open_clip.pretrained import get_pretrained_cfg  # imports torch

    architecture, _, tag = network.partition("/")
    known = get_pretrained_cfg(architecture, tag) if tag else {}
    if not known.get("hf_hub"):
        raise BadRequest(
            f"{network} is neither a preset (fast, balanced, best) nor an open_clip network on the "
            "hub, written like ViT-B-32/laion2b_s34b_b79k"
        )
    return str(known["hf_hub"]).rstrip("/")


def _format(network: str) -> Format:
    preset = BY_NETWORK.get(network)
    return format_for(preset.indexer) if preset else OPEN_CLIP


def _beside(network: str) -> tuple[tuple[str, str], ...]:
    preset = BY_NETWORK.get(network)
    return preset.beside if preset else ()


def _named(about: ModelInfo, repository: str, names: Sequence[str]) -> list[RepoSibling]:
    files = {file.rfilename: file for file in about.siblings or ()}
    for name in names:
        if name not in files:
            raise BadRequest(f"{repository} has no {name}.")
    return [files[name] for name in names]


def _wanted(about: ModelInfo, repository: str, network: str) -> list[RepoSibling]:
    preset = BY_NETWORK.get(network)
    if preset and preset.files:
        return _named(about, repository, preset.files)
    wanted = _format(network)
    files = {file.rfilename: file for file in about.siblings or ()}
    missing = [name for name in (wanted.config, wanted.weights) if name not in files]
    if missing:
        kind = "an open_clip" if wanted is OPEN_CLIP else "their"
        raise BadRequest(
            f"{repository} has no {missing[0]}, and only safetensors weights with {kind} "
            "configuration are loaded"
        )
    return [files[name] for name in wanted.files if name in files]


def _verify(path: Path, promised: RepoSibling) -> None:
    """A file that differs from the hub's record is removed, so that the next try fetches it."""
    size = path.stat().st_size
    right = promised.size is None or size == promised.size
    if right and promised.lfs:
        with path.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == promised.lfs.sha256
    elif right and promised.blob_id:
        content = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        right = git.hexdigest() == promised.blob_id
    if not right:
        path.unlink()
        raise WeightsUnavailable(
            f"{path.name} arrived damaged: it is not what the hub promises. Run the same command "
            "again."
        )


def _licence(network: str, about: ModelInfo) -> str:
    preset = BY_NETWORK.get(network)
    if preset:
        return preset.licence
    card = about.card_data
    return str(card.get("license") or UNKNOWN_LICENCE) if card else UNKNOWN_LICENCE
