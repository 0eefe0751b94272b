"""One measured figure, and the table that people read: value, chance and goal.

The same table stands in the card of the model; a test compares it with the figures it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    value: float
    chance: float | None  # None where there is no such thing
    of: int  # how many it was counted over


# What the model was meant to reach: at least (True) or at most (False) so much.
GOALS: dict[str, tuple[bool, float]] = {
    "text to image R@10, pool 324": (True, 0.55),
    "scenes of intel_scenes": (True, 0.85),
    "scenes of sun_scenes": (True, 0.85),
    "scenes of weather": (True, 0.85),
    "sample library, rank for “a cat”": (False, 1),
    "sample library, rank for “a cup of coffee”": (False, 1),
    "sample library, rank for “a motorcycle”": (False, 1),
    "sample library, rank for “a flower”": (False, 1),
    "image, CPU ms on one core": (False, 15),
    "size, MB": (False, 24),
}


def table(figures: Iterable[Figure]) -> str:
    lines = ["| figure | value | chance | goal | of |", "|---|---|---|---|---|"]
    for each in figures:
        chance = "" if each.chance is None else _number(each.chance)
        value, goal = _number(each.value), _goal(each)
        lines.append(f"| {each.what} | {value} | {chance} | {goal} | {each.of} |")
    return "\n".join(lines) + "\n"


def _goal(figure: Figure) -> str:
    if figure.what not in GOALS:
        return ""
    at_least, wanted = GOALS[figure.what]
    missing = wanted - figure.value if at_least else figure.value - wanted
    said = f"{'≥' if at_least else '≤'} {wanted:g}"
    return f"{said}: reached" if missing <= 0 else f"{said}: missed by {_number(missing)}"


def _number(value: float) -> str:
    """Shares with three digits, ranks and milliseconds as they are read."""
    return f"{value:.3f}" if value < 1 else f"{value:.4g}"
