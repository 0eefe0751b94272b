"""What every indexer keeps to, whoever wrote it: one suite over all that are registered.

Runs the real thing: the stand-in picture model on real photographs and made-up videos.
"""

from __future__ import annotations

import wave
from dataclasses import replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dam.config import Settings
from dam.contracts import (
    VOICE_HZ,
    WIDE_HZ,
    Finding,
    Frame,
    Indexer,
    Item,
    Kind,
    Outcome,
    Producer,
    Queryable,
    QueryEncoder,
    Reads,
    Setup,
    Shot,
    Sound,
    Span,
    Tag,
    Vector,
)
from dam.errors import BadRequest, DamError, DecodeTimeout, UpstreamFailed
from dam.findings import Face, SoundEvent, TextBox, TranscriptLine
from dam.models import ModelStore
from tests.conftest import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

CLASSES: dict[str, type[Indexer]] = {
    entry.name: entry.load() for entry in entry_points(group="dam.indexers")
}
VIDEO_US = 6_000_000
VOICE_US = 5_000_000
Made = dict[str, Indexer]


@pytest.fixture(scope="module")
def made(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Every indexer, set up as the worker does it and entered."""
    home = tmp_path_factory.mktemp("conformance")
    indexers = make_all(shared, home)
    entered = []
    for name in in_order_of_needs():
        indexers[name].__enter__()
        entered.append(name)
    yield indexers
    for name in reversed(entered):
        indexers[name].__exit__(None, None, None)


def make_all(shared: Path, home: Path) -> Made:
    settings = Settings(home=home, models=shared / "models", threads=1, built_in_model=True)
    indexers: Made = {}

    def producer_of(name: str) -> Producer:
        return indexers[name].producer()

    def encoder_of(name: str) -> QueryEncoder:
        indexer = indexers[name]
        assert isinstance(indexer, Queryable)
        return indexer.query_encoder()

    for name, cls in CLASSES.items():
        indexers[name] = cls(
            Setup(
                models=ModelStore(settings),
                cache=home / "cache" / name,
                producer_of=producer_of,
                encoder_of=encoder_of,
            )
        )
    return indexers


def in_order_of_needs() -> list[str]:
    ordered: list[str] = []

    def add(name: str) -> None:
        for need in CLASSES[name].needs:
            add(need)
        if name not in ordered:
            ordered.append(name)

    for name in CLASSES:
        add(name)
    return ordered


@pytest.fixture(params=sorted(CLASSES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[np.ndarray]:
    paths = sorted((shared / "media" / "photos").glob("*.jpg"))[:5]
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def make_items(pictures: Sequence[np.ndarray]) -> list[Item]:
    """Photos of odd shapes and videos, mixed; frames can be read once, as in the worker."""
    odd = [
        pictures[0][:1, :900],
        pictures[1][:, :1],
        np.zeros((1, 1, 3), np.uint8),
        np.full((40, 2000, 3), 255, np.uint8),
    ]
    photos = [
        Item(f"photo-{n}", Kind.PHOTO, image=image) for n, image in enumerate([*pictures, *odd])
    ]
    videos = [
        Item(f"video-{n}", Kind.VIDEO, VIDEO_US, frames=make_frames(pictures, numbered=n == 0))
        for n in range(2)
    ]
    videos.append(Item("short", Kind.VIDEO, 1, frames=iter([make_frame(pictures[0], 0, 0)])))
    videos.append(Item("unknown", Kind.VIDEO, None, frames=make_frames(pictures, numbered=False)))
    recordings = [
        Item("voice", Kind.AUDIO, VOICE_US, sound=make_sound(a_voice())),
        Item("silence", Kind.AUDIO, 5_000_000, sound=make_sound(np.zeros(5 * WIDE_HZ))),
        Item("click", Kind.AUDIO, None, sound=make_sound(np.full(1, 1.0))),
    ]
    return [*photos[:4], videos[0], recordings[0], *photos[4:], *videos[1:], *recordings[1:]]


def a_voice() -> np.ndarray:
    """(n,) at `WIDE_HZ`: three spoken digits, then as much noise as fills `VOICE_US`."""
    with wave.open(str(SHARED / "media" / "speech" / "digits-05.wav")) as file:
        assert file.getframerate() == VOICE_HZ
        spoken = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
    noise = np.random.default_rng(5).normal(0, 0.01, VOICE_US * WIDE_HZ // 10**6)
    noise[: 3 * len(spoken)] += np.repeat(spoken, 3)
    return noise


def make_sound(samples: np.ndarray) -> Iterator[Sound]:
    """In pieces of two seconds, of one channel."""
    step = 2 * WIDE_HZ
    for at in range(0, len(samples), step):
        wide = samples[at : at + step].astype(np.float32)
        yield Sound(at * 1_000_000 // WIDE_HZ, wide[None], wide[::3].copy())


def make_frames(pictures: Sequence[np.ndarray], *, numbered: bool) -> Iterator[Frame]:
    """Three pictures of two seconds each, a frame each 100 ms, a sample each second."""
    for number in range(60):
        picture = pictures[number // 20]
        frame = make_frame(picture, number * 100_000, number if numbered else None)
        yield frame if number % 10 == 0 else replace(frame, image=None)


def make_frame(picture: np.ndarray, at_us: int, number: int | None) -> Frame:
    image = np.asarray(Image.fromarray(picture).resize((320, 240)))
    return Frame(at_us, number, image[::2, ::2].copy(), image)


@pytest.fixture(scope="module")
def upstream(made: Made, pictures: list[np.ndarray]) -> dict[str, dict[str, Outcome]]:
    """What every indexer that another one needs says about the items of `make_items`."""
    found: dict[str, dict[str, Outcome]] = {}
    for name in in_order_of_needs():
        if any(name in cls.needs for cls in CLASSES.values()):
            outcomes = results(made, name, make_items(pictures), found)
            found[name] = {item.asset_id: outcome for item, outcome in outcomes}
    return found


def results(
    made: Made, name: str, items: list[Item], before: dict[str, dict[str, Outcome]]
) -> list[tuple[Item, Outcome]]:
    """Runs an indexer on the items it accepts, with what it needs at hand."""

    def upstream_of(asset_id: str) -> Callable[[str], Sequence[Finding]]:
        def upstream(need: str) -> Sequence[Finding]:
            outcome = before[need].get(asset_id, Outcome())
            if outcome.error:
                raise UpstreamFailed(str(outcome.error))
            return outcome.findings

        return upstream

    accepted = [
        replace(item, upstream=upstream_of(item.asset_id))
        for item in items
        if item.kind in CLASSES[name].accepts
    ]
    return list(zip(accepted, made[name].index(iter(accepted)), strict=True))


def test_satisfies_the_protocol(made: Made, name: str) -> None:
    indexer = made[name]
    assert isinstance(indexer, Indexer)
    assert indexer.name == name
    assert indexer.version >= 1
    assert indexer.batch_size >= 1
    assert indexer.accepts
    assert all(issubclass(kind, Finding.__args__) for kind in indexer.produces)


def test_gives_one_good_outcome_an_item_in_order(
    made: Made, name: str, pictures: list[np.ndarray], upstream: dict[str, dict[str, Outcome]]
) -> None:
    found = results(made, name, make_items(pictures), upstream)
    assert found
    for item, outcome in found:
        assert outcome.error is None, f"{item.asset_id}: {outcome.error}"
        for finding in outcome.findings:
            assert type(finding) in CLASSES[name].produces
            check_finding(finding, item.duration_us)


def check_finding(finding: Finding, duration_us: int | None) -> None:
    if finding.span is not None:
        assert 0 <= finding.span.start_us < finding.span.end_us
        assert duration_us is None or finding.span.end_us <= duration_us
    match finding:
        case Vector(values=values, at_us=at_us, span=span):
            assert values.dtype == np.float32
            assert values.ndim == 1
            assert np.isfinite(values).all()
            assert np.linalg.norm(values) == pytest.approx(1, abs=1e-4)
            assert (at_us is None) == (span is None)
        case Tag(vocabulary=vocabulary, word=word, score=score):
            assert vocabulary
            assert word
            assert 0 <= score <= 1
        case Shot(span=span, best_us=best_us, first_frame=first, end_frame=end):
            assert span.start_us <= best_us < span.end_us
            assert (first is None) == (end is None)
            assert first is None or end is None or 0 <= first < end
        case Face(box=box, landmarks=points, template=template, at_us=at_us, span=span):
            assert box.width > 0
            assert box.height > 0
            assert len(points) == 5
            assert 0 <= finding.confidence <= 1
            assert 0 <= finding.quality <= 1
            assert finding.crop.startswith(b"\xff\xd8")
            assert template is None or np.linalg.norm(template) == pytest.approx(1, abs=1e-4)
            assert (at_us is None) == (span is None)
            assert at_us is None or span is None or span.start_us <= at_us < span.end_us
        case TextBox(text=text, confidence=confidence, box=box, at_us=at_us, span=span):
            assert text.strip()
            assert 0 < confidence <= 1
            assert box.width > 0
            assert box.height > 0
            assert box.left >= 0 <= box.top
            assert box.left + box.width <= 1.001 >= box.top + box.height
            assert (at_us is None) == (span is None)
            assert at_us is None or span is None or span.start_us <= at_us < span.end_us
        case SoundEvent(label=label, score=score):
            assert label
            assert 0 < score <= 1
        case TranscriptLine(span=span, text=text, confidence=confidence, words=words):
            assert text.strip()
            assert 0 <= confidence <= 1
            assert words
            starts_us = [word.span.start_us for word in words]
            assert starts_us == sorted(starts_us)
            assert all(
                span.start_us <= word.span.start_us < word.span.end_us <= span.end_us
                for word in words
            )


def test_the_same_input_gives_the_same_findings(
    made: Made, name: str, pictures: list[np.ndarray], upstream: dict[str, dict[str, Outcome]]
) -> None:
    first, second = (results(made, name, make_items(pictures)[:6], upstream) for _ in range(2))
    for (_, a), (_, b) in zip(first, second, strict=True):
        assert len(a.findings) == len(b.findings)
        for one, other in zip(a.findings, b.findings, strict=True):
            if isinstance(one, Vector) and isinstance(other, Vector):
                assert one.values @ other.values == pytest.approx(1, abs=1e-4)
                assert one.span == other.span
            elif isinstance(one, Face) and isinstance(other, Face):
                assert (one.box, one.crop, one.span) == (other.box, other.crop, other.span)
                assert (one.template is None) == (other.template is None)
                if one.template is not None and other.template is not None:
                    assert one.template @ other.template == pytest.approx(1, abs=1e-4)
            elif isinstance(one, Tag) and isinstance(other, Tag):
                assert (one.vocabulary, one.word, one.span) == (
                    other.vocabulary, other.word, other.span,
                )  # fmt: skip
            else:
                assert one == other


def test_no_items_give_no_outcomes(made: Made, name: str) -> None:
    assert list(made[name].index(iter(()))) == []


def test_reads_items_as_it_goes(made: Made, name: str, pictures: list[np.ndarray]) -> None:
    """The first outcome comes before the source ends, so memory stays bounded."""
    kind = sorted(CLASSES[name].accepts)[0]
    taken = 0
    vector = Vector(np.full(512, 512**-0.5, dtype=np.float32))

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield Item(
                f"asset-{taken}",
                kind,
                duration_us=1_000_000,
                image=pictures[0] if kind is Kind.PHOTO else None,
                frames=[make_frame(pictures[0], 0, 0)] if kind is Kind.VIDEO else (),
                sound=make_sound(np.zeros(WIDE_HZ)) if kind is Kind.AUDIO else (),
                upstream=lambda need: [vector] if need == "visual" else (),
            )

    outcomes = made[name].index(endless())
    assert next(outcomes).error is None
    assert taken <= 2 * CLASSES[name].batch_size


def broken_items(name: str, pictures: list[np.ndarray]) -> list[Item]:
    """Items that cannot be indexed, each between good neighbours of the same kind."""

    def breaks() -> Iterator[Frame]:
        yield make_frame(pictures[0], 0, 0)
        raise DecodeTimeout

    def sound_breaks() -> Iterator[Sound]:
        yield from make_sound(np.zeros(WIDE_HZ))
        raise DecodeTimeout

    def no_upstream(need: str) -> Sequence[Finding]:
        raise UpstreamFailed(f"{need} failed")

    cls = CLASSES[name]
    broken = []
    if Kind.PHOTO in cls.accepts and Reads.IMAGE in cls.reads:
        broken += [
            Item("no picture", Kind.PHOTO),
            Item("grey", Kind.PHOTO, image=pictures[0][..., 0]),
            Item("empty", Kind.PHOTO, image=pictures[0][:0]),
            Item("float", Kind.PHOTO, image=pictures[0].astype(np.float32)),
        ]
    if Kind.VIDEO in cls.accepts and Reads.FRAMES in cls.reads:
        broken += [
            Item("no frames", Kind.VIDEO, VIDEO_US),
            Item("breaks", Kind.VIDEO, VIDEO_US, frames=breaks()),
        ]
    if Reads.SOUND in cls.reads:
        kind = sorted(cls.accepts & {Kind.AUDIO, Kind.VIDEO})[0]
        broken.append(Item("sound breaks", kind, VIDEO_US, sound=sound_breaks()))
    if not cls.reads:
        broken = [Item("upstream", sorted(cls.accepts)[0], upstream=no_upstream)]
    return broken


def test_a_broken_item_fails_alone_and_says_why(
    made: Made, name: str, pictures: list[np.ndarray], upstream: dict[str, dict[str, Outcome]]
) -> None:
    broken = broken_items(name, pictures)
    mixed: list[Item] = []
    for item in make_items(pictures)[:6]:
        if item.kind in CLASSES[name].accepts:
            found = {need: upstream[need].get(item.asset_id) for need in CLASSES[name].needs}
            known = {need: outcome.findings for need, outcome in found.items() if outcome}
            mixed += [replace(item, upstream=lambda n, k=known: k.get(n, ())), *broken[:1]]
            broken = broken[1:]
    mixed = [*mixed, *broken]
    wrong = {item.asset_id for item in broken_items(name, pictures)}
    assert wrong
    for item, outcome in zip(mixed, made[name].index(iter(mixed)), strict=True):
        if item.asset_id in wrong:
            assert isinstance(outcome.error, DamError), item.asset_id
            assert str(outcome.error)
            assert not outcome.findings
        else:
            assert outcome.error is None, f"{item.asset_id}: {outcome.error}"


def test_the_producer_is_stable_and_needs_no_weights_in_memory(
    made: Made, name: str, shared: Path, tmp_path: Path
) -> None:
    never_entered = make_all(shared, tmp_path)[name]
    assert never_entered.producer() == made[name].producer()
    assert never_entered.producer().fingerprint == made[name].producer().fingerprint
    assert never_entered.producer().indexer == name


def test_query_encoders_speak_the_language_of_the_vectors(
    made: Made, name: str, pictures: list[np.ndarray]
) -> None:
    indexer = made[name]
    if not isinstance(indexer, Queryable):
        pytest.skip(f"{name} takes no queries")
    encoder = indexer.query_encoder()
    assert encoder.space == indexer.producer().fingerprint
    takes_pictures = Reads.IMAGE in indexer.reads
    said = TranscriptLine(Span(0, 1_000_000), "Somebody said this.", "en", 0.9)
    one = (
        Item("one", Kind.PHOTO, image=pictures[0])
        if takes_pictures
        else Item("one", Kind.AUDIO, sound=make_sound(a_voice()), upstream=lambda need: [said])
    )
    stored = next(indexer.index([one])).findings[0]
    assert isinstance(stored, Vector)
    texts = encoder.encode_text(["a dog on the beach", "", "ü 漢字 🙂", "word " * 500])
    check_rows(texts, len(stored.values))
    assert encoder.encode_text([]).shape == (0, len(stored.values))
    if not takes_pictures:
        with pytest.raises(BadRequest, match="picture"):
            encoder.encode_image(pictures[:1])
        return
    images = encoder.encode_image(pictures[:2])
    check_rows(images, len(stored.values))
    assert images[0] @ stored.values == pytest.approx(1, abs=1e-3)
    assert encoder.encode_image([]).shape == (0, len(stored.values))


def check_rows(rows: np.ndarray, dim: int) -> None:
    assert rows.dtype == np.float32
    assert rows.shape[1] == dim
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-4)
