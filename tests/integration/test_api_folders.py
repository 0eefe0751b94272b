"""The folder picker, and what it must never show: anything outside of its roots."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam import folders
from dam.config import Settings
from dam.folders import USUAL_ROOTS, allowed_roots

if TYPE_CHECKING:
    from flask.testing import FlaskClient

FOLDERS = "/api/v1/folders"
LIBRARIES = "/api/v1/libraries"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The only root, with things outside of it that nobody may see."""
    path = tmp_path / "root"
    path.mkdir()
    (tmp_path / "outside" / "secret").mkdir(parents=True)
    return path


@pytest.fixture
def settings(tmp_path: Path, root: Path) -> Settings:
    return Settings(home=tmp_path / "home", folder_roots=str(root))


def names(listing: dict[str, object]) -> list[str]:
    return [folder["name"] for folder in listing["folders"]]  # type: ignore[attr-defined]


def test_without_a_path_the_roots_are_listed(client: FlaskClient, root: Path) -> None:
    assert client.get(FOLDERS).json == {
        "path": None,
        "parent": None,
        "roots": [str(root)],
        "folders": [{"name": str(root), "path": str(root), "library": None, "readable": True}],
        "truncated": False,
    }


def test_folders_are_listed_in_order_with_the_libraries_among_them(
    client: FlaskClient, root: Path
) -> None:
    for name in ("beach", "Alps", "city"):
        (root / name).mkdir()
    (root / "a-file.jpg").touch()
    library = client.post(LIBRARIES, json={"path": str(root / "beach")}).json["id"]
    listing = client.get(FOLDERS, query_string={"path": str(root)}).json
    assert names(listing) == ["Alps", "beach", "city"]
    assert [folder["library"] for folder in listing["folders"]] == [None, library, None]
    assert (listing["path"], listing["parent"]) == (str(root), None)
    inner = client.get(FOLDERS, query_string={"path": str(root / "Alps")}).json
    assert (inner["parent"], inner["folders"]) == (str(root), [])


def test_hidden_folders_and_those_of_other_programs_are_left_out(
    client: FlaskClient, root: Path
) -> None:
    for name in (".ssh/keys", "@eaDir/x", "Mine.photoslibrary/originals", "shown"):
        (root / name).mkdir(parents=True)
    assert names(client.get(FOLDERS, query_string={"path": str(root)}).json) == ["shown"]
    for hidden in (".ssh", ".ssh/keys", "Mine.photoslibrary/originals"):
        assert client.get(FOLDERS, query_string={"path": str(root / hidden)}).status_code == 403
        assert client.post(LIBRARIES, json={"path": str(root / hidden)}).status_code == 403


def test_own_data_is_not_offered(tmp_path: Path, client: FlaskClient, root: Path) -> None:
    from dam.folders import list_choices

    database = client.application.extensions["dam"].database
    around = Settings(home=tmp_path / "home", folder_roots=str(tmp_path))
    shown = [folder.name for folder in list_choices(database, around, str(tmp_path)).folders]
    assert shown == ["outside", "root"]


@pytest.mark.parametrize(
    "asked",
    [
        "/",
        "/etc",
        "{root}/..",
        "{root}/../outside",
        "{root}/inner/../../outside",
        "{root}/../outside/none",
        "{root}-and-more",
        "//etc",
        "~root",
        "{root}/out",
        "{root}/out/secret",
        "{root}/out/none",
        "{root}/loop",
        "{root}/deep/out/secret",
    ],
)
def test_nothing_outside_of_the_roots_is_listed_or_added(
    client: FlaskClient, root: Path, asked: str
) -> None:
    (root / "inner").mkdir()
    (root / "deep").mkdir()
    (root / "out").symlink_to(root.parent / "outside")
    (root / "deep" / "out").symlink_to("../../outside")
    (root / "loop").symlink_to("/proc/self/cwd")
    path = asked.format(root=root)
    there = client.get(FOLDERS, query_string={"path": path})
    assert there.status_code == 403
    assert "DAM_FOLDER_ROOTS" in there.json["detail"]
    assert str(root.parent / "outside") not in there.json["detail"].replace(path, "")
    assert client.post(LIBRARIES, json={"path": path}).status_code == 403
    assert client.get(LIBRARIES).json["libraries"] == []


