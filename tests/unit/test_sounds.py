"""Where sound is, which windows are listened to, and how scores become events and vectors."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.contracts import WIDE_HZ, Item, Kind, Setup, Sound, Span, Vector
from dam.errors import Permanent, WeightsUnavailable
from dam.models import ModelStore
from indexers.sound_space import SoundSpace, mono
from indexers.sounds import Sounds, find_events
from indexers.stretches import STEPS_A_SECOND, Audible, Windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings
    from dam.findings import SoundEvent

RATE_HZ = 1_000
FIVE_S = Windows(length=5 * STEPS_A_SECOND, longest=15 * STEPS_A_SECOND // 2)


def noise(seconds: float) -> np.ndarray:
    count = round(seconds * RATE_HZ)
    return np.random.default_rng(1).uniform(-0.1, 0.1, count).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def cut(*parts: np.ndarray, piece_s: float = 4.0) -> list[tuple[float, float]]:
    """The windows over these sounds, in seconds."""
    whole = np.concatenate(parts)
    step = round(piece_s * RATE_HZ)
    pieces = (whole[at : at + step] for at in range(0, len(whole), step))
    found = []
    for (first, end), samples in FIVE_S.cut(pieces, Audible(RATE_HZ)):
        start_s, end_s = first / STEPS_A_SECOND, end / STEPS_A_SECOND
        expected = whole[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
        np.testing.assert_array_equal(samples, expected)
        found.append((start_s, end_s))
    return found


def test_a_window_begins_with_the_sound_and_never_holds_the_next_one() -> None:
    sounds = cut(silence(3), noise(1), silence(2), noise(5), silence(9), noise(0.5), silence(1))
    assert sounds == [(3, 6), (6, 11), (20, 21.5)]


def test_a_long_sound_is_heard_in_windows_that_overlap() -> None:
    assert cut(noise(14)) == [(0, 5), (2.5, 7.5), (5, 10), (7.5, 14)]


def test_a_short_pause_does_not_part_a_sound() -> None:
    assert cut(noise(1), silence(0.6), noise(1), silence(8)) == [(0, 5)]


@pytest.mark.parametrize("piece_s", [0.013, 1.0, 60.0])
def test_windows_do_not_depend_on_how_the_sound_arrives(piece_s: float) -> None:
    parts = (silence(2.2), noise(12.3), silence(30), noise(0.2), silence(0.5), noise(4.44))
    assert cut(*parts, piece_s=piece_s) == cut(*parts, piece_s=4.0)


def test_silence_has_no_windows() -> None:
    assert cut(silence(20)) == []
    assert cut(silence(0)) == []


def test_hours_of_silence_are_not_held() -> None:
    def pieces() -> Iterator[np.ndarray]:
        yield noise(4)
        for _ in range(2 * 3600 // 4):
            yield silence(4)
        yield noise(4)

    tracemalloc.start()
    found = [place for place, _ in FIVE_S.cut(pieces(), Audible(RATE_HZ))]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 2
    assert peak < 2_000_000  # of the 29 MB


def heard(*parts: np.ndarray) -> Audible:
    audible = Audible(RATE_HZ)
    audible.add(np.concatenate(parts))
    audible.end()
    return audible


def events(scores: list[tuple[int, int, float]], audible: Audible) -> list[SoundEvent]:
    """Windows in seconds with the score of the first of two labels."""
    windows = [
        ((first * STEPS_A_SECOND, end * STEPS_A_SECOND), np.array([score, 0.9], np.float32))
        for first, end, score in scores
    ]
    return find_events(windows, ["Dog", "Silence"], audible, duration_us=None)


def test_an_event_lasts_while_its_label_stays_likely_and_ends_with_the_sound() -> None:
    scores = [(0, 4, 0.01), (2, 6, 0.8), (4, 8, 0.9), (6, 10, 0.3)]
    (event,) = events(scores, heard(noise(9.2), silence(1)))
    assert (event.label, event.span) == ("Dog", Span(4_000_000, 9_200_000))
    assert event.score == pytest.approx((0.8 * 0.9) ** 0.5)


def test_a_label_that_is_never_likely_enough_is_no_event() -> None:
    assert events([(0, 4, 0.35), (2, 6, 0.35)], heard(noise(6))) == []


def test_events_of_one_label_that_nearly_touch_are_one() -> None:
    audible = heard(noise(2), silence(1.5), noise(2), silence(4), noise(1))
    found = events([(0, 2, 0.8), (3, 6, 0.6), (9, 11, 0.7)], audible)
    assert [event.span for event in found] == [Span(0, 5_500_000), Span(9_500_000, 10_500_000)]


def test_sound_of_two_channels_is_mixed_and_nonsense_is_refused() -> None:
    left, right = np.ones(480, np.float32), np.zeros(480, np.float32)
    mixed = mono(Sound(0, np.stack([left, right]), left[::3]))
    np.testing.assert_allclose(mixed, 0.5)
    with pytest.raises(Permanent, match="finite"):
        mono(Sound(0, np.full((1, 480), np.nan, np.float32), left[::3]))


def test_a_missing_model_says_which_command_brings_it(settings: Settings) -> None:
    models = ModelStore(settings)
    for indexer, preset in ((Sounds, "ast"), (SoundSpace, "clap")):
        made = indexer(Setup(models, settings.cache_path))
        with pytest.raises(WeightsUnavailable, match=f"dam models pull {preset}"):
            made.producer()


def test_a_vector_spans_what_is_heard_in_its_window(shared: Path, settings: Settings) -> None:
    store = ModelStore(settings.model_copy(update={"models": shared / "models"}))
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(2 * WIDE_HZ) / WIDE_HZ)
    wide = np.concatenate([np.zeros(3 * WIDE_HZ), tone, np.zeros(3 * WIDE_HZ)]).astype(np.float32)
    piece = Sound(0, wide[None], wide[::3].copy())
    with SoundSpace(Setup(store, settings.cache_path)) as space:
        items = [Item(str(n), Kind.AUDIO, 8_000_000, sound=[piece]) for n in range(3)]
        for outcome in space.index(items):
            (vector,) = outcome.findings
            assert vector.span == Span(3_000_000, 5_000_000)
            assert vector.at_us == 3_000_000


def test_each_of_two_windows_speaks_up_to_the_middle_of_what_they_share(
    shared: Path, settings: Settings
) -> None:
    store = ModelStore(settings.model_copy(update={"models": shared / "models"}))
    wide = (0.2 * np.sin(2 * np.pi * 440 * np.arange(12 * WIDE_HZ) / WIDE_HZ)).astype(np.float32)
    piece = Sound(0, wide[None], wide[::3].copy())
    with SoundSpace(Setup(store, settings.cache_path)) as space:
        (outcome,) = space.index([Item("tone", Kind.AUDIO, 12_000_000, sound=[piece])])
    spans = [vector.span for vector in outcome.findings if isinstance(vector, Vector)]
    assert spans == [
        Span(0, 3_750_000),  # of 0 to 5 s
        Span(3_750_000, 6_250_000),  # of 2.5 to 7.5 s
        Span(6_250_000, 12_000_000),  # of 5 to 12 s
    ]
