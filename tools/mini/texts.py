"""What is said about pictures: captions, prompts from labels, and other ways to say the same.

Everything is tokenised once into a table of the few thousand tokens in use (`Vocabulary`); an
epoch then only draws row numbers. Tokens that never occur share one trained vector, "some word".
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import open_clip
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tools.mini.pictures import Photo

    Ids = NDArray[np.int64]

UNKNOWN = 0  # row of the compact table; also the padding behind the end of a text
PROMPTS = (
    "{}",
    "a {}",
    "the {}",
    "a photo of a {}",
    "a photo of {}",
    "a picture of {}",
    "there is a {} here",
    "{} in a picture",
)
PAIRS = ("{} and {}", "{}, {}", "{} with {}", "a photo of {} and {}")
MOST_PAIRS = 6  # of one photo: more only repeat each other
# A label stands in every photo of another one when the two met this often and this surely.
LEAST_MET, LEAST_SURE = 20, 0.95
# Each word may stand for the others. People search with words that a data set never used.
SYNONYMS = (
    ("man", "guy", "gentleman"),
    ("men", "guys"),
    ("woman", "lady"),
    ("women", "ladies"),
    ("child", "kid"),
    ("children", "kids"),
    ("baby", "infant", "toddler"),
    ("people", "persons"),
    ("dog", "puppy"),
    ("dogs", "puppies"),
    ("cat", "kitten", "kitty"),
    ("bicycle", "bike"),
    ("bicyclist", "cyclist", "biker"),
    ("motorcycle", "motorbike"),
    ("car", "automobile"),
    ("picture", "photo", "photograph", "image"),
    ("ocean", "sea"),
    ("beach", "seaside", "shore"),
    ("street", "road"),
    ("forest", "woods"),
    ("mountain", "peak"),
    ("house", "home"),
    ("sofa", "couch"),
    ("shirt", "top"),
    ("jacket", "coat"),
    ("big", "large"),
    ("small", "little", "tiny"),
    ("jumping", "leaping"),
    ("jumps", "leaps"),
    ("running", "racing"),
    ("looking", "gazing"),
    ("holding", "carrying"),
    ("near", "beside", "by"),
    ("soccer", "football"),
    ("flower", "blossom"),
    ("airplane", "plane", "aircraft"),
    ("boat", "ship"),
    ("stones", "rocks"),
    ("rock", "stone"),
    ("sunset", "dusk"),
    ("sunrise", "dawn"),
    ("rain", "rainy weather"),
    ("snow", "snowy ground"),
    ("cell phone", "mobile phone", "phone"),
    ("television", "tv"),
    ("coffee mug", "cup of coffee", "coffee cup"),
    ("espresso", "cup of coffee", "coffee"),
)
_OTHERS = {word: [o for o in ring if o != word] for ring in SYNONYMS for word in ring}
_ARTICLES = re.compile(r"\b(?:a|an|the)\s+", re.IGNORECASE)


def reworded(text: str, draw: random.Random) -> str:
    """Another way to say it: some words exchanged, sometimes without articles."""

    def exchange(match: re.Match[str]) -> str:
        others = _OTHERS[match[0].lower()]
        return draw.choice(others) if draw.random() < 0.6 else match[0]

    said = _KNOWN.sub(exchange, text)
    return _ARTICLES.sub("", said) if draw.random() < 0.3 else said


_KNOWN = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, _OTHERS), key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)


class Vocabulary:
    """The tokens in use, and the way back to the tokenizer's own numbers."""

    def __init__(self, tokens: Ids) -> None:
        """`tokens` (n, context) as open_clip's tokenizer gives them."""
        used = np.unique(tokens)
        # Ascending, so that the end of a text stays the largest number: the tower looks for it.
        self.known = np.concatenate([[UNKNOWN], used[used != UNKNOWN]])

    def __len__(self) -> int:
        return len(self.known)

    def compact(self, tokens: Ids) -> Ids:
        """Rows of the compact table; a token that is not in use becomes `UNKNOWN`."""
        at = np.searchsorted(self.known, tokens).clip(max=len(self.known) - 1)
        rows: Ids = np.where(self.known[at] == tokens, at, UNKNOWN)
        return rows

    def spread(self, table: torch.Tensor, size: int) -> torch.Tensor:
        """(size, width) for the tokenizer's numbers; unused tokens get the vector of UNKNOWN."""
        whole = table[UNKNOWN].repeat(size, 1)
        whole[torch.from_numpy(self.known)] = table
        return whole


