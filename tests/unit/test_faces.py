"""Faces are found, aligned and told apart; a video gives one finding for each person and shot."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from dam.config import Settings
from dam.contracts import Frame, Item, Kind, Setup, Shot, Span
from dam.errors import UpstreamFailed, WeightsUnavailable
from dam.findings import Face, Finding
from dam.models import ModelCondition, ModelStore
from indexers.face_models import FaceModel, describe
from indexers.face_networks import SIDE_PX, align, overlap
from indexers.faces import Faces
from tests.model_hub import ModelHub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dam.contracts import Pixels


@pytest.fixture(scope="module")
def faces(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faces]:
    home = tmp_path_factory.mktemp("faces")
    settings = Settings(home=home, models=shared / "models", threads=1)
    with Faces(Setup(models=ModelStore(settings), cache=home)) as entered:
        yield entered


def read(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def look(faces: Faces, pixels: Pixels) -> list[Face]:
    return found(faces, Item("one", Kind.PHOTO, image=pixels))


def found(faces: Faces, item: Item) -> list[Face]:
    outcome = next(iter(faces.index([item])))
    assert outcome.error is None
    return [face for face in outcome.findings if isinstance(face, Face)]


def test_templates_tell_people_apart(shared: Path, faces: Faces) -> None:
    """Published in docs/indexers/faces.md: all pairs of eight people, five pictures each."""
    paths = sorted((shared / "media" / "faces").glob("*/*.png"))
    names = np.array([path.parent.name for path in paths])
    templates = []
    for path in paths:
        [face] = look(faces, read(path))
        assert face.template is not None
        templates.append(face.template)
    cosines = np.stack(templates) @ np.stack(templates).T
    same = names[:, None] == names
    pairs = np.triu_indices(len(names), 1)
    assert roc_auc_score(same[pairs], cosines[pairs]) >= 0.999
    np.fill_diagonal(cosines, -1)
    assert (names[cosines.argmax(1)] == names).all()  # rank-1


def test_a_group_photo_gives_everybody_with_box_points_and_crop(shared: Path, faces: Faces) -> None:
    group = look(faces, read(shared / "media" / "faces" / "bbt3.jpg"))
    assert len(group) == 5
    lefts = [face.box.left for face in group]
    assert lefts == sorted(lefts)
    for face in group:
        assert len(face.landmarks) == 5
        for x, y in face.landmarks:
            assert face.box.left < x < face.box.left + face.box.width
            assert face.box.top < y < face.box.top + face.box.height
        crop = cv2.imdecode(np.frombuffer(face.crop, np.uint8), cv2.IMREAD_COLOR)
        assert 40 < max(crop.shape[:2]) <= 160
        assert (face.at_us, face.span) == (None, None)


def test_faces_too_small_or_blurred_are_shown_but_not_recognised(
    shared: Path, faces: Faces
) -> None:
    sharp = read(shared / "media" / "faces" / "bbt3.jpg")
    small = cv2.resize(sharp, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 4)
    assert all(face.template is not None for face in look(faces, sharp))
    for pixels in (small, blurred):
        seen = look(faces, np.asarray(pixels, np.uint8))
        assert seen
        assert all(face.template is None for face in seen)


def test_a_face_that_fills_a_large_picture_is_found_once(shared: Path, faces: Faces) -> None:
    close = Image.open(shared / "media" / "faces" / "amy" / "amy1.png").convert("RGB")
    [face] = look(faces, np.asarray(close.resize((1500, 1500))))
    assert 0.7 < face.box.width < 1.1


def test_alignment_undoes_turn_scale_and_shift(shared: Path, faces: Faces) -> None:
    pixels = read(shared / "media" / "faces" / "penny" / "penny2.png")
    turned = cv2.warpAffine(
        pixels, cv2.getRotationMatrix2D((75, 75), 20, 0.8), (150, 150), borderValue=(90, 90, 90)
    )
    one, other = (look(faces, np.asarray(p, np.uint8))[0].template for p in (pixels, turned))
    assert one is not None
    assert other is not None
    assert float(one @ other) > 0.85


def test_points_of_one_place_do_not_break_the_alignment() -> None:
    black = np.zeros((40, 40, 3), np.uint8)
    assert align(black, np.full((5, 2), 7, np.float32)).shape == (SIDE_PX, SIDE_PX, 3)


# Videos ------------------------------------------------------------------------------------------


def film(pictures: Sequence[Pixels]) -> Iterator[Frame]:
    """One sample a second, and a frame in between that is none."""
    for number, pixels in enumerate(pictures):
        small = np.ascontiguousarray(pixels[::4, ::4])
        yield Frame(number * 1_000_000, None, small, pixels)
        yield Frame(number * 1_000_000 + 500_000, None, small)


def scene(person: Pixels, *, left: int, beside: Pixels | None = None) -> Pixels:
    stage = np.full((240, 420, 3), 90, np.uint8)
    stage[40:190, left : left + 150] = person
    if beside is not None:
        stage[40:190, 250:400] = beside
    return stage


def upstream(cuts_s: Sequence[int]) -> Callable[[str], Sequence[Finding]]:
    starts = [second * 1_000_000 for second in cuts_s]
    spans = [Span(a, b) for a, b in pairwise(starts)]
    return lambda _name: [Shot(span, span.start_us) for span in spans]


def test_a_video_gives_one_face_a_person_and_shot(shared: Path, faces: Faces) -> None:
    people = shared / "media" / "faces"
    amy = [read(people / "amy" / f"amy{n}.png") for n in (1, 2, 4)]
    raj = read(people / "raj" / "raj2.png")
    pictures = [
        scene(amy[0], left=10),
        scene(amy[1], left=30, beside=raj),
        scene(amy[2], left=60, beside=raj),
        scene(amy[0], left=20),
        scene(amy[1], left=20),
    ]
    item = Item("film", Kind.VIDEO, 5_000_000, frames=film(pictures), upstream=upstream([0, 3, 5]))
    tracked = found(faces, item)
    spans_s = sorted((f.span.start_us // 10**6, f.span.end_us // 10**6) for f in tracked if f.span)
    assert spans_s == [(0, 3), (1, 3), (3, 5)]  # Amy, Raj, and Amy after the cut
    for face in tracked:
        assert face.at_us is not None
        assert face.span is not None
        assert face.span.start_us <= face.at_us < face.span.end_us
        assert face.template is not None
        assert np.linalg.norm(face.template) == pytest.approx(1, abs=1e-5)
    whole = next(f for f in tracked if f.span == Span(0, 3_000_000))
    again = next(f for f in tracked if f.span == Span(3_000_000, 5_000_000))
    other = next(f for f in tracked if f.span == Span(1_000_000, 3_000_000))
    assert whole.template is not None
    assert again.template is not None
    assert other.template is not None
    assert float(whole.template @ again.template) > 0.5 > float(whole.template @ other.template)


def test_without_shots_a_track_ends_where_nobody_is_seen_for_long(
    shared: Path, faces: Faces
) -> None:
    person = read(shared / "media" / "faces" / "howard" / "howard1.png")
    nobody = np.full((240, 420, 3), 90, np.uint8)
    pictures = [scene(person, left=10), *[nobody] * 11, scene(person, left=10)]

    def off(name: str) -> Sequence[Finding]:
        raise UpstreamFailed(f"{name} is switched off")

    item = Item("film", Kind.VIDEO, 13_000_000, frames=film(pictures), upstream=off)
    assert [face.span for face in found(faces, item)] == [
        Span(0, 1_000_000),
        Span(12_000_000, 13_000_000),
    ]


# Models ------------------------------------------------------------------------------------------


def test_a_description_in_the_folder_wins(shared: Path, tmp_path: Path) -> None:
    networks = shared / "models" / "faces"
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in networks.glob("*.onnx"):
        (folder / path.name).symlink_to(path)
    assert describe(folder) == FaceModel(
        "yunet_n_dynamic.onnx", "mobileface_v2.onnx", same_from=0.3
    )
    (folder / "faces.yaml").write_text("channels: rgb\nsame_from: 0.41\n")
    assert describe(folder).channels == "rgb"
    assert describe(folder).same_from == 0.41


def test_the_presets_are_known_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "face_detection_yunet_2023mar.onnx").touch()
    recogniser = tmp_path / "face_recognition_sface_2021dec.onnx"
    recogniser.touch()
    assert describe(tmp_path).same_from == 0.363
    recogniser.rename(tmp_path / "glintr100.onnx")
    assert describe(tmp_path).mean == 127.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour: rgb", "colour is none of"),
        ("channels: grey", "bgr or rgb"),
        ("same_from: 3", "between 0 and 1"),
        ("scale: large", "no float"),
        ("recogniser: ../../x.onnx", "There is no"),
        ("[1, 2", "cannot be read"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    for name in ("yunet.onnx", "other.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "faces.yaml").write_text(text)
    with pytest.raises(WeightsUnavailable, match=reason):
        describe(tmp_path)


def test_two_recognisers_without_a_description_are_not_guessed_at(tmp_path: Path) -> None:
    for name in ("yunet.onnx", "one.onnx", "two.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(WeightsUnavailable, match=r"faces\.yaml"):
        describe(tmp_path)


def test_a_network_that_does_not_load_makes_the_work_wait(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "broken"
    folder.mkdir(parents=True)
    shutil.copy(shared / "models" / "faces" / "yunet_n_dynamic.onnx", folder)
    (folder / "recogniser.onnx").write_bytes(b"no network")
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models")
    indexer = Faces(Setup(models=ModelStore(settings), cache=tmp_path / "cache"))
    indexer.producer()
    with pytest.raises(WeightsUnavailable, match="do not load"):
        indexer.__enter__()
    with pytest.raises(WeightsUnavailable, match="do not load"):
        indexer.producer()


def test_the_preset_brings_its_detector_from_another_repository(settings: Settings) -> None:
    files = {
        "face_recognition_sface_2021dec.onnx": b"recognises",
        "face_detection_yunet_2023mar.onnx": b"detects",
        "face_recognition_sface_2021dec_int8.onnx": b"is not asked for",
    }
    with ModelHub("opencv/face_", files) as hub:
        store = ModelStore(settings, hub=hub.address)
        assert store.pull("sface").state is ModelCondition.READY
    folder = store.find("auto", indexer="faces").path
    assert {path.name for path in folder.glob("*.onnx")} == set(list(files)[:2])


def test_boxes_overlap_by_what_they_share() -> None:
    from dam.findings import Box

    whole, half = Box(0, 0, 1, 1), Box(0.5, 0, 0.5, 1)
    assert overlap(whole, half) == 0.5
    assert overlap(Box(0, 0, 0.4, 1), half) == 0
