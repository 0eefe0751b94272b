"""Size, seed and figures of the reliability tests; the figures end up in build/reliability.json."""

from __future__ import annotations

import json
import os
import random
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from benchmarks.figures import describe_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT = Path(__file__).parents[2] / "build/reliability.json"


class Tier(StrEnum):
    CI = "ci"  # minutes
    FULL = "full"  # make reliability


class RecordFigure(Protocol):
    def __call__(self, promise: str, name: str, value: float, unit: str = "") -> None: ...


def pytest_report_header() -> str:
    machine = describe_machine()
    return f"machine: {machine['name']}, {machine['processor']}, {machine['cores']} cores"


@pytest.fixture(scope="session")
def tier() -> Tier:
    return Tier(os.environ.get("RELIABILITY_TIER", Tier.CI))


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> int:
    """Of this run; printed, so that a failure can be had again."""
    chosen = int(os.environ.get("RELIABILITY_SEED", random.SystemRandom().randrange(2**32)))
    with capsys.disabled():
        print(f"\n{request.node.name}: RELIABILITY_SEED={chosen}")  # noqa: T201
    return chosen


@pytest.fixture(scope="session")
def _report(tier: Tier) -> Iterator[list[dict[str, object]]]:
    figures: list[dict[str, object]] = []
    yield figures
    if figures:
        report = {
            "machine": describe_machine(),
            "tier": tier,
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "figures": figures,
        }
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(json.dumps(report, indent=2) + "\n")


@pytest.fixture
def record_figure(
    _report: list[dict[str, object]],
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> RecordFigure:
    def record(promise: str, name: str, value: float, unit: str = "") -> None:
        with capsys.disabled():
            print(f"\n{promise} {name}: {value:g} {unit}".rstrip())  # noqa: T201
        _report.append(
            {
                "promise": promise,
                "test": request.node.name,
                "name": name,
                "value": value,
                "unit": unit,
            }
        )

    return record
