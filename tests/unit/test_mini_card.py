"""The card of the evaluation encoder says what was measured, of the weights that are there."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from dam.model_catalogue import BY_NAME
from dam.model_files import WEIGHTS, read_manifest
from indexers.calibration import Calibration
from tests.conftest import REPOSITORY
from tools.mini.card import CARD, FIGURES, FOLDER, block, fill, measured, shown
from tools.mini.figure import GOALS, Figure, table

if TYPE_CHECKING:
    from pathlib import Path

MINI = BY_NAME["mini"]
AGAIN = "the card is made from the figures: python -m tools.mini.card"


def test_the_card_shows_the_figures_that_were_measured() -> None:
    assert shown(FOLDER / CARD) == block(measured(FOLDER)), AGAIN


def test_figures_and_manifest_are_of_the_weights_that_are_there(mini: Path) -> None:
    weights = hashlib.sha256((mini / WEIGHTS).read_bytes()).hexdigest()
    found, manifest = measured(mini), read_manifest(mini)
    assert found is not None and manifest is not None, "python -m tools.ship_mini makes both"
    assert found["weights_sha256"] == weights == manifest.sha256[WEIGHTS]
    assert found["calibration"] == manifest.calibration
    assert Calibration.of(manifest.calibration) != Calibration(), "measured, not assumed"
    assert (manifest.name, manifest.licence) == (MINI.network, MINI.licence)
    assert set(GOALS) <= {each["what"] for each in found["figures"]}


def test_the_card_says_what_it_must() -> None:
    text = " ".join((FOLDER / CARD).read_text(encoding="utf-8").split())
    assert MINI.notice is not None and MINI.notice in text
    for heading in ("Figures", "Data", "Method", "Limits", "What it must not be used for"):
        assert f"## {heading}" in text
    assert MINI.approval_before_export
    assert "no export that a person has not approved" in text


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CHANGELOG.md",
        "NOTICE",
        "docs/api.md",
        "docs/operations.md",
        "docs/user-guide.md",
        "docs/training.md",
        "docs/indexers/visual.md",
        "docs/indexers/tags.md",
    ],
)
def test_it_is_called_an_evaluation_encoder_on(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert "mini" in text
    assert "evaluation encoder" in " ".join(text.split())


def test_the_table_says_how_far_a_goal_is() -> None:
    made = table(
        [
            Figure("text to image R@10, pool 324", 0.5, 0.031, 324),
            Figure("image, CPU ms on one core", 6.86, None, 64),
            Figure("text to image R@1, pool 324", 0.1, 0.003, 324),
        ]
    )
    assert (
        "| text to image R@10, pool 324 | 0.500 | 0.031 | ≥ 0.55: missed by 0.050 | 324 |" in made
    )
    assert "| image, CPU ms on one core | 6.86 |  | ≤ 15: reached | 64 |" in made
    assert "| text to image R@1, pool 324 | 0.100 | 0.003 |  | 324 |" in made


def test_figures_are_put_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    before = (FOLDER / CARD).read_text(encoding="utf-8")
    (tmp_path / CARD).write_text(before, encoding="utf-8")
    figure = {"what": "made up", "value": 0.25, "chance": 0.1, "of": 4}
    found = {"weights_sha256": "ab", "calibration": {}, "figures": [figure]}
    (tmp_path / FIGURES).write_text(json.dumps(found))
    fill(tmp_path)
    fill(tmp_path)
    assert "| made up | 0.250 | 0.100 |  | 4 |" in shown(tmp_path / CARD)
    after = (tmp_path / CARD).read_text(encoding="utf-8")
    assert after.replace(shown(tmp_path / CARD), shown(FOLDER / CARD)) == before
