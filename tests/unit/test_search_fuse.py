"""How sure channels are, how they are fused, which moments are shown, and why."""

from __future__ import annotations

import numpy as np
import pytest

from dam.contracts import Kind
from dam.search.explain import clock, reasons
from dam.search.fuse import Background, fused, text_confidence
from dam.search.matches import Match
from dam.search.moments import moments_of
from dam.search.query import Channel, Moment
from dam.search.spaces import VectorHit


def match(words: str, *, field: str = "name", weight: float = 0.9, is_exact: bool = False) -> Match:
    channel = Channel.TEXT if field in ("name", "title") else Channel.TAGS
    return Match(channel, field, words, frozenset(words.split()), weight, is_exact)


def worth(words: str) -> dict[str, float]:
    return dict.fromkeys(words.split(), 1.0)


def background(*, seed: int = 1) -> Background:
    rng = np.random.default_rng(seed)
    sample = rng.standard_normal((500, 64)).astype(np.float32)
    sample /= np.linalg.norm(sample, axis=1, keepdims=True)
    return Background.of(sample[0], sample[1:])


def test_visual_confidence_keeps_the_order_of_the_cosines() -> None:
    cosines = np.linspace(-1, 1, 201)
    confidences = background().confidence(cosines)
    assert (np.diff(confidences) >= 0).all()
    assert 0 <= confidences.min() <= confidences.max() <= 0.95


def test_what_stands_out_is_sure_and_what_is_like_all_others_is_not() -> None:
    about = background()
    standing_out = about.mean + np.array([0.0, 2.0, 4.5]) * about.deviation
    ordinary, unlucky, wanted = about.confidence(standing_out)
    assert ordinary < 0.02
    assert unlucky < 0.25
    assert 0.8 < wanted <= 0.95


def test_wanted_pictures_do_not_hide_themselves_in_their_background() -> None:
    query = np.eye(1, 8, dtype=np.float32)[0]
    sample = np.zeros((100, 8), np.float32)
    sample[:, 1] = 1
    sample[:2] = query
    assert Background.of(query, sample).confidence(np.array([1.0]))[0] > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_tiny_libraries_give_finite_confidences(count: int) -> None:
    sample = np.eye(max(count, 1), 8, dtype=np.float32)[:count]
    query = np.full(8, 8**-0.5, np.float32)
    confidence = Background.of(query, sample).confidence(np.array([0.3]))
    assert 0 <= confidence[0] <= 0.95


def test_single_word_found_is_nearly_everything() -> None:
    assert text_confidence([match("beach")], worth("beach"), with_model_tags=True) == 0.9


def test_two_words_of_a_long_sentence_are_nearly_nothing() -> None:
    sentence = worth("woman red dress walking dog beach sunset umbrella")
    assert text_confidence([match("dog beach")], sentence, with_model_tags=True) < 0.01


def test_words_spread_over_fields_count_together() -> None:
    spread = [match("dog"), match("beach", field="keyword", weight=0.97)]
    together = text_confidence(spread, worth("dog beach"), with_model_tags=True)
    assert together == pytest.approx((0.9 + 0.97) / 2)


@pytest.mark.parametrize(("field", "least"), [("name", 0.98), ("title", 0.98), ("keyword", 0.97)])
def test_exact_match_is_surer_than_any_likeness(field: str, least: float) -> None:
    exact = [match("golden gate", field=field, weight=0.5, is_exact=True)]
    assert text_confidence(exact, worth("golden gate"), with_model_tags=True) >= least > 0.95


def test_models_tags_count_once_in_a_sentence() -> None:
    tag = Match(Channel.TAGS, "tag", "dog", frozenset({"dog"}), 0.5, False, confidence=0.87)
    assert text_confidence([tag], worth("dog"), with_model_tags=False) == 0
    assert text_confidence([tag], worth("dog"), with_model_tags=True) == 0.5


