"""Visual vectors: as good as bare open_clip's, in order, in one space whatever the runtime."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from dam.config import Settings
from dam.contracts import Frame, Item, Kind, Setup, Shot, Span, Vector
from dam.errors import OutOfMemory, Permanent, UpstreamFailed, WeightsUnavailable
from dam.models import ModelStore
from indexers import runtimes
from indexers.clip import _encode
from indexers.visual import Visual, frame_spans
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def make(shared: Path, home: Path, **options: str) -> Visual:
    settings = Settings(home=home, models=shared / "models")
    return Visual(Setup(models=ModelStore(settings), cache=home, options=options))


@pytest.fixture(scope="module")
def visual(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visual]:
    with make(shared, tmp_path_factory.mktemp("visual"), runtime="torch") as indexer:
        yield indexer


@pytest.fixture(scope="module")
def photos(shared: Path) -> list[tuple[str, Image.Image]]:
    paths = sorted((shared / "media" / "photos").glob("*.jpg"))
    return [(path.name, Image.open(path).convert("RGB")) for path in paths]


@pytest.fixture(scope="module")
def bare(shared: Path, photos: list[tuple[str, Image.Image]]) -> np.ndarray:
    """What open_clip itself makes of the photos."""
    location = f"local-dir:{shared / 'models' / 'clip-standin'}"
    model, _, prepare = open_clip.create_model_and_transforms(location)
    batch = torch.stack([prepare(image) for _, image in photos])
    with torch.inference_mode():
        return np.asarray(model.eval().encode_image(batch, normalize=True).numpy())


def vectors_of(indexer: Visual, images: Sequence[Image.Image]) -> np.ndarray:
    items = (Item(str(n), Kind.PHOTO, image=np.asarray(i)) for n, i in enumerate(images))
    outcomes = list(indexer.index(items))
    assert all(outcome.error is None for outcome in outcomes)
    return np.stack([f.values for o in outcomes for f in o.findings if isinstance(f, Vector)])


def recall(scores: np.ndarray, truth: np.ndarray) -> list[float]:
    """R@1, R@5, R@10 of (queries, pictures) scores."""
    ranks = (np.argsort(-scores, axis=1) == truth[:, None]).argmax(axis=1)
    return [float((ranks < k).mean()) for k in (1, 5, 10)]


def test_vectors_and_ranking_equal_bare_open_clip(
    visual: Visual, photos: list[tuple[str, Image.Image]], bare: np.ndarray, shared: Path
) -> None:
    vectors = vectors_of(visual, [image for _, image in photos])
    assert (vectors * bare).sum(axis=1).min() >= 0.995

    captions = json.loads((shared / "media" / "photos" / "captions.json").read_text())
    texts = [(n, text) for n, (name, _) in enumerate(photos) for text in captions[name]["captions"]]
    truth = np.array([n for n, _ in texts])
    queries = visual.query_encoder().encode_text([text for _, text in texts])
    ours, theirs = recall(queries @ vectors.T, truth), recall(queries @ bare.T, truth)
    assert ours == pytest.approx(theirs, abs=0.02)
    assert ours[0] > 0.9


def test_large_previews_are_reduced_without_drifting(
    visual: Visual, photos: list[tuple[str, Image.Image]], shared: Path
) -> None:
    large = [image.resize((1600, 1200), Image.Resampling.LANCZOS) for _, image in photos[:12]]
    location = f"local-dir:{shared / 'models' / 'clip-standin'}"
    model, _, prepare = open_clip.create_model_and_transforms(location)
    with torch.inference_mode():
        batch = torch.stack([prepare(image) for image in large])
        reference = model.eval().encode_image(batch, normalize=True).numpy()
    assert (vectors_of(visual, large) * reference).sum(axis=1).min() >= 0.99


@pytest.mark.parametrize("precision", ["auto", "bf16", "fp32"])
def test_every_choice_of_precision_stays_in_the_space(
    shared: Path,
    tmp_path: Path,
    photos: list[tuple[str, Image.Image]],
    bare: np.ndarray,
    precision: str,
) -> None:
    """bf16 spoils this MobileNet a little: the probe must notice and fall back."""
    with make(shared, tmp_path, runtime="torch", precision=precision) as indexer:
        vectors = vectors_of(indexer, [image for _, image in photos[:16]])
    assert (vectors * bare[:16]).sum(axis=1).min() >= runtimes.PARITY


@pytest.fixture
def openvino(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where `make test` keeps it, apart: in the environment it would be every test's runtime."""
    apart = REPOSITORY / "build" / "openvino"
    if apart.is_dir():
        monkeypatch.syspath_prepend(apart)
    pytest.importorskip("openvino", reason="OpenVINO is not installed: make test")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "openvino"]:
        del sys.modules[name]  # else it would still seem to be installed


@pytest.mark.usefixtures("openvino")
def test_openvino_gives_the_same_vectors(
    shared: Path, tmp_path: Path, photos: list[tuple[str, Image.Image]], bare: np.ndarray
) -> None:
    with make(shared, tmp_path, runtime="openvino") as indexer:
        assert indexer._loaded.towers.runtime.startswith("openvino")
        vectors = vectors_of(indexer, [image for _, image in photos[:16]])
    assert (vectors * bare[:16]).sum(axis=1).min() >= runtimes.PARITY


def test_runtime_and_precision_are_no_part_of_the_producer(shared: Path, tmp_path: Path) -> None:
    wishes = [{}, {"runtime": "torch"}, {"precision": "fp32"}, {"model": "clip-standin"}]
    assert len({make(shared, tmp_path, **w).producer().fingerprint for w in wishes}) == 1


