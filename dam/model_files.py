"""Model folders on disk: what counts as one, whether it is whole, and its digests.

Only safetensors weights are accepted: a pickle can run code when it is opened. Which files make a
model is its format's to say (`dam.model_formats`); a folder that dam pulled or imported also holds
a manifest with the sha256 of every file.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from dam.errors import BadRequest
from dam.model_formats import OPEN_CLIP, TOKENIZER, Format, format_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG, WEIGHTS = OPEN_CLIP.config, OPEN_CLIP.weights
MANIFEST = "dam-model.json"
UNKNOWN_LICENCE = "not stated"
_MAX_HEADER_BYTES = 100_000_000  # what the safetensors format itself allows


@dataclass(frozen=True, slots=True)
class Manifest:
    """Written last into a folder that dam completed."""

    name: str
    source: str  # where the weights came from: a hub repository with its commit, or a folder
    licence: str
    sha256: dict[str, str] = field(default_factory=dict)  # by file name
    # What was measured of how sure its tags may be (`indexers.calibration.Calibration`).
    calibration: dict[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        with (folder / MANIFEST).open("w", encoding="utf-8") as out:
            json.dump(asdict(self), out, indent=1, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())


def read_manifest(folder: Path) -> Manifest | None:
    """None where there is none: a folder that a person put there."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise BadRequest(f"{folder / MANIFEST} cannot be read: {error}") from error


def model_files(folder: Path) -> list[Path]:
    """Every file that shapes what the model says: configuration, tokenizer, weights."""
    found = format_of(folder) or OPEN_CLIP
    return [folder / name for name in found.files_in(folder)]


def is_model_folder(folder: Path, indexer: str | None = None) -> bool:
    """Whether it presents itself as a model (`indexer`: of that indexer), whole or not."""
    is_hidden = folder.name.startswith(".")  # not placed yet: `dam.models` is filling it
    return not is_hidden and format_of(folder, indexer) is not None


def size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in model_files(folder))


def flaw(folder: Path) -> str | None:
    """What is wrong with a model folder, or None. Reads headers only; see `Digests` for bytes."""
    found = format_of(folder) or OPEN_CLIP
    if found.patterns:
        return _patterns_flaw(folder, found)
    try:
        config = json.loads((folder / found.config).read_bytes())
    except (OSError, ValueError) as error:
        return f"{found.config} cannot be read: {error}"
    if found is OPEN_CLIP and not (
        isinstance(config, dict) and isinstance(config.get("model_cfg"), dict)
    ):
        return f"{found.config} has no model_cfg"
    reason = _weights_flaw(folder, found)
    if reason is None and found is OPEN_CLIP:
        reason = _text_flaw(folder, config["model_cfg"].get("text_cfg") or {})
    if reason is None and found.indexer == "words":
        reason = _pooling_flaw(folder)
    if reason is None and found.weights.endswith(".safetensors"):
        reason = _safetensors_flaw(folder / found.weights)
    return reason


def _patterns_flaw(folder: Path, found: Format) -> str | None:
    """Each network says itself, when it is loaded, whether it is whole."""
    there = {path.name for pattern in found.patterns for path in folder.glob(pattern)}
    if len(there) < len(found.patterns):
        return f"it needs {len(found.patterns)} files like {' and '.join(found.patterns)}"
    return None


def _weights_flaw(folder: Path, found: Format) -> str | None:
    if (folder / found.weights).is_file():
        missing = [name for name in found.required if not (folder / name).is_file()]
        return f"{missing[0]} is missing" if missing else None
    pickled = [name for name in found.pickled if (folder / name).is_file()]
    if pickled:
        return f"{pickled[0]} is a pickle, which can run code; only {found.weights} is loaded"
    return f"{found.weights} is missing"


def _pooling_flaw(folder: Path) -> str | None:
    """A vector of sentences is the mean of its tokens' here; sentence-transformers knows more."""
    try:
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_bytes())
    except (OSError, ValueError):
        return None  # as in a folder that dam pulled: presets are all of that kind
    if isinstance(pooling, dict) and not pooling.get("pooling_mode_mean_tokens"):
        return "its vectors of sentences are no means of tokens, and no others are made"
    return None


def _text_flaw(folder: Path, text: Mapping[str, object]) -> str | None:
    if text.get("hf_model_name"):
        return "its text half (hf_model_name) lies in another repository, which is never contacted"
    if text.get("hf_tokenizer_name") and not any((folder / name).is_file() for name in TOKENIZER):
        return "the files of its tokenizer (tokenizer.json) are missing"
    return None


def _safetensors_flaw(path: Path) -> str | None:
    """Compares the header with the length of the file: finds truncation without reading it all.

    Format: 8 bytes little-endian header length, the header as JSON, then the tensors
    (https://huggingface.co/docs/safetensors/#format).
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0]
        if not 2 <= length <= min(total - 8, _MAX_HEADER_BYTES):
            return f"{path.name} is not a safetensors file"
        try:
            header = json.loads(file.read(length))
            ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
            expected = 8 + length + max(ends)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return f"{path.name} has a damaged header"
    if total != expected:
        return f"{path.name} has {total} bytes where its header promises {expected}"
    return None


class Digests:
    """sha256 of files, remembered by (path, size, mtime, ctime, inode) so that asking is cheap."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "model-digests.json"

    def sha256(self, path: Path, *, fresh: bool = False) -> str:
        """Hex. `fresh` reads the file even when it is remembered."""
        stat = path.stat()
        seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        remembered = self._remembered()
        known = remembered.get(str(path))
        if known and known[:-1] == seen and not fresh:
            return str(known[-1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._remember({**remembered, str(path): [*seen, digest]})
        return digest

    def of_folder(self, folder: Path) -> str:
        """One digest over names and contents of everything that shapes the model's output."""
        total = hashlib.sha256()
        for path in model_files(folder):
            total.update(f"{path.name}\0{self.sha256(path)}\n".encode())
        return total.hexdigest()

    def _remembered(self) -> dict[str, list[int | str]]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}  # a cache: lost or torn, it is made again
        return found if isinstance(found, dict) else {}

    def _remember(self, digests: dict[str, list[int | str]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps(digests))
        fresh.replace(self._path)
