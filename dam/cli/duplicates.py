"""`dam duplicates`: copies and near-copies. Listing only shows; nothing is ever done by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from dam.cli.context import Json, load_settings, opened, out, print_json, print_table
from dam.duplicates.decisions import decide
from dam.duplicates.groups import Duplicates, GroupKind
from dam.tables import PairVerdict

duplicates_app = typer.Typer(
    help="Copies of pictures, films and recordings: list, keep, tell apart.", no_args_is_help=True
)
Assets = Annotated[
    list[str], typer.Argument(metavar="ASSET…", help="Asset ids, as dam duplicates list has them.")
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
        print_json(groups)
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


def _decide(assets: list[str], verdict: PairVerdict | None) -> None:
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        decide(session, assets, verdict)
    out.print(f"{', '.join(assets)}: {verdict or 'undecided'}", markup=False)
