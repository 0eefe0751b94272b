"""People: who is in photos and videos, and what is said of that. Off until a library enables it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field, model_validator

from dam.assets import read_cursor, write_cursor
from dam.errors import BadRequest, WeightsUnavailable
from dam.library.libraries import find_library, list_libraries
from dam.models import ModelStore
from dam.people import decisions, forget, ledger
from dam.people.reading import (
    Counts,
    FaceView,
    PersonCard,
    Who,
    count_people,
    faces_of_person,
    people_cards,
    person_card,
    position,
)
from dam.people.resemblance import LikeFace, QueueEntry, alike, queue
from web.problems import problem
from web.services import services
from web.shapes import Cursor, Page, Request, answer

bp = APIBlueprint("people", __name__, url_prefix="/people", tag="People")
Id = Annotated[str, Field(max_length=40)]
FaceIds = Annotated[list[Id], Field(min_length=1, max_length=1000)]
People = Annotated[list[Id], Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(max_length=1000)]


@dataclass(frozen=True, slots=True)
class FacesLibrary:
    id: str
    name: str
    faces: bool  # whether faces are looked for in it


@dataclass(frozen=True, slots=True)
class FacesSettings:
    notice: str  # what is kept, to be read before it is enabled
    libraries: list[FacesLibrary]
    stored: forget.Stored
    waiting: str | None  # why faces cannot be looked for now, with the command that mends it


@dataclass(frozen=True, slots=True)
class PeoplePage:
    people: list[PersonCard]
    next_cursor: str | None
    total: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class PeopleQueue:
    entries: list[QueueEntry]
    next_cursor: str | None
    remaining: int


@dataclass(frozen=True, slots=True)
class FacePage:
    faces: list[FaceView]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class LikeFaces:
    faces: list[LikeFace]


@dataclass(frozen=True, slots=True)
class PersonChanged:
    person: PersonCard | None  # null: nobody is left
    changed: int  # faces
    undo: str  # what `POST /people/undo` wants


@dataclass(frozen=True, slots=True)
class FacesUndone:
    changed: int


class SwitchBody(Request):
    faces: bool


class PeopleQuery(Page):
    show: Who = Field(Who.ALL, description="all: but those who are hidden.")
    q: Annotated[str, Field(max_length=200)] = Field("", description="A part of the name.")


class QueueQuery(Request):
    limit: Annotated[int, Field(ge=1, le=20)] = 1
    cursor: Cursor | None = Field(None, description="`next_cursor` skips what was shown.")


class LikeQuery(Request):
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PersonBody(Request):
    """What is absent stays."""

    name: Name | None = Field(None, description="null or empty takes the name away.")
    hidden: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PersonBody:
        if not self.model_fields_set:
            raise ValueError("say what to change: name or hidden")
        return self


class NewPersonBody(Request):
    face_ids: FaceIds
    name: Name | None = None


class FacesBody(Request):
    face_ids: FaceIds


class OthersBody(Request):
    people: People


class UndoBody(Request):
    undo: Annotated[str, Field(max_length=100)] = Field(description="As the change answered it.")


class ConfirmQuery(Request):
    confirm: bool = Field(False, description="Without it nothing is deleted.")


@bp.errorhandler(decisions.NameTaken)
def name_taken(error: decisions.NameTaken) -> Response:
    """The problem tells with whom to merge."""
    with services().database.read() as session:
        person = asdict(person_card(session, error.person_id))
    return problem(409, str(error), kind="urn:problem-type:dam:name-taken", person=person)


@bp.get("/settings")
@bp.output(answer(FacesSettings))
def get_settings() -> FacesSettings:
    """Tell where faces are looked for, and what is kept of them."""
    owner = services()
    waiting = None
    try:
        ModelStore(owner.settings).find(owner.settings.faces_model, indexer="faces")
    except WeightsUnavailable as error:
        waiting = str(error)
    with owner.database.read() as session:
        kept = forget.stored(session)
    libraries = [FacesLibrary(x.id, x.name, x.faces) for x in list_libraries(owner.database)]
    return FacesSettings(forget.NOTICE, libraries, kept, waiting)


@bp.put("/libraries/<library_id>")
@bp.input(SwitchBody)
@bp.output(answer(forget.FacesSwitch))
@bp.doc(responses={404: "There is no such library."})
def switch(library_id: str, json_data: SwitchBody) -> forget.FacesSwitch:
    """Look for faces in a library, or stop; workers begin within seconds."""
    database = services().database
    library = find_library(database, library_id)
    return forget.switch_faces(database, library, on=json_data.faces)


@bp.get("")
@bp.input(PeopleQuery, location="query")
@bp.output(answer(PeoplePage))
def list_people(query_data: PeopleQuery) -> PeoplePage:
    """List people: named ones by name, then the others, most faces first."""
    with services().database.read() as session:
        cards = people_cards(session, query_data.show, query_data.q)
        counts = count_people(session)
    shown, following = _page(cards, query_data.cursor, query_data.limit)
    return PeoplePage(shown, following, len(cards), counts)


@bp.get("/queue")
@bp.input(QueueQuery, location="query")
@bp.output(answer(PeopleQueue))
def get_queue(query_data: QueueQuery) -> PeopleQueue:
    """Give the next people to name, with whom each resembles."""
    with services().database.read() as session:
        cards = people_cards(session, Who.UNNAMED)
        shown, following = _page(cards, query_data.cursor, query_data.limit)
        return PeopleQueue(queue(session, shown), following, len(cards))


@bp.get("/<person_id>")
@bp.output(answer(PersonCard))
def get(person_id: str) -> PersonCard:
    """Get one person."""
    with services().database.read() as session:
        return person_card(session, person_id)


@bp.get("/<person_id>/faces")
@bp.input(Page, location="query")
@bp.output(answer(FacePage))
def list_faces(person_id: str, query_data: Page) -> FacePage:
    """List somebody's faces, newest capture first."""
    after = None
    if query_data.cursor:
        match read_cursor(query_data.cursor):
            case [int() as taken_us, int() as number]:
                after = taken_us, number
            case _:
                raise BadRequest("The cursor does not come from this list.")
    with services().database.read() as session:
        card = person_card(session, person_id)
        faces, following = faces_of_person(session, person_id, limit=query_data.limit, after=after)
    return FacePage(faces, write_cursor(list(following)) if following else None, card.faces)


