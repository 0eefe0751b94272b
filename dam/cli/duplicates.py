"""`dam duplicates`: copies and near-copies. Listing only shows; nothing is ever done by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, print_table
from dam.cli.copies import print_copies
from dam.duplicates.copies import copies_of, trash_files
from dam.duplicates.decisions import decide, known
from dam.duplicates.groups import Duplicates, GroupKind
from dam.tables import PairVerdict

duplicates_app = typer.Typer(
    help="Copies of pictures, films and recordings: list, keep, tell apart.", no_args_is_help=True
)
Assets = Annotated[
    list[str], typer.Argument(metavar="ASSET…", help="Asset ids, as dam duplicates list has them.")
]

Asset = Annotated[str, typer.Argument(metavar="ASSET", help="An asset id of an exact group.")]
Files = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="File ids, as dam duplicates files has them.")
]


@duplicates_app.command("list")
def list_duplicates(
    kind: Annotated[GroupKind | None, typer.Option(help="Only groups of this kind.")] = None,
    json: Json = False,
) -> None:
    """Show groups of copies, the one that is proposed to be kept first."""
    settings = load_settings()
    with opened(settings) as database:
        groups = [
            group for group in Duplicates(database).groups() if kind is None or group.kind is kind
        ]
    if json:
        shown = ("kind", "assets", "distance")
        print_json([{name: getattr(group, name) for name in shown} for group in groups])
    elif not groups:
        out.print("There are no duplicates among what was indexed.")
    else:
        rows = [
            [group.kind if first else "", f"{group.distance:.2f}" if first else "", copy.asset_id,
             copy.path]
            for group in groups
            for first, copy in zip([True] + [False] * len(group.assets), group.assets, strict=False)
        ]  # fmt: skip
        print_table(["Kind", "Distance", "Asset", "File"], rows)


@duplicates_app.command()
def keep(assets: Assets) -> None:
    """Keep all of these as they are; they are not shown as duplicates of each other again."""
    _decide(assets, PairVerdict.KEEP)


@duplicates_app.command()
def differ(assets: Assets) -> None:
    """Say that these are no duplicates of each other."""
    _decide(assets, PairVerdict.DIFFERENT)


@duplicates_app.command()
def reset(assets: Assets) -> None:
    """Forget what was said of these."""
    _decide(assets, None)


@duplicates_app.command()
def files(asset: Asset, json: Json = False) -> None:
    """Show the files of an asset that has exact copies, and the sidecars beside each."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        copies = copies_of(session, known(session, [asset])).get(asset, [])
    if json:
        print_json(copies)
    elif not copies:
        out.print("It has one file.")
    else:
        print_copies(copies)


@duplicates_app.command("remove-copy")
def remove_copy(files: Files) -> None:
    """Put files of an asset away that has others; they stay on disk, as all that lies beside them.

    dam trash restore-copy takes them back.
    """
    settings = load_settings()
    with opened(settings) as database:
        trash_files(database, files)
    out.print(f"In the trash: {', '.join(files)}", markup=False)


def _decide(assets: list[str], verdict: PairVerdict | None) -> None:
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        decide(session, assets, verdict)
    out.print(f"{', '.join(assets)}: {verdict or 'undecided'}", markup=False)
