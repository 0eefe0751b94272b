"""The main job with real media and the stand-in encoder, through the commands a person types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from dam.config import Settings
from dam.contracts import Kind
from dam.indexing.encoder import LoadedEncoder
from dam.indexing.plan import open_registry
from dam.schema import open_database
from dam.search import Filters, Query, SearchService
from tests.cli import Dam

if TYPE_CHECKING:
    from pathlib import Path

RANKS = (1, 5, 10)
TOLERANCE = 0.02
PHOTOS = Filters(kinds=frozenset({Kind.PHOTO}))
VIDEOS = Filters(kinds=frozenset({Kind.VIDEO}))


@pytest.fixture(scope="module")
def dam(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Dam:
    """The photos and clips of the shared media, indexed in the quality tier."""
    home = tmp_path_factory.mktemp("home")
    settings = {"models": str(shared / "models"), "video_tier": "quality"}
    dam = Dam(home, {**settings, "indexers": "shots,tags,visual"})
    dam.run("library", "add", str(shared / "media" / "photos"))
    dam.run("library", "add", str(shared / "media" / "video"))
    report = dam.json("index")
    assert report["files"]["unreadable"] == 0
    assert all(entry["failed"] == entry["waiting"] == 0 for entry in report["runs"].values())
    assert report["runs"]["visual"]["executed"] == report["runs"]["visual"]["done"] >= 80
    return dam


@pytest.fixture(scope="module")
def service(dam: Dam, shared: Path) -> SearchService:
    settings = Settings(home=dam.home, models=shared / "models", threads=1)
    database = open_database(settings)
    encoder = LoadedEncoder(open_registry(database, settings), "visual")
    return SearchService(database, settings, lambda: encoder)


def bare_ranks(shared: Path, captions: dict[str, list[str]]) -> list[int]:
    """The rank of each caption's picture with open_clip alone, on the original files."""
    folder = f"local-dir:{shared / 'models' / 'clip-standin'}"
    torch.set_num_threads(1)
    model, _, preprocess = open_clip.create_model_and_transforms(folder)
    tokenize = open_clip.get_tokenizer(folder)
    model.eval()
    with torch.inference_mode():
        pictures = torch.stack(
            [
                preprocess(Image.open(shared / "media" / "photos" / name).convert("RGB"))
                for name in captions
            ]
        )
        images = torch.nn.functional.normalize(model.encode_image(pictures), dim=-1).numpy()
        ranks = []
        for row, texts in enumerate(captions.values()):
            vectors = torch.nn.functional.normalize(model.encode_text(tokenize(texts)), dim=-1)
            for scores in vectors.numpy() @ images.T:
                ranks.append(int(np.sum(scores > scores[row])) + 1)
    return ranks


def recall(ranks: list[int], k: int) -> float:
    return sum(rank <= k for rank in ranks) / len(ranks)


def test_captions_find_their_pictures_no_worse_than_the_bare_model(
    service: SearchService, shared: Path
) -> None:
    described = json.loads((shared / "media" / "photos" / "captions.json").read_text())
    captions = {name: entry["captions"] for name, entry in described.items()}
    ours = []
    for name, texts in captions.items():
        for text in texts:
            hits = service.search(Query(text=text, filters=PHOTOS, limit=80)).results
            found = [hit.path.rsplit("/", 1)[-1] for hit in hits]
            ours.append(found.index(name) + 1 if name in found else 1000)
    bare = bare_ranks(shared, captions)
    for k in RANKS:
        print(f"R@{k}: dam {recall(ours, k):.3f}, bare open_clip {recall(bare, k):.3f}")  # noqa: T201
        assert recall(ours, k) >= recall(bare, k) - TOLERANCE


def test_cuts_equal_the_golden_lists_within_a_frame(dam: Dam, shared: Path) -> None:
    from sqlalchemy import select

    from dam.tables import File, ShotRow

    database = open_database(Settings(home=dam.home))
    for name in ("testvideo.mp4", "counter.mp4"):
        golden = shared / "media" / "video" / "golden" / f"{name}.ContentDetector.default.json"
        expected = json.loads(golden.read_text())["cuts"]
        with database.read() as session:
            found = session.scalars(
                select(ShotRow.first_frame)
                .join(File, File.asset_id == ShotRow.asset_id)
                .where(File.display == name)
                .order_by(ShotRow.start_us)
            ).all()
        cuts = [frame for frame in found if frame]
        assert len(cuts) == len(expected), name
        assert all(abs(a - b) <= 1 for a, b in zip(cuts, expected, strict=True)), name
    database.close()


def test_a_search_lands_on_the_moment_of_a_clip(service: SearchService) -> None:
    hits = service.search(
        Query("a person walking", Filters(kinds=frozenset({Kind.VIDEO})), limit=5)
    ).results
    assert hits and all(hit.moments for hit in hits)
    for hit in hits:
        for moment in hit.moments:
            assert moment.start_s is not None and moment.end_s is not None
            assert 0 <= moment.start_s < moment.end_s


def test_the_command_answers_like_the_service_and_says_why(dam: Dam) -> None:
    found = dam.json("search", "a group of elephants", "--limit", "3")
    assert len(found["results"]) == 3 and found["waiting"] == []
    best = found["results"][0]
    assert set(best) >= {"asset_id", "path", "kind", "score", "moments", "why"}
    assert best["why"] and 0 < best["score"] <= 1
    alike = dam.json("search", "--like", best["path"], "--limit", "1")
    assert alike["results"][0]["asset_id"] == best["asset_id"]


def test_a_second_index_executes_nothing_and_verify_finds_nothing(dam: Dam) -> None:
    report = dam.json("index")
    assert all(entry["executed"] == 0 for entry in report["runs"].values())
    assert set(report["files"].values()) == {0}
    assert dam.json("verify") == {"problems": []}


def test_without_any_model_names_and_dates_answer_and_the_rest_waits(
    shared: Path, tmp_path: Path
) -> None:
    dam = Dam(tmp_path / "home")
    dam.run("library", "add", str(shared / "media" / "photos"))
    report = dam.json("index")
    assert report["runs"]["visual"]["waiting"] == 80
    assert report["runs"]["previews"]["done"] == 80
    found = dam.json("search", "000000000790")
    assert found["results"][0]["path"].endswith("000000000790.jpg")
    assert any("dam models pull" in json.dumps(entry) for entry in found["waiting"])
    assert "dam models pull" in dam.run("status")
