"""Vocabularies: the words that `tags` may say, where they come from and under which licence.

Built-in ones lie in `indexers/vocabularies`; a person's own is a YAML file of the same form or a
text file with one word a line. A word may come with sentences that say to the picture model what
is meant; otherwise the word itself is asked.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dam.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILT_IN = Path(__file__).parent / "vocabularies"
MUSIC = BUILT_IN / "music"
ALL = "built-in"  # in a list of names: all of ours
NEUTRAL = ("objects", "scenes")  # what a word's score is compared with; see `calibration`
OWN = "the user's own"
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    name: str
    licence: str
    source: str
    exclusive: bool = False  # one word at most fits a picture (light), or any number (objects)
    complete: bool = False  # of an exclusive one: some word always fits (interior, exterior)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)  # word → what is asked


def load_vocabularies(listed: str) -> tuple[Vocabulary, ...]:
    """Comma-separated names of built-in ones and files; empty means all built-in.

    Raises `WeightsUnavailable`, since tags can go on once the file is there.
    """
    names = [part.strip() for part in listed.split(",") if part.strip()] or [ALL]
    found: dict[str, Vocabulary] = {}
    for name in names:
        for path in _paths(name):
            vocabulary = read_vocabulary(path)
            found[vocabulary.name] = vocabulary
    return tuple(found.values())


@cache
def music_vocabularies() -> tuple[Vocabulary, ...]:
    """What `music_tags` may say."""
    return tuple(read_vocabulary(path) for path in sorted(MUSIC.glob("*.yaml")))


def with_own_words(
    listed: Sequence[Vocabulary], own: Mapping[str, Sequence[str]]
) -> tuple[Vocabulary, ...]:
    """With a person's words, each with all its names. A word of ours by such a name is theirs now,
    so that nothing is suggested under two names; exclusive groups stay whole."""
    if not own:
        return tuple(listed)
    names = {name.casefold() for texts in own.values() for name in texts}
    kept = [
        vocabulary
        if vocabulary.exclusive
        else replace(
            vocabulary,
            words={
                word: asked
                for word, asked in vocabulary.words.items()
                if word.casefold() not in names
            },
        )
        for vocabulary in listed
    ]
    words = {word: tuple(texts) for word, texts in own.items()}
    return (*kept, Vocabulary("own", OWN, "the vocabulary of this library", words=words))


def digest(vocabularies: Sequence[Vocabulary]) -> str:
    """Changes with every change that could change a tag."""
    text = json.dumps([asdict(each) for each in vocabularies], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def neutral_texts() -> tuple[str, ...]:
    """The same few hundred short texts on every machine, whatever words a person chose."""
    return tuple(
        text
        for name in NEUTRAL
        for asked in read_vocabulary(_built_in()[name]).words.values()
        for text in asked
    )


def _built_in() -> dict[str, Path]:
    return {path.stem: path for path in sorted(BUILT_IN.glob("*.yaml"))}


def _paths(name: str) -> list[Path]:
    known = _built_in()
    if name == ALL:
        return list(known.values())
    stem = name.replace(" ", "-")
    return [known[stem] if stem in known else Path(name).expanduser()]


def read_vocabulary(path: Path) -> Vocabulary:
    """Raises `WeightsUnavailable` naming the file, the setting and what is wrong."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() in (".yaml", ".yml"):
            return _from_yaml(yaml.safe_load(text), path)
        lines = [line.strip() for line in text.splitlines()]
        words = [line for line in lines if line and not line.startswith("#")]
        return Vocabulary(path.stem, OWN, str(path), words={word: (word,) for word in words})
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())  # YAML's draws a picture over several lines
        raise WeightsUnavailable(
            f"The vocabulary {path} cannot be read: {reason}. DAM_VOCABULARIES names files, and of "
            f"{', '.join(_built_in())}."
        ) from error


def _from_yaml(content: object, path: Path) -> Vocabulary:
    if not isinstance(content, dict) or not isinstance(content.get("words"), list | dict):
        raise ValueError("there is no list named `words` in it")
    listed = content["words"]
    entries = listed.items() if isinstance(listed, dict) else [(word, word) for word in listed]
    return Vocabulary(
        name=str(content.get("name") or path.stem),
        licence=str(content.get("licence") or OWN),
        source=str(content.get("source") or path),
        exclusive=bool(content.get("exclusive", False)),
        complete=bool(content.get("complete", False)),
        words={str(word): _texts(asked or word) for word, asked in entries},
    )


def _texts(asked: object) -> tuple[str, ...]:
    return tuple(str(text) for text in asked) if isinstance(asked, list) else (str(asked),)
