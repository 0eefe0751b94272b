"""Teaching a tag: from pictures that a person approved, which others look like them.

A logistic regression on the stored unit vectors (scikit-learn); no picture is decoded and no model
of pictures runs. Rejected pictures are counterexamples; undecided ones stand in for "no", since a
word fits few of them, those most like the examples left out. What it says are suggestions like
those of a model: a person approves them. They are made again whenever the vectors, their space or
the decisions have changed (`refresh_taught`), so they outlive re-runs and changes of model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from dam.changes import Before, change_each
from dam.errors import BadRequest, NotFound
from dam.rows import unpack_vectors
from dam.tables import (
    TagDecision,
    TagRow,
    TagSource,
    TaughtTag,
    VectorRow,
    Verdict,
)
from dam.taught import replace_suggestions, write_taught
from dam.vectors.rows import mark
from dam.vectors.spaces import serving_space

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from dam.changes import Changed
    from dam.db import Database
    from dam.vectors.spaces import Space

LEAST_EXAMPLES = 10  # fewer: what is held out says nothing
SUGGEST_FROM = 0.5  # of the balanced probability
BACKGROUND = 500  # undecided pictures at most; more cost time and change little
TOO_ALIKE = 0.1  # of the undecided, the most alike: likely to be examples nobody approved yet
FOLDS = 5
STRENGTH = 10.0  # C of the regression: unit vectors are short, the default 1 barely learns
CHUNK = 8_192  # vectors scored at once
NEAREST = 3
VOCABULARY = "taught"
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Taught:
    """How a tag was taught, as people are told."""

    word: str
    examples: int
    counterexamples: int
    background: int
    precision: float | None  # estimate: how many of what is suggested are right
    recall: float | None  # estimate: how many of those that are right are suggested
    suggested: int  # undecided assets


@dataclass(frozen=True, slots=True)
class Likeness:
    asset_id: str  # of an approved example
    cosine: float


@dataclass(frozen=True, slots=True)
class _Lesson:
    """Vectors of decided assets and of some others, one row each."""

    right: Matrix
    wrong: Matrix
    others: Matrix

    @property
    def negatives(self) -> int:
        return len(self.wrong) + len(self.others)


def teach(database: Database, word: str) -> tuple[Taught, Changed]:
    """Suggests a word by its examples. Raises `BadRequest` below `LEAST_EXAMPLES`, and where
    nothing is there that could be told from them."""
    with database.read() as session:
        space = serving_space(session, "visual")
        if space is None:
            raise BadRequest(
                f"No picture model has looked at your pictures yet, so “{word}” cannot be taught; "
                "`dam models list` says which there are."
            )
        lesson = _lesson(session, space, word)
    examples = len(lesson.right)
    if examples < LEAST_EXAMPLES:
        raise BadRequest(
            f"“{word}” is approved on {examples} pictures that a model has looked at; it takes "
            f"{LEAST_EXAMPLES} to teach it. Approve {LEAST_EXAMPLES - examples} more."
        )
    if lesson.negatives < LEAST_EXAMPLES:
        raise BadRequest(
            f"Beside the examples of “{word}” there are only {lesson.negatives} pictures to tell "
            f"them from; it takes {LEAST_EXAMPLES}."
        )
    changed = _set_taught(database, word, to=True)
    _renew(database, word)
    return describe_taught(database, word), changed


def forget_taught(database: Database, word: str) -> Changed:
    """Takes back what was taught, with its suggestions; decisions stay. Raises `NotFound`."""
    with database.read() as session:
        if session.get(TaughtTag, word) is None:
            raise NotFound(f"“{word}” was not taught.")
    return _set_taught(database, word, to=False)


def describe_taught(database: Database, word: str) -> Taught:
    """Raises `NotFound` for a tag that was not taught."""
    with database.read() as session:
        row = session.get(TaughtTag, word)
        if row is None:
            raise NotFound(f"“{word}” was not taught.")
        suggested = session.scalar(
            select(func.count(TagRow.asset_id.distinct())).where(
                TagRow.word == word, TagRow.source == TagSource.TAUGHT
            )
        )
        return Taught(
            word,
            row.examples,
            row.counterexamples,
            row.background,
            row.precision,
            row.recall,
            suggested or 0,
        )


def taught_words(session: Session) -> list[str]:
    return list(session.scalars(select(TaughtTag.word).order_by(TaughtTag.word)))


def refresh_taught(database: Database) -> None:
    """Teaches again what was taught from other vectors or decisions than there are now."""
    with database.read() as session:
        stale = [
            row.word
            for row in session.scalars(select(TaughtTag))
            if row.made_from != _sources(session, row.word)
        ]
    for word in stale:
        _renew(database, word)


def nearest_examples(session: Session, word: str, asset_id: str) -> list[Likeness]:
    """The approved examples that an asset looks most like: why a taught tag is suggested."""
    space = serving_space(session, "visual")
    if space is None:
        return []
    rows = session.scalars(
        select(VectorRow.values).where(
            VectorRow.space_id == space.id, VectorRow.asset_id == asset_id
        )
    ).all()
    examples = _vectors_of(session, space, word, Verdict.APPROVED)
    examples.pop(asset_id, None)
    if not rows or not examples:
        return []
    frames = unpack_vectors(rows)
    likest = {id_: float((frames @ vector).max()) for id_, vector in examples.items()}
    best = sorted(likest.items(), key=lambda pair: (-pair[1], pair[0]))[:NEAREST]
    return [Likeness(id_, cosine) for id_, cosine in best]


def _set_taught(database: Database, word: str, *, to: bool) -> Changed:
    return change_each(
        database, [], also=lambda session, _: Before(taught=write_taught(session, {word: to}))
    )


def _renew(database: Database, word: str) -> None:
    with database.read() as session:
        made_from = _sources(session, word)
        space = serving_space(session, "visual")
        if space is None:
            return  # no model has looked yet; what was suggested before stays
        lesson = _lesson(session, space, word)
        is_enough = min(len(lesson.right), lesson.negatives) >= LEAST_EXAMPLES
        if is_enough:
            precision, recall = _held_out(lesson)
            weights, bias = _learnt(lesson.right, np.vstack([lesson.wrong, lesson.others]))
            found = list(_suggestions(session, space, word, weights, bias))
    with database.write() as session:
        row = session.get(TaughtTag, word)
        if row is None:
            return  # forgotten meanwhile
        row.made_from = made_from
        if not is_enough:
            return  # taken back meanwhile, or a new space is young: what is suggested stays
        row.examples, row.counterexamples = len(lesson.right), len(lesson.wrong)
        row.background = len(lesson.others)
        row.precision, row.recall = precision, recall
        replace_suggestions(session, word, found)


def _sources(session: Session, word: str) -> str:
    space = serving_space(session, "visual")
    vectors = tuple(mark(session, space.id)) if space is not None else ()
    said = session.execute(
        select(func.count(), func.sum(TagDecision.id), func.max(TagDecision.decided_us)).where(
            TagDecision.word == word
        )
    ).one()
    return f"{space.id if space else None} {vectors} {tuple(said)}"


def _vectors_of(session: Session, space: Space, word: str, verdict: Verdict) -> dict[str, Matrix]:
    """One (dim,) unit vector by asset: of a video the mean of its frames."""
    rows = session.execute(
        select(VectorRow.asset_id, VectorRow.values)
        .join(TagDecision, TagDecision.asset_id == VectorRow.asset_id)
        .where(
            VectorRow.space_id == space.id,
            TagDecision.word == word,
            TagDecision.verdict == verdict,
        )
        .order_by(VectorRow.id)
    ).all()
    return _means([(row[0], row[1]) for row in rows])


def _means(rows: list[tuple[str, bytes]]) -> dict[str, Matrix]:
    by_asset: dict[str, list[bytes]] = {}
    for asset_id, values in rows:
        by_asset.setdefault(asset_id, []).append(values)
    found = {}
    for asset_id, listed in by_asset.items():
        middle = unpack_vectors(listed).mean(axis=0)
        found[asset_id] = middle / max(float(np.linalg.norm(middle)), 1e-12)
    return found


def _lesson(session: Session, space: Space, word: str) -> _Lesson:
    right = _stacked(_vectors_of(session, space, word, Verdict.APPROVED), space.dim)
    wrong = _stacked(_vectors_of(session, space, word, Verdict.REJECTED), space.dim)
    decided = select(TagDecision.asset_id).where(TagDecision.word == word)
    undecided = session.scalars(
        select(VectorRow.id)
        .where(VectorRow.space_id == space.id, VectorRow.asset_id.not_in(decided))
        .order_by(VectorRow.id)
    ).all()
    spread = np.unique(np.linspace(0, len(undecided) - 1, BACKGROUND).astype(int))
    chosen = [undecided[at] for at in spread] if undecided else []
    values = session.scalars(select(VectorRow.values).where(VectorRow.id.in_(chosen))).all()
    others = unpack_vectors(values) if values else np.zeros((0, space.dim), np.float32)
    if len(right) and len(others):
        likeness = others @ right.mean(axis=0)
        kept = max(1, round(len(others) * (1 - TOO_ALIKE)))
        others = others[np.sort(np.argsort(likeness, kind="stable")[:kept])]
    return _Lesson(right, wrong, others)


def _stacked(vectors: Mapping[str, Matrix], dim: int) -> Matrix:
    return np.stack(list(vectors.values())) if vectors else np.zeros((0, dim), np.float32)


def _learnt(right: Matrix, wrong: Matrix) -> tuple[Matrix, float]:
    """(dim,) and the bias of a logistic regression in which both sides weigh the same."""
    from sklearn.linear_model import LogisticRegression  # a second; most processes never teach

    features = np.vstack([right, wrong])
    labels = np.r_[np.ones(len(right)), np.zeros(len(wrong))]
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    model.fit(features, labels)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _held_out(lesson: _Lesson) -> tuple[float | None, float]:
    """Precision and recall on examples that were not learnt from, fold by fold.

    Undecided pictures count as wrong when they would be suggested, though some may be right: the
    precision is a floor. None: nothing held out would be suggested.
    """
    no = np.vstack([lesson.wrong, lesson.others])
    hit = false = 0
    for fold in range(FOLDS):
        yes_held = np.arange(len(lesson.right)) % FOLDS == fold
        no_held = np.arange(len(no)) % FOLDS == fold
        weights, bias = _learnt(lesson.right[~yes_held], no[~no_held])
        hit += int((_probability(lesson.right[yes_held], weights, bias) >= SUGGEST_FROM).sum())
        false += int((_probability(no[no_held], weights, bias) >= SUGGEST_FROM).sum())
    precision = hit / (hit + false) if hit + false else None
    return precision, hit / len(lesson.right)


def _probability(vectors: Matrix, weights: Matrix, bias: float) -> Matrix:
    logits = np.clip(vectors @ weights + bias, -60, 60)
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _suggestions(
    session: Session, space: Space, word: str, weights: Matrix, bias: float
) -> Iterator[dict[str, object]]:
    """Rows for the undecided assets that look like the examples, of a video at its best frame."""
    decided = set(session.scalars(select(TagDecision.asset_id).where(TagDecision.word == word)))
    best: dict[str, tuple[float, int | None, int | None]] = {}
    rows = session.execute(
        select(VectorRow.asset_id, VectorRow.values, VectorRow.start_us, VectorRow.end_us)
        .where(VectorRow.space_id == space.id)
        .order_by(VectorRow.id)
        .execution_options(yield_per=CHUNK)
    )
    for part in rows.partitions():
        sure = _probability(unpack_vectors([row.values for row in part]), weights, bias)
        for row, score in zip(part, sure.tolist(), strict=True):
            if score < SUGGEST_FROM or row.asset_id in decided:
                continue
            if row.asset_id not in best or score > best[row.asset_id][0]:
                best[row.asset_id] = (score, row.start_us, row.end_us)
    for asset_id, (score, start_us, end_us) in best.items():
        yield {
            "asset_id": asset_id,
            "source": TagSource.TAUGHT,
            "vocabulary": VOCABULARY,
            "word": word,
            "score": score,
            "start_us": start_us,
            "end_us": end_us,
        }
