"""One Whisper network in memory: utterances in, what was said in each out, doubts removed.

Whisper always answers: in noise with a sentence from its training ("Thanks for watching"), now and
then with one word for ever. What it says of an utterance is therefore judged, by the rules of its
authors (https://github.com/openai/whisper, `DecodingOptions`) and by looking for loops; a loop gets
a second try that may not repeat itself, and what stays doubtful is left out.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import get_compression_ratio

from dam.contracts import VOICE_HZ
from dam.errors import OutOfMemory, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from faster_whisper.transcribe import Segment

    from indexers.utterances import Utterance

BEAMS = 5
ON_A_GPU = 8  # utterances in one call; a processor gains nothing by it and needs the memory
# Whisper's own thresholds.
MOST_COMPRESSED = 2.4  # characters by their zlib size; a loop compresses well
LIKELY_SILENT = 0.6  # probability of no speech, which counts when the words are unlikely too
UNLIKELY = -1.0  # mean log probability of a word's parts
HOPELESS = -1.5  # below it nothing is believed: one part in five was a guess
DOUBTFUL_WORD = 0.5  # probability; below it a word behind the end of the speech is none
# So often somebody may say the same again without pause: "no, no, no"; a phrase less often.
MOST_REPEATS = {1: 8, 2: 4, 3: 4, 4: 3, 5: 3, 6: 3}  # words → times
SURE_OF_LANGUAGE = 0.6  # below it a recording stays in the language it was in
SEEK = VOICE_HZ // 100  # samples of one step of `Segment.seek`
SHORTEST = VOICE_HZ // 50  # samples of a word; nobody says one in less than 20 ms


@dataclass(frozen=True, slots=True)
class Heard:
    """One word. Times in samples of the recording."""

    text: str  # with the space before it, where its script has one
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Said:
    """What is believed of one utterance."""

    text: str
    words: tuple[Heard, ...]
    probability: float  # that a part of a word is right, in the mean


class Whisper:
    def __init__(self, folder: Path, *, threads: int) -> None:
        """Raises `WeightsUnavailable` for a folder that CTranslate2 cannot load."""
        try:
            # "auto" takes the quickest numbers that the processor has: 8 bits for the weights.
            self._model = WhisperModel(
                str(folder), compute_type="auto", cpu_threads=threads, local_files_only=True
            )
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise WeightsUnavailable(
                f"faster-whisper cannot load the model in {folder}: {error}"
            ) from error
        self._pipeline = BatchedInferencePipeline(self._model)
        self._at_once = ON_A_GPU if self._model.model.device == "cuda" else 1

    def language_of(self, utterances: Sequence[Utterance], before: str | None) -> str:
        """ISO 639-1, by what is spoken longest without a pause; `before`: what it was so far."""
        if not self._model.model.is_multilingual:
            return "en"
        longest = max(utterances, key=lambda utterance: len(utterance.samples))
        with _memory():
            language, probability, _ = self._model.detect_language(longest.samples)
        return before if before and probability < SURE_OF_LANGUAGE else str(language)

    def hear(self, utterances: Sequence[Utterance], language: str) -> list[Said | None]:
        """What was said in each utterance; None where there is nothing that can be believed."""
        said = self._decode(utterances, language)
        looped = [at for at, one in enumerate(said) if one and is_loop(one.text)]
        if looped:
            again = self._decode(
                [utterances[at] for at in looped],
                language,
                no_repeat_ngram_size=3,
                repetition_penalty=1.1,
            )
            for at, one in zip(looped, again, strict=True):
                said[at] = one if one and not is_loop(one.text) else None
        return said

    def translate(self, utterances: Sequence[Utterance], language: str) -> list[str]:
        """English, for each utterance; empty where there is nothing that can be believed."""
        said = self._decode(utterances, language, task="translate", word_timestamps=False)
        return [one.text if one and not is_loop(one.text) else "" for one in said]

    def _decode(
        self, utterances: Sequence[Utterance], language: str, **options: Any
    ) -> list[Said | None]:
        """One look at each; None where Whisper itself doubts what it says."""
        lengths = [len(utterance.samples) for utterance in utterances]
        starts = np.cumsum([0, *lengths]).tolist()  # in the sound that is handed over
        clips = [
            {"start": start / VOICE_HZ, "end": end / VOICE_HZ} for start, end in pairwise(starts)
        ]
        said: list[Said | None] = [None] * len(utterances)
        with _memory():
            segments, _ = self._pipeline.transcribe(
                np.concatenate([utterance.samples for utterance in utterances]),
                language=language,
                beam_size=BEAMS,
                temperature=0.0,  # the same words every time
                without_timestamps=True,  # at its own time stamps it begins to loop
                vad_filter=False,
                clip_timestamps=clips,
                batch_size=self._at_once,
                **{"word_timestamps": True, **options},
            )
            for segment in segments:
                at = bisect_right(starts, segment.seek * SEEK + SEEK) - 1
                if not is_doubtful(segment):
                    said[at] = _said(segment, utterances[at], starts[at])
        return said


def _said(segment: Segment, utterance: Utterance, offset: int) -> Said | None:
    """`offset`: where the utterance lies in the sound that was handed over, in samples."""
    if not segment.text.strip():
        return None
    words = []
    previous = utterance.start
    for word in segment.words or ():
        start = utterance.start - offset + round(word.start * VOICE_HZ)
        end = utterance.start - offset + round(word.end * VOICE_HZ)
        if start >= utterance.end and word.probability < DOUBTFUL_WORD:
            continue  # behind the speech
        # Whisper's times are read off its attention: they may lie on each other or outside.
        start = min(max(start, previous), utterance.end - SHORTEST)
        end = min(max(end, start + SHORTEST), utterance.end)
        words.append(Heard(word.word, start, end, float(word.probability)))
        previous = start
    text = "".join(word.text for word in words).strip() or segment.text.strip()
    return Said(text, tuple(words), math.exp(min(segment.avg_logprob, 0.0)))


def is_doubtful(segment: Segment) -> bool:
    """Whether Whisper itself does not believe what it says."""
    silent = segment.no_speech_prob > LIKELY_SILENT and segment.avg_logprob < UNLIKELY
    return bool(silent or segment.avg_logprob < HOPELESS)


def is_loop(text: str) -> bool:
    """Whether a text says the same over and over, as nobody does."""
    if get_compression_ratio(text) > MOST_COMPRESSED:
        return True
    words = text.lower().split()
    return any(_most_repeats(words, length) > most for length, most in MOST_REPEATS.items())


def _most_repeats(words: Sequence[str], length: int) -> int:
    """How often at most `length` words follow themselves: "a b a b a b" is 3 for 2."""
    most = run = 0
    for at in range(length, len(words)):
        run = run + 1 if words[at] == words[at - length] else 0
        most = max(most, run)
    return most // length + 1 if words else 0


@contextmanager
def _memory() -> Iterator[None]:
    """CTranslate2 raises a plain RuntimeError of its allocator."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory("An utterance does not fit into memory beside the model.") from error
    except RuntimeError as error:
        if "out of memory" not in str(error).lower() and "alloc" not in str(error):
            raise
        raise OutOfMemory("An utterance does not fit into memory beside the model.") from error
