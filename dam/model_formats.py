"""What the model folders of each indexer hold, and so how one is recognised.

Only data, and one look at a configuration. `dam.model_files` says with it whether a folder is
whole. A new kind of model is an entry here and, where it can be downloaded, a preset in
`dam.model_catalogue`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Files of a tokenizer that lies beside the weights (SigLIP, CLAP); SimpleTokenizer needs none.
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
)
# How sound becomes what the network takes; transformers writes the one or the other.
PROCESSOR = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True, slots=True)
class Format:
    indexer: str  # whose models these are
    called: str  # by people: "a picture model"
    config: str  # the file that says which network it is
    weights: str
    others: tuple[str, ...] = ()  # that shape what the model says, as far as they are there
    pickled: tuple[str, ...] = ()  # the same weights in files that can run code
    model_type: str | None = None  # in the configuration, where several formats share its name
    config_key: str | None = None  # likewise, where the configuration names no type
    required: tuple[str, ...] = ()  # beside the weights; without them a loader asks a hub
    # Where every model names its weights differently: as many files as there are patterns, each of
    # which fits one of them. The configuration may be absent then.
    patterns: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return (self.config, *self.others, self.weights)

    def files_in(self, folder: Path) -> list[str]:
        """Those of its files that are there."""
        named = [name for name in self.files if (folder / name).is_file()]
        found = {path.name for pattern in self.patterns for path in folder.glob(pattern)}
        return [*named, *sorted(found)]

    def fits(self, folder: Path) -> bool:
        """Whether a folder presents itself as one of these, whole or not."""
        if self.patterns and all(any(folder.glob(pattern)) for pattern in self.patterns):
            return True
        if not (folder / self.config).is_file():
            return False
        if self.model_type is None and self.config_key is None:
            return True
        config = _configuration(folder / self.config)
        if self.config_key is not None:
            return self.config_key in config
        return config.get("model_type") == self.model_type


def _configuration(config: Path) -> dict[str, object]:
    try:
        found = json.loads(config.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


OPEN_CLIP = Format(
    indexer="visual",
    called="picture model",
    config="open_clip_config.json",
    weights="open_clip_model.safetensors",
    others=TOKENIZER,
    pickled=("open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth", "pytorch_model.bin"),
)
FORMATS: tuple[Format, ...] = (
    OPEN_CLIP,
    Format(
        indexer="sounds",
        called="model of sound events",
        config="config.json",
        weights="model.safetensors",
        others=PROCESSOR,
        pickled=("pytorch_model.bin",),
        model_type="audio-spectrogram-transformer",
    ),
    Format(
        indexer="sound_space",
        called="model of sounds and words",
        config="config.json",
        weights="model.safetensors",
        others=(*PROCESSOR, *TOKENIZER),
        pickled=("pytorch_model.bin",),
        model_type="clap",
    ),
    Format(  # of sentence-transformers; which is not needed, and whose pooling must be the mean
        indexer="words",
        called="model of sentences",
        config="modules.json",
        weights="model.safetensors",
        others=("config.json", *TOKENIZER, "sentencepiece.bpe.model"),
        pickled=("pytorch_model.bin",),
        required=("config.json",),
    ),
    Format(  # CTranslate2's, as faster-whisper loads it: numbers and names, no code
        indexer="speech",
        called="speech model",
        config="config.json",
        weights="model.bin",
        others=("preprocessor_config.json", "tokenizer.json", "vocabulary.json", "vocabulary.txt"),
        config_key="suppress_ids_begin",
        required=("tokenizer.json",),
    ),
    Format(  # a detector and a recogniser of aligned faces; `indexers.face_models` describes them
        indexer="faces",
        called="face model",
        config="faces.yaml",
        weights="",
        patterns=("*yunet*.onnx", "*.onnx"),
    ),
)


def format_of(folder: Path, indexer: str | None = None) -> Format | None:
    """The format of a model folder; with `indexer` only if it is a model of that indexer."""
    for known in FORMATS:
        if indexer in (None, known.indexer) and known.fits(folder):
            return known
    return None


def format_for(indexer: str) -> Format:
    """What models of an indexer look like. Indexers of plug-ins use those of `visual`."""
    return next((known for known in FORMATS if known.indexer == indexer), OPEN_CLIP)
