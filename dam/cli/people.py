"""`dam people`: who is in photos and videos. Off until a library enables it."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import Json, fail, load_settings, opened, out, print_json, print_table
from dam.db import Database
from dam.errors import BadRequest, NotFound
from dam.library.libraries import find_library, list_libraries
from dam.people import decisions, forget, ledger
from dam.people.listing import ListedPerson, listed_people
from dam.people.reading import Who, people_cards
from dam.people.regroup import regroup

people_app = typer.Typer(
    help="People in photos and videos: enable, list, name, merge, split, delete.",
    no_args_is_help=True,
)
Library = Annotated[
    str | None,
    typer.Argument(metavar="LIBRARY", help="Its name, id or folder; not needed for the only one."),
]
Person = Annotated[str, typer.Argument(metavar="PERSON", help="A name, or a person's id.")]
Faces = Annotated[
    list[str], typer.Argument(metavar="FACE…", help="Face ids, as dam people list --json has them.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@people_app.command()
def enable(library: Library = None, json: Json = False) -> None:
    """Look for faces in a library; says what is kept of them."""
    _switch(library, on=True, json=json)


@people_app.command()
def disable(library: Library = None, json: Json = False) -> None:
    """Stop looking for faces in a library; what was found stays."""
    _switch(library, on=False, json=json)


@people_app.command("list")
def list_people(
    hidden: Annotated[bool, typer.Option("--hidden", help="Those who are hidden.")] = False,
    json: Json = False,
) -> None:
    """Show everybody: named ones first, then groups without a name."""
    with opened(load_settings()) as database:
        regroup(database)
        people = listed_people(database, Who.HIDDEN if hidden else Who.ALL)
    if json:
        print_json(people)
    elif not people:
        out.print("Nobody was found yet. Enable it for a library: dam people enable LIBRARY")
    else:
        rows = [_row(person) for person in people]
        print_table(["Person", "Name", "Faces", "For example in"], rows)


@people_app.command()
def name(person: Person, name: Annotated[str, typer.Argument(help="Empty takes it away.")]) -> None:
    """Name or rename somebody. Their faces are theirs from then on."""
    with opened(load_settings()) as database:
        try:
            changed = decisions.name_person(database, _id_of(database, person), name)
        except decisions.NameTaken as error:
            fail(f"{error} Run: dam people merge {error.person_id} {person}")
        _said(database, changed)


@people_app.command()
def merge(
    person: Person,
    others: Annotated[list[str], typer.Argument(metavar="OTHER…", help="Names or ids.")],
) -> None:
    """Make one person of several."""
    with opened(load_settings()) as database:
        others = [_id_of(database, other) for other in others]
        _said(database, decisions.merge_people(database, _id_of(database, person), others))


@people_app.command()
def split(
    faces: Faces, name: Annotated[str | None, typer.Option(help="Of the new person.")] = None
) -> None:
    """Make a new person of some faces."""
    with opened(load_settings()) as database:
        _said(database, decisions.split(database, faces, name))


@people_app.command()
def reject(
    faces: Faces,
    person: Annotated[
        str | None, typer.Option(help="Who they are not. Without: they are no faces.")
    ] = None,
) -> None:
    """Say that faces are not somebody's, or are no faces."""
    with opened(load_settings()) as database:
        who = None if person is None else _id_of(database, person)
        _said(database, decisions.reject(database, faces, who))


@people_app.command()
def hide(
    person: Person, show: Annotated[bool, typer.Option("--show", help="Take it back.")] = False
) -> None:
    """Leave somebody out of lists and searches."""
    with opened(load_settings()) as database:
        _said(database, decisions.name_person(database, _id_of(database, person), hidden=not show))


@people_app.command()
def undo(change: Annotated[str, typer.Argument(help="As the change printed it.")]) -> None:
    """Take a change back; within a day, and once."""
    with opened(load_settings()) as database:
        count = ledger.undo(database, change)
        regroup(database)
    out.print(f"It is as it was: {count} faces.")


@people_app.command("forget")
def forget_people(
    person: Annotated[str | None, typer.Argument(metavar="PERSON", help="A name or an id.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everything about faces.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete somebody, or everything about faces, so that no template is left. For good."""
    if (person is None) != everybody:
        raise BadRequest("Say whom to forget, or --all.")
    with opened(load_settings()) as database:
        who = None if person is None else _id_of(database, person)

        def forgetting(*, confirmed: bool) -> forget.Forgotten:
            if who is None:
                return forget.forget_everybody(database, confirmed=confirmed)
            return forget.forget_person(database, who, confirmed=confirmed)

        if not yes:
            would = forgetting(confirmed=False)
            typer.confirm(
                f"Delete {would.people} people with {would.faces} faces for good?", abort=True
            )
        gone = forgetting(confirmed=True)
    if json:
        print_json(gone)
        return
    out.print(f"Deleted: {gone.people} people, {gone.faces} faces.")
    for copy in gone.copies:
        out.print(f"This older copy of the database still holds faces: {copy}", soft_wrap=True)


def _switch(wanted: str | None, *, on: bool, json: bool) -> None:
    with opened(load_settings()) as database:
        libraries = list_libraries(database)
        if wanted is None and len(libraries) != 1:
            names = ", ".join(library.name for library in libraries) or "none yet"
            raise BadRequest(f"Say which library: {names}.")
        found = libraries[0] if wanted is None else find_library(database, wanted)
        switch = forget.switch_faces(database, found, on=on)
    if json:
        print_json(switch)
        return
    out.print(switch.message, markup=False)
    if switch.planned:
        out.print(f"{switch.planned} photos and videos to look at: dam index")


def _row(person: ListedPerson) -> list[object]:
    example = person.faces[0].path if person.faces else ""
    return [person.person_id, person.name, len(person.faces), example]


def _id_of(database: Database, wanted: str) -> str:
    """By id, else by name without regard to case. Raises `NotFound`."""
    with database.read() as session:
        cards = [*people_cards(session), *people_cards(session, Who.HIDDEN)]
    folded = " ".join(wanted.split()).casefold()
    found = [card for card in cards if wanted == card.id or folded == (card.name or "").casefold()]
    if not found:
        raise NotFound(f"There is nobody with the name or id “{wanted}”: dam people list")
    return found[0].id


def _said(database: Database, changed: decisions.Changed) -> None:
    regroup(database)
    out.print(f"{changed.changed} faces. To take it back: dam people undo {changed.undo}")