@pytest.mark.parametrize("asked", ["root", "../root", "./", "~nobody-by-that-name/x", "\0"])
def test_path_that_is_not_absolute_is_refused(client: FlaskClient, asked: str) -> None:
    assert client.get(FOLDERS, query_string={"path": asked}).status_code == 400
    assert client.post(LIBRARIES, json={"path": asked}).status_code == 400


def test_links_are_shown_only_when_they_stay_inside(client: FlaskClient, root: Path) -> None:
    (root / "real").mkdir()
    (root / "within").symlink_to("real")
    (root / "out").symlink_to(root.parent / "outside")
    (root / "broken").symlink_to("none")
    (root / "circle").symlink_to("circle")
    (root / "up").symlink_to("..")
    listing = client.get(FOLDERS, query_string={"path": str(root)}).json
    assert names(listing) == ["real", "within"]
    assert {folder["path"] for folder in listing["folders"]} == {str(root / "real")}


@pytest.fixture
def swapped(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder in whose place somebody puts a link between the check and the look."""
    (root / "inner").mkdir()
    checked = folders._below_root

    def check_then_swap(settings: Settings, asked: str) -> tuple[Path, Path]:
        found = checked(settings, asked)
        (root / "inner").rmdir()
        (root / "inner").symlink_to(root.parent / "outside")
        return found

    monkeypatch.setattr(folders, "_below_root", check_then_swap)
    return str(root / "inner")


def test_folder_that_becomes_a_link_meanwhile_is_not_followed(
    client: FlaskClient, swapped: str
) -> None:
    answer = client.get(FOLDERS, query_string={"path": swapped})
    assert answer.status_code == 400
    assert "secret" not in answer.text


def test_library_that_becomes_a_link_meanwhile_is_not_added(
    client: FlaskClient, swapped: str
) -> None:
    assert client.post(LIBRARIES, json={"path": swapped}).status_code == 409
    assert client.get(LIBRARIES).json["libraries"] == []


def test_absent_folder_and_file_are_told_apart(client: FlaskClient, root: Path) -> None:
    (root / "photo.jpg").touch()
    assert client.get(FOLDERS, query_string={"path": str(root / "none")}).status_code == 404
    assert client.get(FOLDERS, query_string={"path": str(root / "photo.jpg")}).status_code == 400


def test_names_that_are_no_text_are_shown_and_cannot_be_picked(
    client: FlaskClient, root: Path
) -> None:
    os.mkdir(os.fsencode(root) + b"/caf\xe9")  # noqa: PTH102 (Path has no bytes)
    (root / "<img src=x onerror=alert(1)>").mkdir()
    listed = client.get(FOLDERS, query_string={"path": str(root)}).json["folders"]
    assert [(folder["name"], folder["readable"]) for folder in listed] == [
        ("<img src=x onerror=alert(1)>", True),
        ("caf\N{REPLACEMENT CHARACTER}", False),
    ]


def test_huge_folder_is_cut_off_and_says_so(
    client: FlaskClient, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dam.folders.MOST_FOLDERS", 3)
    for number in range(5):
        (root / f"f{number}").mkdir()
    listing = client.get(FOLDERS, query_string={"path": str(root)}).json
    assert (names(listing), listing["truncated"]) == (["f0", "f1", "f2"], True)


def test_usual_roots_are_the_home_folder_and_where_disks_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    roots = allowed_roots(Settings())
    assert roots[0] == tmp_path
    assert {str(root) for root in roots[1:]} <= {str(Path(r).resolve()) for r in USUAL_ROOTS}
    monkeypatch.setenv("HOME", "/")
    assert Path("/") not in allowed_roots(Settings())


def test_several_roots_are_separated_by_colons(tmp_path: Path) -> None:
    for name in ("a", "b, c"):
        (tmp_path / name).mkdir()
    named = f"{tmp_path}/a:{tmp_path}/none: {tmp_path}/b, c :{tmp_path}/a/"
    assert allowed_roots(Settings(folder_roots=named)) == [tmp_path / "a", tmp_path / "b, c"]
