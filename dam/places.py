"""Where the assets of a library were taken: countries, their places, a picture for each.

Reads only. No map and no network: the names come from the files or were found beside them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dam.assets import listed, version_of
from dam.contracts import Kind
from dam.tables import Asset

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Place:
    place: str  # what the filter `place` takes
    assets: int
    cover_id: str  # the newest picture taken there
    cover_version: str  # `?v=` of its media addresses


@dataclass(frozen=True, slots=True)
class Country:
    country: str | None  # None: unknown
    assets: int
    places: list[Place]  # most assets first


@dataclass(frozen=True, slots=True)
class PlaceList:
    countries: list[Country]  # most assets first, the unknown one last


def list_places(session: Session) -> PlaceList:
    """Counts what `dam.assets.list_assets` lists: each stack once, nothing from the trash."""
    group = (Asset.country, Asset.place)
    newest_picture_first = (
        Asset.kind == Kind.AUDIO,
        Asset.captured_us.desc().nulls_last(),
        Asset.id.desc(),
    )
    ranked = (
        select(
            *group,
            Asset.id,
            Asset.essence_hash,
            func.count().over(partition_by=group).label("assets"),
            func.row_number().over(partition_by=group, order_by=newest_picture_first).label("rank"),
        )
        .where(Asset.place.is_not(None), *listed(()))
        .subquery()
    )
    columns = ranked.c
    rows = session.execute(
        select(columns.country, columns.place, columns.assets, columns.id, columns.essence_hash)
        .where(columns.rank == 1)
        .order_by(columns.assets.desc(), columns.place)
    )
    places: dict[str | None, list[Place]] = defaultdict(list)
    for country, place, assets, cover_id, essence_hash in rows:
        places[country].append(Place(place, assets, cover_id, version_of(essence_hash)))
    countries = [
        Country(country, sum(place.assets for place in found), found)
        for country, found in places.items()
    ]
    countries.sort(key=lambda one: (one.country is None, -one.assets, one.country or ""))
    return PlaceList(countries)
