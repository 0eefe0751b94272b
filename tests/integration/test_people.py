"""Who is in photos: grouped, named, merged, split, rejected, undone, forgotten."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sklearn.metrics import adjusted_rand_score
from sqlalchemy import delete, select

from dam.config import Settings
from dam.errors import NotFound
from dam.findings import Box
from dam.indexing.plan import forget_runs
from dam.indexing.worker import Worker
from dam.library.libraries import add_library, list_libraries
from dam.library.update import update_libraries
from dam.media.metadata import MetadataReader
from dam.media.sandbox import Limits, Sandbox
from dam.people import decisions, ledger
from dam.people.faces import find_face
from dam.people.forget import forget_everybody, forget_person, switch_faces
from dam.people.listing import listed_people
from dam.people.reading import Who, count_people, faces_of_asset, faces_of_person, people_cards
from dam.people.regroup import regroup
from dam.people.resemblance import alike, queue
from dam.rows import pack_vector, unpack_vectors
from dam.schema import open_database
from dam.search.query import Query
from dam.search.service import SearchService
from dam.tables import (
    FaceDecision,
    FaceRow,
    File,
    Person,
    ProducerRow,
    Run,
    RunState,
    TextField,
    TextRow,
    Undo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.db import Database
    from dam.people.listing import ListedPerson

LIMITS = Limits(timeout_s=30, memory_mb=4096, max_pixels=50_000_000)


@pytest.fixture(scope="module")
def album(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Eight people, five pictures each, two group photos: indexed once, faces enabled."""
    folder = tmp_path_factory.mktemp("people")
    photos = folder / "photos"
    shutil.copytree(shared / "media" / "faces", photos)
    (photos / "bbt1.jpg").unlink()
    settings = Settings(
        home=folder / "home", models=shared / "models", indexers="faces,shots",
        threads=1, decoders=1,
    )  # fmt: skip
    database = open_database(settings)
    add_library(database, photos)
    with Sandbox(LIMITS) as sandbox, MetadataReader("exiftool", LIMITS) as reader:
        update_libraries(database, settings, sandbox=sandbox, reader=reader)
    work(database, settings)
    with database.read() as session:
        assert session.scalars(select(FaceRow)).all() == []  # off until enabled
        named = select(Run.id).join(ProducerRow).where(ProducerRow.indexer == "faces")
        assert session.scalars(named).all() == []
    switched = switch_faces(database, list_libraries(database)[0], on=True)
    assert switched.planned == 42
    assert "template" in switched.message
    work(database, settings)
    database.close()
    return settings


def work(database: Database, settings: Settings) -> None:
    Worker(database, settings, threading.Event()).run(until_idle=True)


@pytest.fixture
def people(album: Settings, tmp_path: Path) -> Iterator[Database]:
    """A copy of the indexed album for one test."""
    shutil.copytree(album.home, tmp_path / "home", ignore=shutil.ignore_patterns("run", "*.lock"))
    database = open_database(album.model_copy(update={"home": tmp_path / "home"}))
    yield database
    database.close()


def settings_of(album: Settings, database: Database) -> Settings:
    return album.model_copy(update={"home": database.path.parent})


def who(person: ListedPerson) -> str:
    """Whose group it is: the folder of most of its pictures."""
    folders = Counter(Path(face.path).parent.name for face in person.faces)
    return folders.most_common(1)[0][0]


def groups(database: Database) -> dict[str, ListedPerson]:
    return {who(person): person for person in listed_people(database)}


def crop_and_template(database: Database, person_id: str) -> list[tuple[bytes, bytes]]:
    with database.read() as session:
        rows = session.scalars(select(FaceRow).where(FaceRow.person_id == person_id)).all()
        return [(row.crop, row.template) for row in rows if row.template is not None]


def test_eight_people_are_told_apart(people: Database) -> None:
    """ARI >= .95; published in docs/indexers/faces.md."""
    truth, found = [], []
    for number, person in enumerate(listed_people(people)):
        for face in person.faces:
            name = Path(face.path).parent.name
            if name != "photos":  # the group photos have no written truth
                truth.append(name)
                found.append(number)
    assert len(truth) == 40
    assert adjusted_rand_score(truth, found) >= 0.95
    assert len(set(found)) == 8
    with people.read() as session:
        counts = count_people(session)
        assert (counts.named, counts.unnamed) == (0, len(people_cards(session)))