def test_without_weights_there_is_no_producer_and_no_entering(settings: Settings) -> None:
    indexer = Visual(Setup(models=ModelStore(settings), cache=settings.home))
    with pytest.raises(WeightsUnavailable, match="dam models pull"):
        indexer.producer()
    with pytest.raises(WeightsUnavailable, match="dam models pull"):
        indexer.__enter__()


def test_a_network_open_clip_cannot_build_is_reported(tmp_path: Path, shared: Path) -> None:
    folder = tmp_path / "models" / "strange"
    shutil.copytree(shared / "models" / "clip-standin", folder)
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["embed_dim"] = 7
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    settings = Settings(home=tmp_path, models=tmp_path / "models")
    indexer = Visual(Setup(models=ModelStore(settings), cache=tmp_path))
    with pytest.raises(WeightsUnavailable, match=r"open_clip cannot load the model in .*strange"):
        indexer.__enter__()


def test_vectors_that_are_not_finite_are_a_failure(
    tmp_path: Path, shared: Path, photos: list[tuple[str, Image.Image]]
) -> None:
    folder = tmp_path / "models" / "spoilt"
    shutil.copytree(shared / "models" / "clip-standin", folder)
    weights = folder / "open_clip_model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.startswith("visual.") and "head" in name)
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    save_file(tensors, weights)
    settings = Settings(home=tmp_path, models=tmp_path / "models")
    options = {"runtime": "torch", "precision": "fp32"}
    with Visual(Setup(models=ModelStore(settings), cache=tmp_path, options=options)) as indexer:
        item = Item("a", Kind.PHOTO, image=np.asarray(photos[0][1]))
        (outcome,) = indexer.index([item])
    assert isinstance(outcome.error, Permanent)
    assert "not finite" in str(outcome.error)


def test_a_batch_too_large_for_memory_is_halved_until_it_fits() -> None:
    sizes = []

    def small_machine(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return batch + 1

    rows = _encode(small_machine, torch.eye(8))
    assert sizes == [8, 4, 2, 2, 4, 2, 2]
    assert rows.argmax(axis=1).tolist() == list(range(8)), "still in order"

    def tiny_machine(batch: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfMemory):
        _encode(tiny_machine, torch.eye(2))


def frames(times_us: Sequence[int], *, sample_every: int = 1) -> Iterator[Frame]:
    for number, at_us in enumerate(times_us):
        image = np.full((60, 80, 3), number % 256, np.uint8)
        yield Frame(at_us, None, image, None if number % sample_every else image)


def test_photos_and_long_videos_share_batches_and_keep_their_order(visual: Visual) -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    items = [
        Item("photo", Kind.PHOTO, image=picture),
        Item("long", Kind.VIDEO, 100_000_000, frames=frames(range(0, 100_000_000, 1_000_000))),
        Item("broken", Kind.PHOTO),
        Item("clip", Kind.VIDEO, 3_000_000, frames=frames([0, 1_000_000, 2_000_000])),
        Item("photo 2", Kind.PHOTO, image=picture),
    ]
    outcomes = list(visual.index(iter(items)))
    assert [len(outcome.findings) for outcome in outcomes] == [1, 100, 0, 3, 1]
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, True, True]
    first, last = outcomes[0].findings[0], outcomes[4].findings[0]
    assert isinstance(first, Vector)
    assert isinstance(last, Vector)
    assert first.values @ last.values == pytest.approx(1, abs=1e-5)


def test_only_samples_are_encoded_and_carry_their_time(visual: Visual) -> None:
    item = Item("a", Kind.VIDEO, 10_000, frames=frames(range(0, 10_000, 1000), sample_every=5))
    (outcome,) = visual.index([item])
    found = [f for f in outcome.findings if isinstance(f, Vector)]
    assert [vector.at_us for vector in found] == [0, 5000]
    assert [vector.span for vector in found] == [Span(0, 5000), Span(5000, 10_000)]


def test_a_frame_spans_its_shot_asked_for_after_the_last_frame(visual: Visual) -> None:
    read = []

    def upstream(name: str) -> list[Shot]:
        assert name == "shots"
        assert read == [0, 4000, 8000]
        return [Shot(Span(0, 6000), 0), Shot(Span(6000, 10_000), 8000)]

    def watched() -> Iterator[Frame]:
        for frame in frames([0, 4000, 8000]):
            read.append(frame.at_us)
            yield frame

    (outcome,) = visual.index([Item("a", Kind.VIDEO, 10_000, frames=watched(), upstream=upstream)])
    assert [f.span for f in outcome.findings] == [
        Span(0, 6000), Span(0, 6000), Span(6000, 10_000),
    ]  # fmt: skip


def test_vectors_do_without_shots_when_those_failed(visual: Visual) -> None:
    def failed(name: str) -> list[Shot]:
        raise UpstreamFailed

    item = Item("a", Kind.VIDEO, 9000, frames=frames([0, 4000]), upstream=failed)
    (outcome,) = visual.index([item])
    assert [f.span for f in outcome.findings] == [Span(0, 4000), Span(4000, 9000)]


@pytest.mark.parametrize("duration_us", [None, 0, 1, 3000, 8001, 20_000])
def test_spans_stay_inside_whatever_duration_is_promised(duration_us: int | None) -> None:
    spans = frame_spans([0, 4000, 8000], duration_us, [])
    end_us = duration_us or 8001
    assert len(spans) == 3
    assert all(span.end_us <= end_us for span in spans)