def test_weak_words_never_reorder_what_was_seen() -> None:
    assert fused(0.8, 0.29) == 0.8
    assert fused(0.8, 0.9) > fused(0.7, 0.9) > 0.9
    assert fused(0.0, 0.2) == 0.2


def hit(at_s: float, confidence: float, span_s: tuple[float, float] | None = None) -> VectorHit:
    start, end = (None, None) if span_s is None else (int(s * 1e6) for s in span_s)
    return VectorHit(int(at_s * 1e6), "a", confidence, int(at_s * 1e6), start, end)


def spans(moments: list[Moment]) -> list[tuple[float | None, float | None]]:
    return [(moment.start_s, moment.end_s) for moment in moments]


def test_photo_is_one_moment_without_a_span() -> None:
    found = moments_of([VectorHit(1, "a", 0.7, None, None, None)])
    assert found == [Moment(None, None, 0.7, Channel.VISUAL)]


def test_neighbours_become_one_moment_with_the_best_score() -> None:
    found = moments_of([hit(0, 0.8, (0, 2)), hit(2, 0.9, (2, 4)), hit(5.9, 0.85, (5.9, 8))])
    assert found == [Moment(0, 8, 0.9, Channel.VISUAL, at_s=2)]


def test_two_seconds_apart_are_two_moments_best_first() -> None:
    found = moments_of([hit(0, 0.8, (0, 2)), hit(4, 0.9, (4, 6))])
    assert spans(found) == [(4, 6), (0, 2)]


def test_frames_far_worse_than_the_best_are_no_moments() -> None:
    found = moments_of([hit(0, 0.3, (0, 2)), hit(2, 0.9, (2, 4)), hit(4, 0.2, (4, 6))])
    assert spans(found) == [(2, 4)]


def test_moment_is_the_shot_that_holds_the_frame() -> None:
    found = moments_of([hit(3, 0.9, (3, 5))], [(0, 2_500_000), (2_500_000, 9_000_000)])
    assert spans(found) == [(2.5, 9)]
    assert found[0].at_s == 3


def test_five_moments_at_most() -> None:
    found = moments_of([hit(at, 0.9 - at / 1000, (at, at + 1)) for at in range(0, 100, 10)])
    assert spans(found) == [(at, at + 1) for at in range(0, 50, 10)]


def why(visual: float, text: float, matches: list[Match], kind: Kind = Kind.PHOTO) -> list[str]:
    moments = [Moment(40, 45, visual, Channel.VISUAL, at_s=42)] if kind is Kind.VIDEO else []
    return reasons(
        kind,
        shown="“a dog”",
        visual=visual,
        text=text,
        moments=moments,
        matches=matches,
        period=None,
        words=("dog",),
    )


def test_reasons_are_plain_and_the_strongest_comes_first() -> None:
    keyword = match("dog", field="keyword", weight=0.97, is_exact=True)
    assert why(0.9, 0.0, []) == ["looks like “a dog” (strong match)"]
    assert why(0.5, 0.97, [keyword]) == ["keyword “dog”", "looks like “a dog” (good match)"]
    assert why(0.5, 0.1, [match("dog")]) == [
        "looks like “a dog” (good match)",
        "file name contains “dog”",
    ]
    assert why(0.01, 0.9, [match("dog")]) == ["file name contains “dog”"]
    assert why(0.8, 0.0, [], Kind.VIDEO) == ["frame at 0:42 looks like “a dog” (strong match)"]


def test_models_tags_say_how_sure_they_are() -> None:
    tag = Match(Channel.TAGS, "tag", "dog", frozenset({"dog"}), 0.5, False, confidence=0.87)
    assert why(0.0, 0.5, [tag]) == ["tag “dog” (87 %)"]


def test_clock_reads_like_a_player() -> None:
    assert [clock(seconds) for seconds in (0, 42.9, 61, 3723)] == [
        "0:00",
        "0:42",
        "1:01",
        "1:02:03",
    ]
