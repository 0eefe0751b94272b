"""The tools that train and measure the built-in picture model, on pictures made here."""

from __future__ import annotations

import json
import shutil
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from dam.config import Settings
from dam.model_catalogue import BY_NAME
from dam.models import ModelStore
from indexers.calibration import Calibration
from indexers.clip import Clip
from indexers.vocabulary import load_vocabularies
from tools.measure_mini import measure
from tools.mini import student
from tools.mini.alignment import contrast
from tools.mini.card import CARD, FOLDER, block, measured, shown
from tools.mini.crops import Crops, squeeze
from tools.mini.learner import Learner
from tools.mini.pictures import Photo, Pictures, decode, read_index
from tools.mini.tagging import LEAST_RIGHT, THRESHOLDS, Judged, fit, judge
from tools.mini.teacher import CELLS, MAPS, Seen
from tools.mini.texts import UNKNOWN, Texts
from tools.ship_mini import ship

if TYPE_CHECKING:
    from pathlib import Path

    from dam.contracts import Unit

COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures of one colour each, half of them in a shard, half of them to test with."""
    place = tmp_path / "pictures"
    place.mkdir()
    lines = []
    with tarfile.open(place / "one.tar", "w") as shard:
        for number, (name, colour) in enumerate([*COLOURS.items()] * 2):
            path = place / f"{number}.jpg"
            Image.new("RGB", (160, 120 + 40 * (number % 2)), colour).save(path)
            sharded = number % 2 == 0
            if sharded:
                shard.add(path, path.name)
                path.unlink()
            lines.append(
                {
                    "file": path.name,
                    "shard": "one.tar" if sharded else None,
                    "labels": [name],
                    "captions": [f"everything is {name}"],
                    "split": "train" if number < 3 else "test",
                }
            )
    (place / "index.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return place


def photo(*labels: str, captions: tuple[str, ...] = (), source: str = "made") -> Photo:
    return Photo("x.jpg", None, labels, captions, "train", source)


def test_pictures_come_back_as_they_lay_in_files_and_shards(folder: Path, tmp_path: Path) -> None:
    assert decode(folder, tmp_path / "cache") == (6, [])
    pictures = Pictures(tmp_path / "cache")
    assert len(pictures) == 6
    for at, each in enumerate(pictures.photos):
        shown = pictures[at]
        assert min(shown.shape[:2]) <= 128
        expected = COLOURS[each.labels[0]]
        assert np.abs(shown.reshape(-1, 3).mean(axis=0) - expected).max() < 4
    assert {pictures.photos[at].split for at in pictures.of("test")} == {"test"}


def test_unreadable_picture_is_named_and_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / "1.jpg").write_bytes(b"no picture")
    count, unread = decode(folder, tmp_path / "cache")
    assert count == 5
    assert unread[0].startswith("1.jpg")


def test_csv_says_the_same_as_jsonl(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text(
        "file,labels,captions,split\na.jpg,dog;grass,A dog runs|On the grass,train\nb.jpg,,,test\n"
    )
    first, second = read_index(tmp_path)
    assert first.labels == ("dog", "grass")
    assert first.captions == ("A dog runs", "On the grass")
    assert second.labels == second.captions == ()


def test_wrong_index_names_the_file_and_the_entry(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").write_text('{"file": "a.jpg", "split": "practice"}\n')
    with pytest.raises(ValueError, match=r"index\.jsonl, entry 1.*practice"):
        read_index(tmp_path)


def test_prompt_is_true_of_every_photo_with_its_label_and_perhaps_of_what_implies_it() -> None:
    photos = [photo("dog", "animal", source="pets")] * 30 + [photo("dog"), photo("animal")] * 2
    texts = Texts(photos, context=16)
    rows = np.array([texts.prompts[31][0]])  # a prompt of "animal" alone
    true, perhaps = texts.fits(rows, np.array([0, 30, 31]))
    assert true.tolist() == [[True, False, True]]
    assert perhaps.tolist() == [[True, True, True]]


def test_unused_words_get_the_vector_of_some_word() -> None:
    texts = Texts([photo(captions=("a dog on grass",))], context=16)
    table = torch.arange(len(texts.vocabulary)).float()[:, None]
    whole = texts.vocabulary.spread(table, 49408)
    tokens = open_clip.SimpleTokenizer(context_length=16)(["a dog and a zeppelin"]).numpy()
    compact = texts.vocabulary.compact(tokens)
    assert (whole[tokens[0]].flatten().numpy() == compact[0]).all()
    assert UNKNOWN in compact[0][:6]


def test_contrast_is_least_where_the_true_answers_are_nearest() -> None:
    true = torch.eye(3, dtype=torch.bool)
    assert contrast(10 * true.float(), true) < contrast(10 * (~true).float(), true)
    wrong = torch.tensor([[0.0, 9.0]])
    own, perhaps = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    assert contrast(wrong, own, perhaps) < 1e-3 < contrast(wrong, own)


def test_crops_differ_and_still_show_their_own_photo(folder: Path, tmp_path: Path) -> None:
    decode(folder, tmp_path / "cache")
    pictures = Pictures(tmp_path / "cache")
    squeeze(pictures, tmp_path / "cache")
    rows = pictures.of("test")
    torch.manual_seed(0)
    crops = Crops(pictures, rows, tmp_path / "cache", "cpu")
    mean, std = (torch.tensor(student.PREPROCESS[name]) for name in ("mean", "std"))
    strongest: dict[int, set[int]] = {}
    seen = set()
    for _ in range(10):
        drawn, boxes = crops.draw(torch.arange(len(rows)), 48, 0.4)
        assert drawn.shape == (len(rows), 3, 48, 48)
        assert (boxes >= -1e-5).all()
        assert (boxes <= 1 + 1e-5).all()
        spans = boxes[:, 1::2] - boxes[:, ::2]
        assert (spans.prod(dim=1) > 0.25).all()  # of photos up to 3:2
        colours = drawn.mean(dim=(2, 3)) * std + mean
        for at, colour in enumerate(colours):
            seen.add(round(float(colour.sum()), 3))
            if float(colour.std()) > 0.05:  # not one of those that lost their colour
                strongest.setdefault(at, set()).add(int(colour.argmax()))
    own = [list(COLOURS).index(pictures.photos[row].labels[0]) for row in rows]
    assert [strongest[at] for at in range(len(rows))] == [{each} for each in own]
    assert len(seen) > 10


def test_part_of_a_photo_is_what_the_teacher_saw_there(tmp_path: Path) -> None:
    maps = np.random.default_rng(0).random((3, CELLS, CELLS, 5)).astype(np.float16)
    np.save(tmp_path / MAPS, maps)
    seen = Seen(tmp_path, [2, 0])
    seen.standardise(*seen.standard())
    whole = seen.whole()
    assert torch.allclose(whole.mean(dim=0), torch.zeros(5), atol=1e-3)
    all_of_it = torch.tensor([[0.0, 1, 0, 1]] * 2)
    assert torch.allclose(seen.within(torch.tensor([0, 1]), all_of_it), whole, atol=1e-3)
    corner = torch.tensor([[3 / CELLS, 5 / CELLS, 0.0, 1.5 / CELLS]])
    mean, deviation = seen.standard()
    expected = (2 * maps[0, 3:5, 0].sum(axis=0) + maps[0, 3:5, 1].sum(axis=0)) / 6
    found = seen.within(torch.tensor([1]), corner)[0] * deviation + mean
    assert np.allclose(found.numpy(), expected, atol=1e-2)


def test_saved_student_is_a_small_open_clip_model_that_dam_loads_and_measures(
    folder: Path, tmp_path: Path
) -> None:
    decode(folder, tmp_path / "cache")
    pictures = Pictures(tmp_path / "cache")
    texts = Texts([pictures.photos[at] for at in pictures.of("train")], context=32)
    torch.manual_seed(0)
    model = student.build(len(texts.vocabulary)).eval()
    size = student.save(model.state_dict(), texts.vocabulary, tmp_path / "mini")
    assert size <= 24_000_000

    clip = Clip(
        tmp_path / "mini",
        cache=tmp_path,
        digest="test",
        runtime="torch",
        precision="fp32",
        threads=1,
    )
    said = clip.encode_texts([texts.texts[0], "some other text"])
    with torch.inference_mode():
        ours = student.read(model, texts.batch(np.array([0])))
    assert np.abs(said[0] - ours[0].numpy()).max() < 5e-3  # the file holds 16 bits a number

    figures = {figure.what: figure for figure in measure(clip, pictures, Calibration())}
    found = figures["text to image R@1, pool 3"]
    assert found.chance == pytest.approx(1 / 3)
    assert 0 <= found.value <= 1

    (tmp_path / "shipped").mkdir()
    shutil.copy(FOLDER / CARD, tmp_path / "shipped")
    ship(tmp_path / "mini", tmp_path / "cache", tmp_path / "shipped")
    assert shown(tmp_path / "shipped" / CARD) == block(measured(tmp_path / "shipped"))
    store = ModelStore(Settings(home=tmp_path, models=tmp_path))
    files = store.find(str(tmp_path / "shipped"))
    assert files.licence == BY_NAME["mini"].licence
    assert files.calibration["least_confidence"] in THRESHOLDS

    again = student.build(len(texts.vocabulary))
    student.resume(again, texts.vocabulary, tmp_path / "mini")
    assert torch.allclose(again.text_projection, model.text_projection, atol=1e-3)


def test_fitted_confidence_is_the_share_of_tags_that_are_right() -> None:
    random = np.random.default_rng(3)
    standing = random.normal(size=(400, 60))
    crowd = random.normal(3, 0.3, size=(400, 1))
    chance = 1 / (1 + np.exp(-(2.2 * standing - 0.7 * crowd)))
    judged = Judged(standing, crowd, random.random(chance.shape) < chance)
    found = fit(judged)
    assert found.sharpness == pytest.approx(2.2, abs=0.15)
    assert found.competition == pytest.approx(0.7, abs=0.05)
    given = judged.confidence(found) >= found.least_confidence
    assert judged.true[given].mean() >= LEAST_RIGHT


def test_a_model_that_is_never_right_suggests_next_to_nothing() -> None:
    random = np.random.default_rng(4)
    standing, crowd = random.normal(size=(400, 60)), np.full((400, 1), 3.0)
    found = fit(Judged(standing, crowd, random.random(standing.shape) < 0.01))
    assert found.least_confidence == THRESHOLDS[-1]


def test_a_word_is_said_as_a_whole_or_not_at_all() -> None:
    said = [photo(captions=("A man carrying a catalogue",)), photo(captions=("Two cats",))]

    def say(texts: list[str]) -> Unit:
        rows = np.random.default_rng(len(texts)).normal(size=(len(texts), 8)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    words = [w for v in load_vocabularies("objects,scenes") for w in v.words]
    true = judge(say(["a", "b"]), said, say).true
    assert true[:, words.index("cat")].tolist() == [False, True]
    assert not true[0, words.index("car")]


def test_learner_goes_on_exactly_where_it_was_saved(tmp_path: Path) -> None:
    def learner() -> Learner:
        torch.manual_seed(0)
        return Learner(student.build(50), torch.nn.Linear(4, 4))

    one, other = learner(), learner()
    gradients = torch.randn(one.gradients().shape)
    one.step(0.1, gradients.clone())
    torch.save(one.state(), tmp_path / "training.pt")
    other.load(torch.load(tmp_path / "training.pt"))
    for each in (one, other):
        each.step(0.2, gradients.clone())
    for mine, saved in zip(one.masters, other.masters, strict=True):
        assert torch.equal(mine, saved)
