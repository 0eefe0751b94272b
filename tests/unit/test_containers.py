"""The container files agree with the project; no container engine is needed for that."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "docker/Dockerfile").read_text(encoding="utf-8")


def test_image_copies_only_what_is_there() -> None:
    sources = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert sources
    for source in " ".join(sources).split():
        assert (REPOSITORY / source).exists(), source


def test_image_runs_as_an_ordinary_user() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] not in ("0", "root")


def test_compose_keeps_originals_read_only_and_publishes_nothing() -> None:
    compose = yaml.safe_load((REPOSITORY / "docker/compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["dam"]
    assert service["network_mode"] == "host"  # dam itself refuses all but loopback
    assert "ports" not in service
    assert "DAM_HOST" not in str(service)
    (library,) = (volume for volume in service["volumes"] if "DAM_LIBRARY" in volume)
    assert library.endswith(":ro")
