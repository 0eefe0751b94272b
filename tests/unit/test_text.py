"""Writing is read in any usual font, size and direction, and nothing is read where none is."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.config import Settings
from dam.contracts import Frame, Item, Kind, Setup, Shot, Span
from dam.errors import WeightsUnavailable
from dam.findings import Box, TextBox
from dam.models import ModelStore
from indexers.text import Text
from indexers.text_models import DETECTOR, RECOGNISER, Wheel
from indexers.text_reader import Line, Reader
from indexers.text_tracks import Tracks
from tests.writing import Sign, photo, scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

S = 1_000_000
# Photographs of COCO in ../shared on which something can be read, or nearly.
WITH_WRITING = frozenset({"107438", "114174", "121647", "129648", "145311", "174632", "211891"})


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Text]:
    home = tmp_path_factory.mktemp("text")
    setup = Setup(models=ModelStore(Settings(home=home)), cache=home / "cache")
    with Text(setup) as entered:
        yield entered


def read(text: Text, *pictures: Image.Image) -> list[list[TextBox]]:
    items = [
        Item(str(at), Kind.PHOTO, image=np.asarray(picture)) for at, picture in enumerate(pictures)
    ]
    return [found(outcome.findings) for outcome in text.index(items)]


def found(findings: Sequence[object]) -> list[TextBox]:
    return [finding for finding in findings if isinstance(finding, TextBox)]


def says(boxes: Sequence[TextBox]) -> str:
    return " ".join(box.text for box in boxes)


@pytest.mark.parametrize(
    "sign",
    [
        Sign("Harbour Street 24", 40),
        Sign("Harbour Street 24", 40, light_on_dark=True),
        Sign("Harbour Street 24", 24, font="complex"),
        Sign("Harbour Street 24", 30, font="duplex", angle=12),
        Sign("Harbour Street 24", 30, angle=-25, light_on_dark=True),
        Sign("Harbour Street 24", 14, font="simplex"),
        Sign("Harbour Street 24", 70, font="simplex", angle=90),
        Sign("Harbour Street 24", 34, angle=180),
    ],
    ids=lambda sign: f"{sign.font} {sign.height_px} px {sign.angle}°",
)
def test_a_sign_in_a_picture_is_read(text: Text, sign: Sign) -> None:
    [boxes] = read(text, photo(sign))
    letters = says(boxes).replace(" ", "")
    assert SequenceMatcher(None, letters, "HarbourStreet24").ratio() > 0.9
    assert all(box.confidence > 0.7 for box in boxes)
    middle = [(box.box.left + box.box.width / 2, box.box.top + box.box.height / 2) for box in boxes]
    assert all(abs(x - 0.5) < 0.25 and abs(y - 0.5) < 0.4 for x, y in middle)


def test_small_print_of_a_preview_is_read(text: Text) -> None:
    small = Sign("Please do not feed the ducks", 12, at=(0.3, 0.7))
    [[box]] = read(text, photo(small, width_px=1600, height_px=1067))
    assert box.text.replace(" ", "") == "Pleasedonotfeedtheducks"  # gaps of 3 px come and go
    assert box.box.left + box.box.width / 2 == pytest.approx(0.3, abs=0.02)
    assert box.box.top + box.box.height / 2 == pytest.approx(0.7, abs=0.02)
    assert (box.at_us, box.span) == (None, None)


def test_lines_come_in_reading_order_and_each_picture_keeps_its_own(text: Text) -> None:
    menu = Sign("Soup of the day\nGrilled fish\nApple pie", 30)
    first, second, third = read(text, photo(menu), scene(), photo(Sign("Way out", 50)))
    assert [box.text for box in first] == ["Soup of the day", "Grilled fish", "Apple pie"]
    assert second == []
    assert [box.text for box in third] == ["Way out"]


def test_nothing_is_read_where_nothing_is_written(text: Text) -> None:
    pictures = [scene(seed=seed) for seed in range(4)]
    pictures += [
        Image.new("RGB", size, "white") for size in ((1, 1), (900, 1), (9, 400), (2000, 40))
    ]
    assert read(text, *pictures) == [[]] * len(pictures)


def test_hardly_any_photograph_is_taken_for_writing(text: Text, shared: Path) -> None:
    paths = sorted((shared / "media" / "photos").glob("*.jpg"))[:36]
    plain = [path for path in paths if path.stem.lstrip("0") not in WITH_WRITING]
    assert len(plain) == 29
    outcomes = read(text, *(Image.open(path).convert("RGB") for path in plain))
    invented = {path.name: says(b) for path, b in zip(plain, outcomes, strict=True) if b}
    assert len(invented) <= 1, invented


# Videos -------------------------------------------------------------------------------------


def film(pictures: Sequence[Image.Image], every_us: int = 2 * S) -> Iterator[Frame]:
    for at, picture in enumerate(pictures):
        image = np.asarray(picture)
        yield Frame(at * every_us, None, image[::4, ::4].copy(), image)
        yield Frame(at * every_us + S, None, image[::4, ::4].copy())  # not a sample


def small(sign: Sign | None, seed: int = 0) -> Image.Image:
    return photo(*([sign] if sign else []), width_px=640, height_px=360, seed=seed)


def watch(text: Text, pictures: Sequence[Image.Image], shots: Sequence[Shot] = ()) -> list[TextBox]:
    item = Item(
        "film", Kind.VIDEO, len(pictures) * 2 * S, frames=film(pictures), upstream=lambda _: shots
    )
    [outcome] = text.index([item])
    assert outcome.error is None
    return found(outcome.findings)


def test_writing_in_a_video_is_found_while_it_is_shown(text: Text) -> None:
    sign = Sign("Exit 12 North", 30)
    [box] = watch(text, [small(s) for s in (None, None, sign, sign, None, None)])
    assert box.text == "Exit 12 North"
    assert box.span == Span(4 * S, 8 * S)
    assert box.at_us in (4 * S, 6 * S)


def test_what_stays_over_cuts_is_one_finding_and_what_changes_is_another(text: Text) -> None:
    logo = Sign("Channel Nine", 22, at=(0.2, 0.15))
    titles = [Sign(f"Chapter {number}", 34, at=(0.5, 0.6)) for number in (1, 2)]
    pictures = [
        photo(logo, titles[at // 2], width_px=640, height_px=360, seed=at) for at in range(4)
    ]
    boxes = watch(text, pictures)
    assert {(box.text, box.span) for box in boxes} == {
        ("Channel Nine", Span(0, 8 * S)),
        ("Chapter 1", Span(0, 4 * S)),
        ("Chapter 2", Span(4 * S, 8 * S)),
    }


def test_writing_comes_and_goes_with_the_cuts_between_two_samples(text: Text) -> None:
    shots = [
        Shot(Span(0, 3 * S), 0),
        Shot(Span(3 * S, 7 * S), 4 * S),
        Shot(Span(7 * S, 10 * S), 8 * S),
    ]
    sign = Sign("Platform", 30)
    [box] = watch(text, [small(s) for s in (None, None, sign, sign, None)], shots)
    assert box.span == Span(3 * S, 7 * S)


def line(text: str, at: float = 0.1, confidence: float = 0.95) -> Line:
    return Line(text, confidence, Box(at, 0.1, 0.2, 0.05))


def followed(*frames: Sequence[Line]) -> list[tuple[str, int, int]]:
    tracks = Tracks()
    for at, lines in enumerate(frames):
        tracks.show(at * 2 * S, lines)
    return [
        (one.text, one.span.start_us // S, one.span.end_us // S)
        for one in tracks.findings(len(frames) * 2 * S, [])
        if one.span
    ]


def test_the_fullest_sure_reading_of_a_line_is_kept() -> None:
    assert followed(
        [line("HARBOUR STR", confidence=0.99)],
        [line("HARBOUR STREET", at=0.3, confidence=0.97)],
        [line("HARBDUR STREFT", at=0.5, confidence=0.8)],
    ) == [("HARBOUR STREET", 0, 6)]


def test_a_clock_in_a_corner_is_one_finding() -> None:
    assert len(followed(*([line(f"10:41:{second:02}")] for second in range(0, 20, 2)))) == 1


def test_writing_that_was_hidden_for_a_moment_has_not_gone() -> None:
    assert followed([line("Bakery")], [], [line("Bakery")]) == [("Bakery", 0, 6)]
    gone = [[line("Bakery")], *([[]] * 6), [line("Bakery")]]
    assert followed(*gone) == [("Bakery", 0, 2), ("Bakery", 14, 16)]


def test_a_doubtful_line_counts_when_it_is_seen_again() -> None:
    assert followed([line("Bakery", confidence=0.75)], []) == []
    assert followed([line("Bakery", confidence=0.75)] * 1, [line("Bakery", confidence=0.75)]) == [
        ("Bakery", 0, 4)
    ]


# Models -------------------------------------------------------------------------------------


def test_models_that_are_not_here_are_a_normal_state(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="pip install"):
        Wheel(tmp_path).find("auto")


def test_a_broken_model_says_how_it_is_mended(tmp_path: Path) -> None:
    for name in (DETECTOR, RECOGNISER):
        (tmp_path / name).write_bytes(b"not a network")
    assert Wheel(tmp_path).find("auto").path == tmp_path
    with pytest.raises(WeightsUnavailable, match="pip install"):
        Reader(tmp_path, threads=1)
