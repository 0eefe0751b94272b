"""Whose faces belong together: templates and what people said in, a person for each face out.

Knows no database. Decided faces are examples of their people. The other faces join the nearest
person, or become new groups: HDBSCAN (https://doi.org/10.1007/978-3-642-37456-2_14) finds seeds by
density, then groups and single faces join while the mean cosine between them is high enough. All
thresholds follow from the one that the model states for a pair of faces.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from dam.contracts import Unit

    Scores = NDArray[np.float32]

# The mean of several cosines errs less than one: strangers reach this part of the threshold of a
# pair no more often. Lower: relatives join; higher: one person falls into several groups.
OF_A_MEAN = 0.9
PAIRS_OF_A_MEAN = 3
EXAMPLES = 24  # of a person, at most; more: slower, for the same answer
# Two faces of one moment are two people, up to this multiple of the threshold: a mirror, a collage.
SAME_AT_ONCE = 2.0
AT_ONCE = 4_000  # faces grouped together: all their pairs are compared
ROWS = 4_096  # faces compared with all people in one step


@dataclass(slots=True)
class Faces:
    """All faces of one model; faces are meant by their number here."""

    templates: Unit  # (n, dim), rows of unit norm
    same_from: float  # cosine
    moments: Sequence[Hashable]  # equal: seen at the same time in one picture
    decided: Mapping[int, str] = field(default_factory=dict)  # face → person
    refused: Mapping[int, frozenset[str]] = field(default_factory=dict)  # face → who it is not
    before: Mapping[int, str] = field(default_factory=dict)  # face → person or group it was in
    # Groups of `before` that only dam made, and so may be made differently.
    unsettled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grouped:
    people: Mapping[int, str]  # face → person; faces that resemble nobody are not there
    new: Sequence[tuple[int, ...]]  # groups that were not there before


def needed(same_from: float, pairs: NDArray[np.int64] | int) -> Scores:
    """The mean cosine of so many pairs from which they are rather one person's."""
    return np.where(np.asarray(pairs) >= PAIRS_OF_A_MEAN, OF_A_MEAN * same_from, same_from).astype(
        np.float32
    )


