"""How sure a model may be of its tags: measured, and put into two numbers and a threshold.

A word counts as right when a label or a caption of the photo says it. Both leave things out, so
every figure is a floor, and what is fitted to them is careful. The photos are halved: one half
fits, the other one measures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexers.calibration import Calibration, Standard
from indexers.vocabulary import load_vocabularies, neutral_texts
from tools.mini.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dam.contracts import Unit
    from indexers.calibration import Scores
    from tools.mini.pictures import Photo

    Truth = NDArray[np.bool_]
    Say = Callable[[list[str]], Unit]

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
LEAST_RIGHT = 0.6  # of the tags at the threshold: three of five, by what labels and captions say
LEAST_TAGS = 30  # under it the share of right ones is luck
STEPS = 25  # of Newton's method; it stands still after ten


@dataclass(frozen=True, slots=True)
class Judged:
    """Photos and words: how far each word stands out, and whether it is said of the photo."""

    standing: Scores  # (photos, words)
    crowd: Scores  # (photos, 1)
    true: Truth  # (photos, words)

    def confidence(self, calibration: Calibration) -> Scores:
        logit = calibration.sharpness * self.standing - calibration.competition * self.crowd
        return np.asarray(1 / (1 + np.exp(-logit)))


def judge(vectors: Unit, photos: Sequence[Photo], say: Say) -> Judged:
    vocabularies = [each for each in load_vocabularies("objects,scenes") if not each.exclusive]
    words = {word: texts for each in vocabularies for word, texts in each.words.items()}
    centres = np.stack([say(list(texts)).mean(axis=0) for texts in words.values()])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    standard = Standard(vectors, say(list(neutral_texts())))
    said = [" . ".join([*photo.labels, *photo.captions]).lower() for photo in photos]
    whole = [re.compile(rf"\b{re.escape(word.lower())}(?:e?s)?\b") for word in words]
    true = np.array([[bool(each.search(text)) for each in whole] for text in said], dtype=bool)
    return Judged(standard.standing(centres), standard.crowd, true)


def fit(judged: Judged) -> Calibration:
    """A logistic regression, and the lowest threshold at which enough of the tags are right."""
    inputs = np.stack(
        [judged.standing.ravel(), -np.broadcast_to(judged.crowd, judged.standing.shape).ravel()],
        axis=1,
    ).astype(np.float64)
    weights = _regressed(inputs, judged.true.ravel().astype(np.float64))
    fitted = Calibration(round(float(weights[0]), 3), round(float(weights[1]), 3))
    return Calibration(
        fitted.sharpness, fitted.competition, _threshold(judged.confidence(fitted), judged.true)
    )


def _regressed(inputs: Scores, outcome: Scores) -> Scores:
    """(2,) by Newton's method; a step that makes it less likely is halved."""

    def unlikeliness(weights: Scores) -> float:
        logit = inputs @ weights
        return float((np.logaddexp(0, logit) - outcome * logit).sum())

    weights = np.zeros(2)
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (outcome - expected)
        bend = (inputs * (expected * (1 - expected))[:, None]).T @ inputs
        step = np.linalg.solve(bend + 1e-6 * np.eye(2), slope)
        while unlikeliness(weights + step) > unlikeliness(weights) and np.abs(step).max() > 1e-6:
            step /= 2
        weights = weights + step
    return weights


def _threshold(confidence: Scores, true: Truth) -> float:
    """The highest of all when none is good enough: next to nothing is then proposed."""
    for threshold in THRESHOLDS:
        given = confidence >= threshold
        if given.sum() < LEAST_TAGS:
            break
        if true[given].mean() >= LEAST_RIGHT:
            return threshold
    return THRESHOLDS[-1]


def tag_figures(judged: Judged, calibration: Calibration) -> list[Figure]:
    """Per threshold: how many tags a photo gets and how many of them are right."""
    confidence, photos = judged.confidence(calibration), len(judged.true)
    found = [Figure("tags are proposed from", calibration.least_confidence, None, photos)]
    for threshold in THRESHOLDS:
        given = confidence >= threshold
        count = int(given.sum())
        found.append(Figure(f"tags a photo at {threshold}", count / photos, None, photos))
        if count:
            right, chance = float(judged.true[given].mean()), float(judged.true.mean())
            found.append(Figure(f"tags right at {threshold}", right, chance, count))
    return found
