"""`dam trash`: what a person does not want to see. Originals are never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dam.assets import list_assets
from dam.changes import AssetChange, change_asset
from dam.cli.context import Json, load_settings, opened, out, print_json, print_table
from dam.cli.copies import print_copies
from dam.duplicates.copies import restore_files, trashed_copies

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dam.assets import AssetCard

PAGE = 1_000

trash_app = typer.Typer(
    help="The trash: list, restore. Originals are never deleted.", no_args_is_help=True
)
AssetIds = Annotated[
    list[str], typer.Argument(metavar="ID…", help="Asset ids, as dam trash list prints them.")
]

FileIds = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="File ids, as dam trash list prints them.")
]


@trash_app.command("list")
def list_trash(json: Json = False) -> None:
    """Show what is in the trash, newest capture first."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        cards, copies = _all_trashed(session), trashed_copies(session)
    if json:
        print_json({"assets": cards, "copies": copies})
        return
    if not cards and not copies:
        out.print("The trash is empty.")
    if cards:
        print_table(["Id", "Kind", "File"], [[card.id, card.kind, card.path] for card in cards])
    if copies:
        out.print("Copies of assets that lie elsewhere too:")
        print_copies(copies)


@trash_app.command()
def restore(assets: AssetIds) -> None:
    """Take assets out of the trash: all of them, or none when one is unknown."""
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        for asset_id in assets:
            change_asset(session, asset_id, AssetChange(trashed=False))
    out.print(f"Restored: {', '.join(assets)}", markup=False)


@trash_app.command("restore-copy")
def restore_copy(files: FileIds) -> None:
    """Take copies back into use that dam duplicates remove-copy put away."""
    settings = load_settings()
    with opened(settings) as database:
        restore_files(database, files)
    out.print(f"Restored: {', '.join(files)}", markup=False)


def _all_trashed(session: Session) -> list[AssetCard]:
    cards: list[AssetCard] = []
    cursor = None
    while True:
        page = list_assets(session, limit=PAGE, cursor=cursor, trashed=True)
        cards += page.assets
        cursor = page.next_cursor
        if cursor is None:
            return cards