def likeness(templates: Unit, examples: Unit) -> Scores:
    """(n,): mean cosine with the more similar half of somebody's examples.

    The half: a child and a grown-up, with beard and without, are examples of one person.
    """
    cosines = np.sort(templates @ examples.T, axis=1)
    return np.asarray(cosines[:, cosines.shape[1] // 2 :].mean(1), np.float32)


def examples_of(members: Sequence[int]) -> list[int]:
    """At most `EXAMPLES`, spread evenly over the order they are given in."""
    if len(members) <= EXAMPLES:
        return list(members)
    return [members[n * len(members) // EXAMPLES] for n in range(EXAMPLES)]


def group(faces: Faces) -> Grouped:
    people = dict(faces.decided)
    free = [n for n in range(len(faces.templates)) if n not in faces.decided]
    examples: dict[str, list[int]] = defaultdict(list)
    for face, person in sorted(faces.decided.items()):
        examples[person].append(face)
    if len(free) > AT_ONCE:  # what dam put together before stays, and the rest is added to it
        for face in free:
            was = faces.before.get(face)
            if was is not None and was in faces.unsettled:
                people[face] = was
                examples[was].append(face)
        free = [n for n in free if n not in people]
    people |= _nearest(faces, free, examples)
    rest = [n for n in free if n not in people]
    groups: list[list[int]] = []
    for start in range(0, len(rest), AT_ONCE):
        groups += _clusters(faces, rest[start : start + AT_ONCE])
    named, new = _named(faces, groups)
    return Grouped(people | named, new)


def _nearest(
    faces: Faces, free: Sequence[int], examples: Mapping[str, Sequence[int]]
) -> dict[int, str]:
    """Free faces that clearly resemble somebody, and nobody more."""
    if not examples or not free:
        return {}
    order = sorted(examples)
    chosen = [examples_of(examples[person]) for person in order]
    floor = [float(needed(faces.same_from, len(some))) for some in chosen]
    found: dict[int, tuple[float, str]] = {}
    for start in range(0, len(free), ROWS):
        rows = list(free[start : start + ROWS])
        part = faces.templates[rows]
        scores = np.stack([likeness(part, faces.templates[some]) for some in chosen], axis=1)
        for n, face in enumerate(rows):
            for refused in faces.refused.get(face, ()):
                if refused in examples:
                    scores[n, order.index(refused)] = -1
        scores[scores < np.array(floor)] = -1
        best = scores.argmax(1)
        for n, face in enumerate(rows):
            if scores[n, best[n]] > 0:
                found[face] = (float(scores[n, best[n]]), order[best[n]])
    members: dict[str, list[int]] = defaultdict(list)
    for face, (_, person) in found.items():
        members[person].append(face)
    kept: dict[int, str] = {}
    for person, some in members.items():
        some.sort(key=lambda face: -found[face][0])
        kept |= dict.fromkeys(_one_a_moment(faces, some, examples[person]), person)
    return kept


def _clusters(faces: Faces, chosen: Sequence[int]) -> list[list[int]]:
    """Groups of two faces and more."""
    if len(chosen) < 2:
        return []
    templates = faces.templates[list(chosen)]
    groups = _joined(templates, _seeds(templates, faces.same_from), faces.same_from)
    found = []
    for members in groups:
        mean = templates[members].mean(0)
        members.sort(key=lambda n: (-float(templates[n] @ mean), n))
        kept = _one_a_moment(faces, [chosen[n] for n in members], ())
        if len(kept) > 1:
            found.append(sorted(kept))
    return found


def _seeds(templates: Unit, same_from: float) -> list[list[int]]:
    """Every face in one group, most of them alone."""
    from sklearn.cluster import HDBSCAN  # slow to import, and not needed to read a list

    labels = HDBSCAN(min_cluster_size=2, min_samples=1, copy=True).fit_predict(templates)
    groups: dict[int, list[int]] = defaultdict(list)
    for face, label in enumerate(labels):
        groups[int(label) if label >= 0 else -2 - face].append(face)
    pure: list[list[int]] = []
    for members in groups.values():
        pure += _purified(templates, members, same_from)
    return pure


def _purified(templates: Unit, members: list[int], same_from: float) -> list[list[int]]:
    """Density alone joins what nothing else lies near: who does not fit is put out again."""
    kept, out = list(members), []
    while len(kept) > 1:
        some = templates[kept]
        means = (some @ some.sum(0) - 1) / (len(kept) - 1)
        worst = int(means.argmin())
        if means[worst] >= float(needed(same_from, len(kept) - 1)):
            break
        out.append([kept.pop(worst)])
    return [kept, *out]


def _joined(templates: Unit, groups: list[list[int]], same_from: float) -> list[list[int]]:
    """Joins the two most similar groups as long as their mean cosine suffices."""
    means = np.stack([templates[members].mean(0) for members in groups])
    sizes = np.array([len(members) for members in groups])
    # The mean of all cosines between two groups is the product of their means.
    margin = means @ means.T - needed(same_from, np.outer(sizes, sizes))
    np.fill_diagonal(margin, -np.inf)
    best = margin.max(1)
    while len(groups) > 1:
        one = int(best.argmax())
        if best[one] < 0:
            break
        other = int(margin[one].argmax())
        means[one] = (means[one] * sizes[one] + means[other] * sizes[other]) / (
            sizes[one] + sizes[other]
        )
        groups[one] += groups[other]
        groups[other] = []
        sizes[one] += sizes[other]
        changed = np.flatnonzero((margin[:, one] == best) | (margin[:, other] == best))
        fresh = means @ means[one] - needed(same_from, sizes * sizes[one])
        fresh[[n for n, members in enumerate(groups) if not members] + [one]] = -np.inf
        margin[one], margin[:, one] = fresh, fresh
        margin[other], margin[:, other] = -np.inf, -np.inf
        best = np.maximum(best, fresh)
        stale = [*changed.tolist(), one, other]
        best[stale] = margin[stale].max(1)
    return [members for members in groups if members]


def _one_a_moment(faces: Faces, ordered: Sequence[int], held: Sequence[int]) -> list[int]:
    """Of several faces in one moment the first, and those that are very much like it.

    `held` are there already.
    """
    firsts: dict[Hashable, int] = {faces.moments[face]: face for face in held}
    kept = []
    for face in ordered:
        first = firsts.setdefault(faces.moments[face], face)
        cosine = float(faces.templates[first] @ faces.templates[face])
        if first == face or cosine >= SAME_AT_ONCE * faces.same_from:
            kept.append(face)
    return kept


def _named(faces: Faces, groups: list[list[int]]) -> tuple[dict[int, str], list[tuple[int, ...]]]:
    """Gives every group the name of the one before with which it shares most faces."""
    shared = [
        (count, -n, person)
        for n, members in enumerate(groups)
        for person, count in Counter(
            faces.before[face] for face in members if face in faces.before
        ).items()
        if person in faces.unsettled
    ]
    names: dict[int, str] = {}
    for _, negative, person in sorted(shared, reverse=True):
        if -negative not in names and person not in names.values():
            names[-negative] = person
    people = {face: names[n] for n, members in enumerate(groups) if n in names for face in members}
    return people, [tuple(members) for n, members in enumerate(groups) if n not in names]
