"""The report of quality control, from files to the report."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.cli import Dam
from tests.media import RED, write_jpeg, write_sound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def dam(tmp_path_factory: pytest.TempPathFactory) -> Dam:
    folder = tmp_path_factory.mktemp("media") / "Shoot"
    write_jpeg(folder / "wall.jpg", RED, seed=1)
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    grain = Image.fromarray(noise).resize((640, 480), Image.Resampling.NEAREST)
    grain.filter(ImageFilter.GaussianBlur(6)).save(folder / "soft.jpg", quality=95)
    late = np.zeros((2, 14 * 48_000))
    late[:, 12 * 48_000 :] = 0.5 * np.sin(np.arange(2 * 48_000) / 20)
    write_sound(folder / "film.mp4", late, codec="aac", colours=[RED] * 14)
    settings = {"threads": "1", "decoders": "1", "indexers": "quality"}
    dam = Dam(tmp_path_factory.mktemp("home"), settings)
    dam.run("library", "add", str(folder))
    dam.run("index")
    return dam


def test_the_report_names_every_asset_with_its_faults(dam: Dam) -> None:
    report = {
        entry["path"].rsplit("/")[-1]: entry
        for entry in json.loads(dam.run("export", "qc"))["assets"]
    }
    assert report.keys() == {"wall.jpg", "soft.jpg", "film.mp4"}
    assert all(entry["checked"] for entry in report.values())
    soft = {q["measure"]: q for q in report["soft.jpg"]["measured"]}
    assert soft["sharpness"]["is_fault"] and not soft["exposure"]["is_fault"]
    (silence,) = (q for q in report["film.mp4"]["measured"] if q["measure"] == "silence")
    assert (silence["start_s"], silence["unit"]) == (0, "s")
    assert silence["end_s"] == pytest.approx(12, abs=0.1)
    assert any(q["measure"] == "loudness" for q in report["film.mp4"]["measured"])


def test_a_table_has_a_row_a_value_with_times_as_editors_show_them(
    dam: Dam, tmp_path: Path
) -> None:
    dam.run("export", "qc", "--faults", "--out", str(tmp_path / "report.csv"))
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"].rsplit("/")[-1] for row in rows} >= {"soft.jpg", "film.mp4"}
    (silence,) = (row for row in rows if row["measure"] == "silence")
    assert (silence["fault"], silence["start"]) == ("yes", "00:00:00.000")
    assert silence["end"].startswith("00:00:1")


def test_one_asset_is_asked_for_by_its_id_and_a_wrong_id_is_named(dam: Dam) -> None:
    asset = json.loads(dam.run("export", "qc"))["assets"][0]["asset_id"]
    assert len(json.loads(dam.run("export", "qc", "--asset", asset))["assets"]) == 1
    found = json.loads(dam.run("export", "qc", "--query", "film"))["assets"]
    assert [entry["path"].rsplit("/")[-1] for entry in found] == ["film.mp4"]
    assert "1 of the assets" in dam.run("export", "qc", "--asset", "nobody", expect=1)