class Texts:
    """All texts about some photos, as tokens, and which photo each one is true of."""

    def __init__(self, photos: Sequence[Photo], *, context: int, seed: int = 0) -> None:
        draw = random.Random(seed)
        self.labels = sorted({label.lower() for photo in photos for label in photo.labels})
        self._number = {label: at for at, label in enumerate(self.labels)}
        self._shows = self._shown(photos)
        self._implies = self._implied(photos)
        said: list[str] = []
        # One or two label numbers of a prompt, the same one twice; -1 is a caption.
        asked: list[tuple[int, int]] = []
        self.captions: list[list[int]] = []  # text numbers by photo
        self.prompts: list[list[int]] = []
        known: dict[tuple[int, int], list[int]] = {}

        def add(text: str, about: tuple[int, int] = (-1, -1)) -> int:
            said.append(text)
            asked.append(about)
            return len(said) - 1

        for photo in photos:
            rows = [add(caption) for caption in photo.captions]
            self.captions.append(rows + [add(reworded(c, draw)) for c in photo.captions])
            self.prompts.append([])
            for about, texts in self._prompts_of(photo, draw):
                if about not in known:
                    known[about] = [add(text, about) for text in texts]
                self.prompts[-1] += known[about]
        self.texts = said
        self._asked = np.array(asked)
        tokenize = open_clip.SimpleTokenizer(context_length=context)
        tokens = np.concatenate(
            [tokenize(said[at : at + 4096]).numpy() for at in range(0, len(said), 4096)]
        )
        self.vocabulary = Vocabulary(tokens)
        self.tokens = torch.from_numpy(self.vocabulary.compact(tokens)).int()

    def batch(self, rows: Ids) -> torch.Tensor:
        """(n, longest) int64 tokens, cut behind the longest text."""
        tokens = self.tokens[torch.from_numpy(rows)].long()
        longest = int((tokens != UNKNOWN).sum(dim=1).max())
        return tokens[:, :longest]

    def draw(self, photo: int, random_: np.random.Generator, captions: float) -> int:
        """One text about a photo: a caption with the probability `captions` where there is one."""
        said, prompts = self.captions[photo], self.prompts[photo]
        if not prompts or (said and random_.random() < captions):
            return said[random_.integers(len(said))]
        return prompts[random_.integers(len(prompts))]

    def fits(self, rows: Ids, photos: Ids) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Two of (texts, photos): where a prompt is true, and where it may be.

        It is true where all its labels are among the photo's own, and may be true where labels
        imply them. A caption fits none here: it is taken for true of its own photo alone.
        """
        first, second = self._asked[rows].T
        shows, implies = self._shows[photos], self._implies[photos]
        true = (shows[:, first] & shows[:, second]).T & (first >= 0)[:, None]
        perhaps = (implies[:, first] & implies[:, second]).T & (first >= 0)[:, None]
        return true, perhaps

    def _prompts_of(
        self, photo: Photo, draw: random.Random
    ) -> Iterable[tuple[tuple[int, int], list[str]]]:
        labels = list(dict.fromkeys(label.lower() for label in photo.labels))
        for label in labels:
            names = [label, *_OTHERS.get(label, [])]
            yield (
                (self._number[label], self._number[label]),
                [prompt.format(name) for prompt in PROMPTS for name in names],
            )
        pairs = list(combinations(labels, 2))
        for first, second in draw.sample(pairs, min(len(pairs), MOST_PAIRS)):
            about = (self._number[first], self._number[second])
            yield about, [draw.choice(PAIRS).format(first, second)]

    def _shown(self, photos: Sequence[Photo]) -> NDArray[np.bool_]:
        """(photos, labels)"""
        shows = np.zeros((len(photos), len(self.labels)), dtype=bool)
        for at, photo in enumerate(photos):
            for label in photo.labels:
                shows[at, self._number[label.lower()]] = True
        return shows

    def _implied(self, photos: Sequence[Photo]) -> NDArray[np.bool_]:
        """(photos, labels), with what the labels imply: every dog is an animal."""
        implies = self._shows.copy()
        for label, others in _implications(photos).items():
            rows = self._shows[:, self._number[label]].nonzero()[0]
            for other in others:
                implies[rows, self._number[other]] = True
        return implies


def _implications(photos: Sequence[Photo]) -> dict[str, set[str]]:
    """Per label the commoner labels that nearly always stand beside it in some source."""
    overall: Counter[str] = Counter()
    alone: Counter[tuple[str, str]] = Counter()
    met: Counter[tuple[str, str, str]] = Counter()
    for photo in photos:
        labels = {label.lower() for label in photo.labels}
        overall.update(labels)
        alone.update((photo.source, label) for label in labels)
        met.update((photo.source, a, b) for a in labels for b in labels if a != b)
    implied: defaultdict[str, set[str]] = defaultdict(set)
    for (source, label, other), times in met.items():
        sure = times >= LEAST_MET and times >= LEAST_SURE * alone[source, label]
        if sure and overall[other] >= overall[label]:
            implied[label].add(other)
    return dict(implied)