def test_a_name_outlives_indexing_again_and_finds_new_files(
    people: Database, album: Settings, shared: Path
) -> None:
    amy = groups(people)["amy"]
    decisions.name_person(people, amy.person_id, "Amy")
    forget_runs(people, "faces")
    settings = settings_of(album, people)
    work(people, settings)
    again = groups(people)["amy"]
    assert (again.person_id, again.name) == (amy.person_id, "Amy")
    assert len(again.faces) == len(amy.faces)
    # A new file: one of hers that is mirrored, and so another asset.
    from PIL import Image, ImageOps

    photo = ImageOps.mirror(Image.open(shared / "media" / "faces" / "amy" / "amy3.png"))
    [library] = list_libraries(people)
    root = Path(library.root.decode())
    photo.save(root / "mirrored.png")
    try:
        with Sandbox(LIMITS) as sandbox, MetadataReader("exiftool", LIMITS) as reader:
            update_libraries(people, settings, sandbox=sandbox, reader=reader)
        work(people, settings)
        named = next(person for person in listed_people(people) if person.name == "Amy")
        assert any(face.path.endswith("mirrored.png") for face in named.faces)
    finally:
        (root / "mirrored.png").unlink()


def test_decisions_hold_for_templates_of_another_model(people: Database) -> None:
    """Another model's templates: turned, so that none can be compared with the old ones."""
    import numpy as np

    found = groups(people)
    decisions.name_person(people, found["raj"].person_id, "Raj")
    decisions.merge_people(people, found["penny"].person_id, [found["stuart"].person_id])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(256, 256)))[0].astype(np.float32)
    with people.write() as session:
        for row in session.scalars(select(FaceRow)):
            row.person_id = None
            row.left += 0.02  # another detector draws otherwise
            if row.template is not None:
                row.template = pack_vector(unpack_vectors([row.template])[0] @ turn)
        session.scalars(select(Run)).first().finished_us += 1  # type: ignore[union-attr]
        for producer in session.scalars(select(ProducerRow)):
            producer.parameters = {"same_from": 0.3}
        session.execute(delete(Person).where(Person.id == "nobody"))
    from dam.changes import regroup_faces

    with people.write() as session:
        regroup_faces(session)
    assert regroup(people)
    again = groups(people)
    assert again["raj"].name == "Raj"
    merged = next(p for p in listed_people(people) if p.person_id == found["penny"].person_id)
    assert {Path(f.path).parent.name for f in merged.faces} >= {"penny", "stuart"}


def test_a_taken_name_tells_with_whom_to_merge(people: Database) -> None:
    found = groups(people)
    decisions.name_person(people, found["amy"].person_id, "Émilie")
    with pytest.raises(decisions.NameTaken) as taken:
        decisions.name_person(people, found["raj"].person_id, " éMILIE ")
    assert taken.value.person_id == found["amy"].person_id
    decisions.name_person(people, found["amy"].person_id, "Amy")  # free again
    decisions.name_person(people, found["raj"].person_id, "Émilie")


def snapshot(database: Database) -> object:
    with database.read() as session:
        said = session.scalars(select(FaceDecision)).all()
        return (
            sorted((p.id, p.name, p.hidden) for p in session.scalars(select(Person))),
            sorted((d.asset_id, d.left, d.verdict, d.person_id) for d in said),
            sorted(session.execute(select(FaceRow.id, FaceRow.person_id)).all()),
            sorted(
                session.execute(
                    select(TextRow.asset_id, TextRow.body).where(TextRow.field == TextField.PERSON)
                ).all()
            ),
        )


def test_every_change_can_be_undone_once(people: Database) -> None:
    found = groups(people)
    amy, raj, howard = (found[name] for name in ("amy", "raj", "howard"))
    decisions.name_person(people, amy.person_id, "Amy")
    before = snapshot(people)
    face = amy.faces[0].face_id
    asset = raj.faces[0].asset_id
    changes = [
        lambda: decisions.name_person(people, amy.person_id, "Anna"),
        lambda: decisions.name_person(people, raj.person_id, hidden=True),
        lambda: decisions.merge_people(people, amy.person_id, [raj.person_id, howard.person_id]),
        lambda: decisions.merge_people(people, raj.person_id, [amy.person_id]),
        lambda: decisions.split(people, [face], "Somebody"),
        lambda: decisions.assign(people, [face], raj.person_id),
        lambda: decisions.reject(people, [face], amy.person_id),
        lambda: decisions.reject(people, [face], None),
        lambda: decisions.tell_apart(people, raj.person_id, [amy.person_id]),
        lambda: decisions.draw(people, asset, Box(0.1, 0.1, 0.2, 0.2), name="New"),
    ]
    for change in changes:
        done = change()
        assert snapshot(people) != before
        ledger.undo(people, done.undo)
        assert snapshot(people) == before
        with pytest.raises(NotFound):
            ledger.undo(people, done.undo)


