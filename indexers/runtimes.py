"""Which arithmetic works a network out on this machine: torch fp32, torch bf16, OpenVINO, a GPU.

torch fp32 on the processor is the reference. Everything quicker is used only while its vectors of
a few made-up pictures and sentences agree with the reference, so vectors made either way share
one space and neither the runtime nor the precision is part of a producer. The verdict is kept in
the cache, since working out the reference again costs a second or more.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import logging
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dam.contracts import Unit

    Tower = Callable[[torch.Tensor], torch.Tensor]

log = logging.getLogger(__name__)

# Least cosine to the reference. ViT-B-32 in bf16 reaches .9999; a MobileNet in bf16 falls to .998
# and is refused. Lower, and near-duplicate scores start to depend on the machine.
PARITY = 0.999
PROBES = 2  # pictures, and as many sentences: each costs a start about 0.3 s


@dataclass(frozen=True, slots=True)
class Towers:
    """The two halves of a loaded network, each taking and giving tensors on the processor."""

    encode_image: Tower  # (n, 3, size, size) float32 → (n, dim)
    encode_text: Tower  # (n, context) int64 → (n, dim)
    dimension: int
    context: int
    image_size_px: int | tuple[int, int]
    preprocess: Mapping[str, Any]  # open_clip's PreprocessCfg as a dictionary
    runtime: str  # what was chosen, for people: "torch bf16 (cpu)"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to work a network out."""

    runtime: str  # torch or openvino
    device: str  # cpu, cuda, mps
    precision: str  # fp32 or bf16

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision} ({self.device})"


REFERENCE = Choice("torch", "cpu", "fp32")


def choose_towers(load: Callable[[], Any], *, cache: Path, runtime: str, precision: str) -> Towers:
    """The first of this machine's choices, quickest first, that agrees with the reference."""
    verdicts = _Verdicts(cache / "parity.json")
    model = load()
    reference: Unit | None = None
    for choice in choices(runtime, precision):
        cosine = 1.0 if choice == REFERENCE else verdicts.get(choice)
        if cosine is not None and cosine < PARITY:
            continue
        if cosine is None and reference is None:
            reference = _vectors(_towers(model, REFERENCE, cache))
        towers = _towers(model, choice, cache)
        if cosine is None and reference is not None:
            cosine = float((reference * _vectors(towers)).sum(axis=1).min())
            verdicts.put(choice, cosine)
        if cosine is not None and cosine >= PARITY:
            return towers
        log.info("%s is not used: cosine %.4f to fp32, under %s", choice, cosine, PARITY)
        model = load()  # bf16 rounded its weights
    raise AssertionError("the reference agrees with itself")


def choices(runtime: str, precision: str) -> Iterator[Choice]:
    """Quickest first; the reference is always the last."""
    device = _device()
    if device == "cuda" and precision != "fp32" and torch.cuda.is_bf16_supported():
        yield Choice("torch", device, "bf16")
    if device != "cpu":
        yield Choice("torch", device, "fp32")
    precisions = ["fp32"] if precision == "fp32" or not _wants_bf16(precision) else ["bf16", "fp32"]
    if runtime != "torch" and device == "cpu":
        if importlib.util.find_spec("openvino"):
            yield from (Choice("openvino", "cpu", each) for each in precisions)
        elif runtime == "openvino":
            log.warning("OpenVINO is not installed (pip install 'dam[openvino]'): torch is used")
    yield from (Choice("torch", "cpu", each) for each in precisions)


def _wants_bf16(precision: str) -> bool:
    """Without the instructions bf16 is emulated and slower than fp32."""
    if precision == "bf16":
        return True
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("arm_bf16"))


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _towers(model: Any, choice: Choice, cache: Path) -> Towers:
    dtype = torch.bfloat16 if choice.precision == "bf16" else torch.float32
    if choice.runtime == "openvino":
        image = openvino_tower(model, cache, precision=choice.precision)
    # Twice as quick for convolutions, no matter for transformers.
    model = model.to(device=choice.device, dtype=dtype, memory_format=torch.channels_last)
    if choice.runtime == "torch":

        def image(batch: torch.Tensor) -> torch.Tensor:
            moved = batch.to(choice.device, dtype, memory_format=torch.channels_last)
            vectors: torch.Tensor = model.encode_image(moved)
            return vectors

    def text(tokens: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = model.encode_text(tokens.to(choice.device))
        return vectors

    with torch.inference_mode():
        dimension = text(torch.zeros(1, model.context_length, dtype=torch.long)).shape[1]
    return Towers(
        encode_image=image,
        encode_text=text,
        dimension=dimension,
        context=model.context_length,
        image_size_px=model.visual.image_size,
        preprocess=model.visual.preprocess_cfg,
        runtime=str(choice),
    )


def openvino_tower(model: Any, cache: Path, *, precision: str) -> Tower:
    """The image half, converted once into the cache and compiled for this processor."""
    import openvino

    saved = cache / f"openvino-{importlib.metadata.version('openvino')}" / "image.xml"
    core = openvino.Core()
    if not saved.is_file():
        _convert(model.visual, model.visual.image_size, saved)
    hints = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "CACHE_DIR": str(saved.parent / "compiled"),
    }
    compiled = core.compile_model(core.read_model(saved), "CPU", hints)
    alone = threading.Lock()  # a compiled model's own request serves one caller at a time

    def encode(batch: torch.Tensor) -> torch.Tensor:
        with alone:
            return torch.from_numpy(np.array(compiled(batch.numpy())[0]))

    return encode


def _convert(visual: Any, size: int | tuple[int, int], saved: Path) -> None:
    import openvino

    edges = (size, size) if isinstance(size, int) else size
    fast = torch.backends.mha.get_fastpath_enabled()
    # The fused attention of torch cannot be traced.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # OpenVINO still asks for torch.jit
            graph = openvino.convert_model(visual, example_input=torch.zeros(1, 3, *edges))
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    graph.reshape([-1, 3, *edges])
    saved.parent.mkdir(parents=True, exist_ok=True)
    partial = saved.with_name("partial.xml")
    openvino.save_model(graph, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").replace(saved.with_suffix(".bin"))
    partial.replace(saved)


def _vectors(towers: Towers) -> Unit:
    """(2 × PROBES, dim) unit rows of made-up pictures, then of made-up sentences."""
    random = np.random.default_rng(0)
    edges = towers.image_size_px
    height, width = (edges, edges) if isinstance(edges, int) else edges
    # Pink noise: strong slow changes and weak fine ones, as photographs have.
    waves = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)) + 1 / width
    noise = np.fft.ifft2(np.fft.fft2(random.normal(size=(PROBES, 3, height, width))) / waves).real
    pictures = torch.from_numpy((noise / noise.std()).astype(np.float32))
    tokens = torch.from_numpy(random.integers(1, 4000, (PROBES, towers.context)))
    with torch.inference_mode():
        vectors = [towers.encode_image(pictures), towers.encode_text(tokens)]
    rows = torch.cat([rows.float().cpu() for rows in vectors]).numpy()
    unit: Unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


class _Verdicts:
    """Measured agreement by choice and library versions, kept in a cache file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, choice: Choice) -> float | None:
        return self._known().get(self._key(choice))

    def put(self, choice: Choice, cosine: float) -> None:
        known = {**self._known(), self._key(choice): cosine}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{threading.get_native_id()}.tmp")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._path)

    def _key(self, choice: Choice) -> str:
        able = torch.cpu.get_capabilities().get("cpu_name", "")
        return f"{choice}, {choice.runtime} {importlib.metadata.version(choice.runtime)}, {able}"

    def _known(self) -> dict[str, float]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