@bp.get("/<person_id>/suggestions")
@bp.input(LikeQuery, location="query")
@bp.output(answer(LikeFaces))
def list_suggestions(person_id: str, query_data: LikeQuery) -> LikeFaces:
    """List faces of nobody that resemble somebody, best first."""
    with services().database.read() as session:
        return LikeFaces(alike(session, person_id, limit=query_data.limit))


@bp.patch("/<person_id>")
@bp.input(PersonBody)
@bp.output(answer(PersonChanged))
@bp.doc(responses={409: "Somebody else (`person`) has that name: merge the two?"})
def change(person_id: str, json_data: PersonBody) -> PersonChanged:
    """Name, rename or hide somebody. Their faces are theirs from then on."""
    name = (json_data.name or "") if "name" in json_data.model_fields_set else None
    return _changed(
        decisions.name_person(services().database, person_id, name, hidden=json_data.hidden)
    )


@bp.post("")
@bp.input(NewPersonBody)
@bp.output(answer(PersonChanged), status_code=201)
@bp.doc(
    responses={
        404: "A face is not there any more.",
        409: "Somebody else (`person`) has that name: merge the two?",
    }
)
def split(json_data: NewPersonBody) -> PersonChanged:
    """Make a new person of some faces; those they are taken from keep the others."""
    return _changed(decisions.split(services().database, json_data.face_ids, json_data.name))


@bp.post("/<person_id>/merge")
@bp.input(OthersBody)
@bp.output(answer(PersonChanged))
def merge(person_id: str, json_data: OthersBody) -> PersonChanged:
    """Make one person of several; their own name stays, else the first among the others."""
    return _changed(decisions.merge_people(services().database, person_id, json_data.people))


@bp.post("/<person_id>/different")
@bp.input(OthersBody)
@bp.output(answer(PersonChanged))
def tell_apart(person_id: str, json_data: OthersBody) -> PersonChanged:
    """Say that somebody is none of these: never proposed or put together again."""
    return _changed(decisions.tell_apart(services().database, person_id, json_data.people))


@bp.post("/<person_id>/faces")
@bp.input(FacesBody)
@bp.output(answer(PersonChanged))
@bp.doc(responses={404: "There is no such person, or a face is not there any more."})
def assign(person_id: str, json_data: FacesBody) -> PersonChanged:
    """Say that these faces are theirs."""
    return _changed(decisions.assign(services().database, json_data.face_ids, person_id))


@bp.post("/undo")
@bp.input(UndoBody)
@bp.output(answer(FacesUndone))
@bp.doc(responses={404: "It cannot be undone any more."})
def undo(json_data: UndoBody) -> FacesUndone:
    """Put back what was before a change; within a day, and once."""
    return FacesUndone(ledger.undo(services().database, json_data.undo))


@bp.delete("/<person_id>")
@bp.input(ConfirmQuery, location="query")
@bp.output(answer(forget.Forgotten))
def forget_person(person_id: str, query_data: ConfirmQuery) -> forget.Forgotten:
    """Delete somebody with templates and pictures, for good; says first what would go."""
    database = services().database
    return forget.forget_person(database, person_id, confirmed=query_data.confirm)


@bp.delete("")
@bp.input(ConfirmQuery, location="query")
@bp.output(answer(forget.Forgotten))
def forget_everybody(query_data: ConfirmQuery) -> forget.Forgotten:
    """Delete everything about faces, for good, and look for them nowhere any more."""
    return forget.forget_everybody(services().database, confirmed=query_data.confirm)


def _changed(change: decisions.Changed) -> PersonChanged:
    person = None
    if change.person_id is not None:
        with services().database.read() as session:
            person = person_card(session, change.person_id)
            if person.name is None and not person.faces:
                person = None
    return PersonChanged(person, change.changed, change.undo)


def _page(
    cards: list[PersonCard], cursor: str | None, limit: int
) -> tuple[list[PersonCard], str | None]:
    places = [position(card.name, card.faces, card.id) for card in cards]
    start = 0
    if cursor:
        match read_cursor(cursor):
            case [int() as unnamed, str() as name, int() as faces, str() as person_id]:
                before = (unnamed, name, faces, person_id)
                start = sum(place <= before for place in places)
            case _:
                raise BadRequest("The cursor does not come from this list.")
    end = start + limit
    following = write_cursor(list(places[end - 1])) if end < len(cards) else None
    return cards[start:end], following
