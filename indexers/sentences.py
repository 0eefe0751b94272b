"""A network that puts sentences into one space by what they mean: mean-pooled, of unit length.

What sentence-transformers does with such a folder, without that library: a BERT-like network, the
mean of its last layer over the tokens of a text (Reimers and Gurevych, https://arxiv.org/abs/1908.10084).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from dam.errors import OutOfMemory, Permanent
from indexers.hearing import calling_a_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.contracts import ModelFiles, Unit

TOKENS = 256  # of one text; passages have 60, and cost grows with the square
AT_ONCE = 32  # texts in one call
# E5 was trained with these words before what is asked and before what answers
# (https://arxiv.org/abs/2402.05672); without them its order suffers.
E5 = re.compile(r"(?:^|[-_/])e5(?:[-_/]|$)", re.IGNORECASE)
QUERY, PASSAGE = "query: ", "passage: "


class Sentences:
    """The loaded network."""

    def __init__(self, files: ModelFiles) -> None:
        from transformers import AutoModel, AutoTokenizer

        self._tokenize: Any = AutoTokenizer.from_pretrained(files.path, local_files_only=True)
        model: Any = AutoModel.from_pretrained(
            files.path, local_files_only=True, use_safetensors=True
        )
        self._model = model.eval()
        self.dimension: int = self._model.config.hidden_size
        self._is_e5 = E5.search(files.name) is not None

    def of_queries(self, texts: Sequence[str]) -> Unit:
        """(n, dim) float32, unit rows, of what is asked."""
        return self._of(texts, QUERY)

    def of_passages(self, texts: Sequence[str]) -> Unit:
        """(n, dim) float32, unit rows, of what may answer."""
        return self._of(texts, PASSAGE)

    def _of(self, texts: Sequence[str], before: str) -> Unit:
        marked = [f"{before}{text}" if self._is_e5 else text for text in texts]
        rows = [self._halving(marked[at : at + AT_ONCE]) for at in range(0, len(marked), AT_ONCE)]
        return np.concatenate([np.zeros((0, self.dimension), np.float32), *rows])

    def _halving(self, texts: Sequence[str]) -> Unit:
        try:
            return self._encode(texts)
        except OutOfMemory:
            if len(texts) == 1:
                raise
            half = len(texts) // 2
            return np.concatenate([self._halving(texts[:half]), self._halving(texts[half:])])

    def _encode(self, texts: Sequence[str]) -> Unit:
        with calling_a_model():
            tokens = self._tokenize(
                list(texts), padding=True, truncation=True, max_length=TOKENS, return_tensors="pt"
            )
            layer = self._model(**tokens).last_hidden_state
            held = tokens["attention_mask"].unsqueeze(-1).to(layer.dtype)
            means = ((layer * held).sum(1) / held.sum(1).clamp(min=1)).float().numpy()
        if not np.isfinite(means).all():
            raise Permanent("The model of sentences gave a vector that is not finite.")
        unit: Unit = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)
        return unit.astype(np.float32)
