"""Words of a query and of stored text, cut and folded alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")  # letters and digits, as FTS5's unicode61 cuts
UNSPACED = re.compile(  # scripts written without spaces: Thai to Khmer, kana, Han, Hangul
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
# Words that say nothing about a picture. They would only dilute how much of a query was found.
STOP_WORDS = frozenset(
    WORD.findall(
        """a an and are as at be been being by for from had has have he her his i in into is it
        its my near next of off on onto or our out over she some that the their them there these
        they this to two up us very was we were while who with you your
        clip clips image images photo photos picture pictures video videos"""
    )
)


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    return WORD.findall(fold(text))


def content_words(text: str) -> tuple[str, ...]:
    """Distinct folded words that carry meaning, in order; all of them when none does."""
    every = dict.fromkeys(words_of(text))
    content = tuple(word for word in every if word not in STOP_WORDS)
    return content or tuple(every)


def has_content(text: str) -> bool:
    return any(word not in STOP_WORDS for word in words_of(text))


def is_unspaced(text: str) -> bool:
    return UNSPACED.search(text) is not None


def fts_phrase(text: str) -> str:
    """Any text as one FTS5 string, in which nothing is syntax."""
    return '"' + text.replace('"', '""') + '"'


def like_pattern(text: str) -> str:
    """For `LIKE … ESCAPE '\\'`: the text anywhere."""
    return "%" + escape_like(text) + "%"


def escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
