"""No GPL or AGPL library among what we install (DESIGN: they are out; LGPL and MPL are not)."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
STRONG = re.compile(r"\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)
WEAK = re.compile(r"LGPL|Lesser", re.IGNORECASE)


def locked(name: str) -> list[Requirement]:
    """What the lock installs on this machine."""
    lines = re.findall(r"^[a-z0-9][^\\\n]*==[^\\\n]*", (REQUIREMENTS / name).read_text(), re.M)
    wanted = map(Requirement, lines)
    return [one for one in wanted if one.marker is None or one.marker.evaluate()]


def licence_choices(package: str) -> list[str]:
    """The licences among which a user may choose."""
    facts = metadata(package).json
    if expression := str(facts.get("license_expression", "")):
        return re.split(r"\s+OR\s+", expression.strip("()"))
    classifiers = [c for c in facts.get("classifier", ()) if c.startswith("License ::")]
    return classifiers or re.split(r"\s+OR\s+|/", str(facts.get("license", "")).partition("\n")[0])


def is_strong_copyleft(licence: str) -> bool:
    return bool(STRONG.search(licence)) and not WEAK.search(licence)


@pytest.mark.parametrize("lock", ["dev.lock", "runtime.lock"])
def test_lock_holds_no_gpl_library(lock: str) -> None:
    packages = locked(lock)
    assert len(packages) > 50
    refused = {
        one.name: choices
        for one in packages
        if all(map(is_strong_copyleft, choices := licence_choices(one.name)))
    }
    assert not refused


@pytest.mark.parametrize(
    ("licence", "strong"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("License :: OSI Approved :: GNU Lesser General Public License v2 (LGPLv2)", False),
        ("GNU Library or Lesser General Public License (LGPL)", False),
        ("MPL-2.0", False),
        ("BSD-3-Clause", False),
    ],
)
def test_licence_names_are_told_apart(licence: str, strong: bool) -> None:
    assert is_strong_copyleft(licence) is strong


def test_runtime_lock_is_a_part_of_the_tested_one() -> None:
    tested, runtime = (
        {(one.name, str(one.specifier)) for one in locked(lock)}
        for lock in ("dev.lock", "runtime.lock")
    )
    assert runtime
    assert runtime <= tested
