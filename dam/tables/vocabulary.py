"""Words of a person's own: what belongs under what, and what else a word is called."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from dam.tables.base import Base


class VocabularyWord(Base):
    __tablename__ = "vocabulary"

    word: Mapped[str] = mapped_column(primary_key=True)  # as its tags are written
    parent: Mapped[str | None] = mapped_column(
        index=True
    )  # a word; one that is gone counts as none


class Synonym(Base):
    __tablename__ = "synonyms"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(ForeignKey("vocabulary.word", ondelete="CASCADE"), index=True)
    synonym: Mapped[str]
