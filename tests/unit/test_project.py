"""What we hand to people: the wheel, and programs that start light."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("torch", "torchvision", "open_clip", "faster_whisper", "cv2", "transformers", "faiss")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in the wheel that this checkout builds."""
    if not (REPOSITORY / "web/static/index.html").is_file():
        pytest.skip("the web app is not built (make ui)")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def packaged(package: str, pattern: str) -> set[str]:
    """Files of a package in this checkout, as the wheel must name them."""
    found = (REPOSITORY / package).rglob(pattern)
    return {str(path.relative_to(REPOSITORY)) for path in found if path.is_file()}


def test_wheel_carries_the_built_web_app(wheel: list[str]) -> None:
    built = packaged("web/static", "*")
    assert "web/static/index.html" in built
    assert built <= set(wheel)
    assert not [name for name in wheel if name.startswith("web/ui")]


def test_wheel_carries_migrations_vocabularies_and_licence(wheel: list[str]) -> None:
    versions = packaged("migrations/versions", "*.py")
    vocabularies = packaged("indexers/vocabularies", "*")
    assert versions and vocabularies
    assert versions <= set(wheel)
    assert {name for name in vocabularies if "__pycache__" not in name} <= set(wheel)
    assert {Path(name).name for name in wheel} >= {"LICENSE", "NOTICE", "entry_points.txt"}


def test_wheel_carries_the_evaluation_encoder_with_its_card(wheel: list[str]) -> None:
    carried = packaged("dam/weights", "*")
    assert "dam/weights/mini/README.md" in carried
    assert carried <= set(wheel)


def test_wheel_carries_weights_where_the_checkout_has_them(wheel: list[str], mini: Path) -> None:
    names = {"README.md", "dam-model.json", "figures.json", "open_clip_config.json"}
    names |= {"open_clip_model.safetensors"}
    assert {f"dam/weights/mini/{name}" for name in names} <= set(wheel)


def test_wheel_carries_nothing_else(wheel: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel if ".dist-info" not in name}
    assert tops == {"dam", "indexers", "web", "migrations"}


@pytest.mark.parametrize(
    "light",
    [
        "import web",
        "import web.app, dam.config; web.app.create_app(dam.config.Settings())",
        "import sys; sys.argv = ['dam', '--help']; import dam.cli; dam.cli.main()",
    ],
)
def test_no_machine_learning_is_loaded_by(light: str, tmp_path: Path) -> None:
    program = (
        "import atexit, sys\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print('LOADED', [m for m in heavy if m in sys.modules]))\n"
        f"{light}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("LOADED []")