def test_merges_splits_and_rejections_hold_when_grouped_again(people: Database) -> None:
    found = groups(people)
    amy, raj, leonard = (found[name] for name in ("amy", "raj", "leonard"))
    decisions.merge_people(people, amy.person_id, [raj.person_id])
    apart = [face.face_id for face in leonard.faces if "leonard1" in face.path]
    other = decisions.split(people, apart)
    wrong = [face.face_id for face in found["penny"].faces if "penny2" in face.path]
    decisions.reject(people, wrong, found["penny"].person_id)
    no_face = [face.face_id for face in found["stuart"].faces if "stuart3" in face.path]
    decisions.reject(people, no_face, None)
    assert regroup(people)
    assert not regroup(people)  # nothing has changed since
    by_id = {person.person_id: person for person in listed_people(people)}
    merged = {Path(face.path).parent.name for face in by_id[amy.person_id].faces}
    assert merged >= {"amy", "raj"}
    assert raj.person_id not in by_id
    assert [face.face_id for face in by_id[str(other.person_id)].faces] == apart
    assert set(apart).isdisjoint(f.face_id for f in by_id[leonard.person_id].faces)
    assert set(wrong).isdisjoint(f.face_id for f in by_id[found["penny"].person_id].faces)
    everywhere = {face.face_id for person in by_id.values() for face in person.faces}
    assert set(no_face).isdisjoint(everywhere)
    with people.read() as session:
        row = find_face(session, no_face[0])
        assert faces_of_asset(session, row.asset_id) == []


def test_the_queue_proposes_somebody_who_is_alike_until_told_otherwise(people: Database) -> None:
    found = groups(people)
    sheldon = found["sheldon"]
    halves = [face.face_id for face in sheldon.faces][:2]
    other = decisions.split(people, halves)
    decisions.name_person(people, sheldon.person_id, "Sheldon")
    with people.read() as session:
        cards = {card.id: card for card in people_cards(session, Who.UNNAMED)}
        [entry] = queue(session, [cards[str(other.person_id)]])
    assert entry.suggestion is not None
    assert entry.suggestion.person.name == "Sheldon"
    assert 0.9 <= entry.suggestion.score <= 1
    assert len(entry.faces) == 2
    decisions.tell_apart(people, str(other.person_id), [sheldon.person_id])
    with people.read() as session:
        [entry] = queue(session, [cards[str(other.person_id)]])
    assert entry.suggestion is None or entry.suggestion.person.name != "Sheldon"


def test_a_rejected_face_is_not_proposed_again(people: Database) -> None:
    howard = groups(people)["howard"]
    decisions.name_person(people, howard.person_id, "Howard")
    face = howard.faces[0].face_id
    with people.write() as session:  # as a new photo would be before it is grouped
        row = find_face(session, face)
        row.person_id = None
    with people.read() as session:
        assert face in [each.face.id for each in alike(session, howard.person_id)]
    decisions.reject(people, [face], howard.person_id)
    with people.read() as session:
        assert face not in [each.face.id for each in alike(session, howard.person_id)]


def test_a_drawn_face_is_shown_and_counts(people: Database) -> None:
    raj = groups(people)["raj"]
    with people.read() as session:
        asset_id = session.scalars(select(File.asset_id).where(File.display == "bbt2.jpg")).one()
        before = len(faces_of_asset(session, str(asset_id)))
    drawn = decisions.draw(people, str(asset_id), Box(0.6, 0.8, 0.1, 0.1), person_id=raj.person_id)
    with people.read() as session:
        shown = faces_of_asset(session, str(asset_id))
        assert len(shown) == before + 1
        [face] = [face for face in shown if face.drawn]
        assert (face.person_id, face.confirmed, face.recognisable) == (raj.person_id, True, False)
        theirs, _ = faces_of_person(session, raj.person_id, limit=100)
        assert face.id in [each.id for each in theirs]
    decisions.reject(people, [face.id], None)
    with people.read() as session:
        assert len(faces_of_asset(session, str(asset_id))) == before
    assert drawn.person_id == raj.person_id


def test_pages_of_faces_follow_each_other(people: Database) -> None:
    amy = groups(people)["amy"]
    seen: list[str] = []
    after = None
    with people.read() as session:
        while True:
            faces, after = faces_of_person(session, amy.person_id, limit=2, after=after)
            seen += [face.id for face in faces]
            if after is None:
                break
    assert sorted(seen) == sorted(face.face_id for face in amy.faces)


def test_an_old_face_id_is_not_another_face(people: Database) -> None:
    amy, raj = (groups(people)[name] for name in ("amy", "raj"))
    number = amy.faces[0].face_id.partition("-")[0]
    check = raj.faces[0].face_id.partition("-")[2]
    for wrong in (f"{number}-{check}", "f-", "x", "fzz-1", f"f{2**80:x}-{check}"):
        with pytest.raises(NotFound):
            decisions.reject(people, [wrong], None)


