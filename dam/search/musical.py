"""Filters by tempo and key of music: `bpm:118..124`, `key:Am`.

What is no music fulfils none of them. The findings are those of `music`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import select

from dam.errors import BadRequest
from dam.tables import Asset, MusicRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from dam.search.query import Filters

SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")  # as they are stored
_KEY = re.compile(r"(?P<note>[A-Ga-g])(?P<sign>[#♯b♭]?)[ -]?(?P<mode>[A-Za-z]*)")
_SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_MODES = {
    **dict.fromkeys(("m", "min", "minor"), ("minor",)),
    **dict.fromkeys(("M", "maj", "major"), ("major",)),
    "": ("major", "minor"),
}


def keys_of(text: str) -> frozenset[str]:
    """`Am`, `F# minor`, `Bb` (either mode) → names as they are stored. Raises `BadRequest`."""
    found = _KEY.fullmatch(text.strip())
    modes = _MODES.get(found["mode"], _MODES.get(found["mode"].lower())) if found else None
    if found is None or modes is None:
        raise BadRequest(f'“{text}” is no key; write key:Am, key:"F# minor" or key:Bb.')
    note = SHARPS[(SHARPS.index(found["note"].upper()) + _SIGNS[found["sign"]]) % 12]
    return frozenset(f"{note} {mode}" for mode in modes)


def musical_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on `Asset`, all of which must hold."""
    wanted: list[ColumnElement[bool]] = []
    if filters.min_tempo_bpm is not None:
        wanted.append(MusicRow.tempo_bpm >= filters.min_tempo_bpm)
    if filters.max_tempo_bpm is not None:
        wanted.append(MusicRow.tempo_bpm <= filters.max_tempo_bpm)
    if filters.keys:
        wanted.append(MusicRow.key.in_(sorted(filters.keys)))
    return [Asset.id.in_(select(MusicRow.asset_id).where(*wanted))] if wanted else []
