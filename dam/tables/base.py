"""The declarative base and the constraint names that Alembic's batch mode relies on."""

from __future__ import annotations

import secrets
import time

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    # SQLite's rowid alias must be INTEGER; elsewhere microseconds need 64 bits.
    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}


def new_id() -> str:
    """A random opaque id: 80 bits, so that two never meet and none can be guessed."""
    return secrets.token_hex(10)


def now_us() -> int:
    """Microseconds since the epoch, UTC: the unit of every time column."""
    return time.time_ns() // 1000
