"""How the files of assets with exact copies are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.cli.context import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.duplicates.copies import FileCopy, Sidecar


def print_copies(copies: Sequence[FileCopy]) -> None:
    rows = [
        [copy.file_id, copy.library, copy.path, ", ".join(map(_words, copy.sidecars))]
        for copy in copies
    ]
    print_table(["File", "Library", "Path", "Beside it"], rows)


def _words(sidecar: Sidecar) -> str:
    if not sidecar.shared_with:
        return sidecar.name
    return f"{sidecar.name} (also of {', '.join(sidecar.shared_with)})"
