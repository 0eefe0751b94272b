"""Where on Earth: checked coordinates, and the name of the nearest place.

Names come from GeoNames (CC BY 4.0) through the package reverse_geocode (LGPL, used unchanged),
which works offline. It takes half a second and 170 MB once loaded, so it is loaded by the first
coordinates that need it, in the metadata process and never in the web.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

EARTH_RADIUS_KM = 6371.0
# Farther from any place of a thousand people than this is the open sea or the ice: no name is
# better than that of a coast beyond the horizon.
_FARTHEST_KM = 250.0


@dataclass(frozen=True, slots=True)
class Place:
    name: str  # city, region, country
    country: str | None


def checked(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Signed degrees, or None when they cannot be a place.

    Exactly 0°, 0° is what a receiver without a fix writes.
    """
    if latitude is None or longitude is None:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # also refuses NaN
        return None
    return None if latitude == 0 == longitude else (latitude, longitude)


@lru_cache(maxsize=4096)
def nearest_place(latitude: float, longitude: float) -> Place | None:
    """The nearest town of GeoNames; None far from all of them. `latitude` in [-90, 90]."""
    import reverse_geocode  # half a second and 170 MB: only when there is a coordinate

    # Its tree measures in degrees on a plane, so ask from the other side of the date line too.
    beyond = longitude - 360 if longitude > 0 else longitude + 360
    towns = reverse_geocode.search([(latitude, longitude), (latitude, beyond)])
    kilometres, town = min(
        (
            (_distance_km(latitude, longitude, town["latitude"], town["longitude"]), town)
            for town in towns
        ),
        key=lambda pair: pair[0],
    )
    if kilometres > _FARTHEST_KM:
        return None
    parts = [town.get("city"), town.get("state"), town.get("country")]
    named = dict.fromkeys(part for part in parts if part)  # "Vienna, Vienna, Austria" says it twice
    return Place(", ".join(named), town.get("country") or None)


def _distance_km(
    latitude: float, longitude: float, to_latitude: float, to_longitude: float
) -> float:
    """Great circle by the haversine formula."""
    north, to_north = math.radians(latitude), math.radians(to_latitude)
    half = math.sin((to_north - north) / 2) ** 2
    half += (
        math.cos(north)
        * math.cos(to_north)
        * math.sin(math.radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))
