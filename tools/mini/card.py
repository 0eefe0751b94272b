"""Puts measured figures into the card of the model that comes with dam.

    python -m tools.mini.card

`tools.ship_mini` does it too. Everything between the two marks of the card is made from
`figures.json` beside it; a test compares them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tools.mini.figure import Figure, table

FOLDER = Path(__file__).parents[2] / "dam" / "weights" / "mini"
CARD, FIGURES = "README.md", "figures.json"
BEGIN, END = "<!-- figures: made from figures.json -->\n", "<!-- end of figures -->\n"
UNMEASURED = "Not measured: this copy of dam has no weights.\n"


def measured(folder: Path) -> dict[str, Any] | None:
    """None before anything was measured."""
    path = folder / FIGURES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def block(found: dict[str, Any] | None) -> str:
    """What stands between the marks."""
    if found is None:
        return UNMEASURED
    figures = [Figure(**each) for each in found["figures"]]
    calibration = ", ".join(f"{name} {value:g}" for name, value in found["calibration"].items())
    return (
        f"Of the weights with the sha256 `{found['weights_sha256']}`:\n\n{table(figures)}"
        f"\nCalibration of the tags (`indexers/calibration.py`): {calibration}.\n"
    )


def shown(card: Path) -> str:
    """Raises `ValueError` when the marks are gone."""
    text = card.read_text(encoding="utf-8")
    start = text.index(BEGIN) + len(BEGIN)
    return text[start : text.index(END, start)].strip("\n") + "\n"


def fill(folder: Path) -> None:
    """Writes the figures of `folder` into its card."""
    card = folder / CARD
    text = card.read_text(encoding="utf-8")
    start = text.index(BEGIN) + len(BEGIN)
    end = text.index(END, start)
    made = f"{text[:start]}\n{block(measured(folder))}\n{text[end:]}"
    card.write_text(made, encoding="utf-8")


def main() -> int:
    fill(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