def test_stopping_takes_back_the_work_and_keeps_what_was_found(
    people: Database, album: Settings
) -> None:
    faces = sum(len(person.faces) for person in listed_people(people))
    forget_runs(people, "faces")
    switched = switch_faces(people, list_libraries(people)[0], on=False)
    assert switched.kept >= faces
    assert "stay" in switched.message
    with people.read() as session:
        pending = (
            select(Run).join(ProducerRow)
            .where(ProducerRow.indexer == "faces", Run.state == RunState.PENDING)
        )  # fmt: skip
        assert session.scalars(pending).all() == []
    work(people, settings_of(album, people))
    with people.read() as session:
        assert session.scalars(pending).all() == []


# Search ------------------------------------------------------------------------------------------


def found_for(database: Database, album: Settings, text: str) -> dict[str, list[str]]:
    service = SearchService(database, settings_of(album, database), None)
    hits = service.search(Query(text)).results
    return {Path(hit.path).name: hit.why for hit in hits}


def test_a_name_finds_the_photos_with_a_reason(people: Database, album: Settings) -> None:
    found = groups(people)
    names = {Path(face.path).name for face in found["amy"].faces}
    decisions.name_person(people, found["amy"].person_id, "Zoë Kowalski")
    decisions.name_person(people, found["raj"].person_id, "Raj")
    by_name = found_for(people, album, "Zoë Kowalski")
    assert set(by_name) == names
    assert all(any("Zoë Kowalski" in why for why in reasons) for reasons in by_name.values())
    assert set(found_for(people, album, 'person:"zoë kowalski"')) == names
    assert set(found_for(people, album, "person:zoë")) == names
    both = set(found_for(people, album, "person:zoë person:raj"))
    assert all(name.startswith("bbt") for name in both)
    assert names.isdisjoint(found_for(people, album, "-person:zoë"))
    decisions.name_person(people, found["amy"].person_id, hidden=True)
    assert found_for(people, album, "Zoë Kowalski") == {}


# Forgetting (S13) --------------------------------------------------------------------------------


def own(crop: bytes) -> bytes:
    """A part that no other picture has: neither tables of JPEG nor a plain background."""
    parts = (crop[start : start + 32] for start in range(700, len(crop) - 32, 8))
    return next(part for part in parts if len(set(part)) > 26)


def leaks(home: Path, wanted: list[tuple[bytes, bytes]]) -> list[str]:
    """Files below a folder that hold a part of one of these."""
    templates = [template[64:96] for _, template in wanted]
    crops = [own(crop) for crop, _ in wanted]
    assert all(len(part) == 32 for part in templates + crops)
    found = []
    for path in (path for path in home.rglob("*") if path.is_file()):
        # The preview of a photo that is all face may be the same JPEG as the picture of the face.
        parts = templates if path.name == "preview.jpg" else templates + crops
        content = path.read_bytes()
        if any(part in content for part in parts):
            found.append(str(path.relative_to(home)))
    return found


def test_nothing_biometric_is_left_of_somebody_who_is_forgotten(
    people: Database, album: Settings
) -> None:
    found = groups(people)
    amy = found["amy"]
    decisions.name_person(people, amy.person_id, "Amy Unforgettable")
    decisions.split(people, [amy.faces[0].face_id])
    undone = decisions.merge_people(people, amy.person_id, [found["penny"].person_id])
    ledger.undo(people, undone.undo)
    settings = settings_of(album, people)
    found_for(people, album, "Amy")
    secret = crop_and_template(people, amy.person_id)
    home = people.path.parent
    assert leaks(home, secret)  # the search for them works
    would = forget_person(people, amy.person_id, confirmed=False)
    assert not would.removed
    assert leaks(home, secret)
    gone = forget_person(people, amy.person_id, confirmed=True)
    assert gone.removed
    assert gone.faces == len(secret)
    assert leaks(home, secret) == []
    with people.read() as session:
        assert session.get(Person, amy.person_id) is None
        assert not session.scalars(select(Undo)).all()
    # What is indexed again does not bring them back.
    forget_runs(people, "faces")
    work(people, settings)
    assert leaks(home, secret) == []
    assert sum("amy" in f.path for p in listed_people(people) for f in p.faces) <= 1


def test_nothing_biometric_is_left_when_everything_is_forgotten(
    people: Database, album: Settings
) -> None:
    everybody = listed_people(people)
    secret = [pair for p in everybody for pair in crop_and_template(people, p.person_id)]
    decisions.name_person(people, everybody[0].person_id, "Somebody")
    home = people.path.parent
    copy = home / "backups" / "before-upgrade-0004-1.sqlite3"
    people.copy_to(copy)
    gone = forget_everybody(people, confirmed=True)
    assert gone.copies == [str(copy)]  # a person's to delete
    assert leaks(home, secret) == [str(copy.relative_to(home))]
    assert listed_people(people) == []
    assert not any(library.faces for library in list_libraries(people))
    work(people, settings_of(album, people))
    with people.read() as session:
        assert session.scalars(select(FaceRow)).all() == []
