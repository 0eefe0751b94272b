"""What is said in recordings and videos: lines with the times of their words.

Voices are found first (`indexers.utterances`), each utterance is heard by itself
(`indexers.whisper`), and its words are put into lines that can be read as subtitles. See
docs/indexers/speech.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from dam.contracts import VOICE_HZ, Item, Kind, Outcome, Producer, Reads, Setup, Span
from dam.errors import DamError, UnreadableMedia
from dam.findings import TranscriptLine, Word
from indexers.loading import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dam.contracts import Sound
    from indexers.utterances import Utterance
    from indexers.whisper import Heard, Said, Whisper

# Two lines of 42 characters and seven seconds are what subtitles show at most at once (Netflix
# Timed Text Style Guide, BBC Subtitle Guidelines); longer ones also place a find less exactly.
MOST_CHARACTERS = 84
LONGEST_S = 7.0
PAUSE_S = 0.7  # a pause inside of an utterance that a reader takes for the end of a line
ENDS = (".", "?", "!", "…", "。", "？", "！")  # of a sentence
SHORTEST_SENTENCE = 20  # characters; a shorter one stays beside the next, or lines would flicker


class Speech:
    name: ClassVar[str] = "speech"
    version: ClassVar[int] = 1
    accepts: ClassVar[frozenset[Kind]] = frozenset({Kind.VIDEO, Kind.AUDIO})
    reads: ClassVar[frozenset[Reads]] = frozenset({Reads.SOUND})
    needs: ClassVar[tuple[str, ...]] = ()
    produces: ClassVar[frozenset[type]] = frozenset({TranscriptLine})
    batch_size: ClassVar[int] = 1

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._whisper: Whisper | None = None
        self._weights = Weights(setup, self.name)

    def producer(self) -> Producer:
        files = self._weights.find()
        return Producer(
            self.name,
            self.version,
            model=files.name,
            weights=files.digest,
            parameters={"translate": True} if self._translates else {},
        )

    @property
    def _translates(self) -> bool:
        return self._setup.options.get("translate") == "yes"

    def __enter__(self) -> Self:
        with self._weights.loading() as files:
            from indexers.whisper import Whisper  # CTranslate2 and ONNX Runtime load here

            self._whisper = Whisper(files.path, threads=self._setup.threads)
        return self

    def __exit__(self, *_error: object) -> None:
        self._whisper = None

    def index(self, items: Iterable[Item]) -> Iterator[Outcome]:
        for item in items:
            try:
                outcome = Outcome(self._transcribe(item))
            except DamError as error:
                outcome = Outcome(error=error)
            yield outcome

    def _transcribe(self, item: Item) -> list[TranscriptLine]:
        from indexers.utterances import spoken

        whisper = self._whisper
        if whisper is None:
            raise RuntimeError("enter the indexer first: `with speech:`")
        lines: list[TranscriptLine] = []
        language: str | None = None
        for utterances in spoken(_sound(item)):
            if not utterances:
                continue
            language = whisper.language_of(utterances, before=language)
            said = whisper.hear(utterances, language)
            english = [""] * len(utterances)
            if self._translates and language != "en" and any(said):
                english = whisper.translate(utterances, language)
            for utterance, one, translated in zip(utterances, said, english, strict=True):
                if one is not None:
                    lines += lines_of(utterance, one, language, translated, item.duration_us)
        return lines


def _sound(item: Item) -> Iterator[Sound]:
    """Raises `UnreadableMedia` when a recording has none; a video may be silent."""
    heard = False
    for piece in item.sound:
        heard = True
        yield piece
    if not heard and item.kind is Kind.AUDIO:
        raise UnreadableMedia("There is no sound in it.")


def lines_of(
    utterance: Utterance, said: Said, language: str, english: str, duration_us: int | None
) -> list[TranscriptLine]:
    """Lines that follow each other without overlap and lie inside the asset.

    The first begins and the last ends where the voice does: the detector of voices hears that to a
    hundredth of a second, Whisper places words less exactly.
    """
    groups = _lines(said.words) or [()]
    starts = [utterance.start, *(group[0].start for group in groups[1:])]
    ends = [*starts[1:], utterance.end]
    translated = _shared_out(english, [len(_text(group)) for group in groups])
    lines = []
    for group, start, end, part in zip(groups, starts, ends, translated, strict=True):
        span = _span(start, end, duration_us)
        if span is None:
            continue  # behind what the file says is its end
        probabilities = [word.probability for word in group] or [said.probability]
        lines.append(
            TranscriptLine(
                span=span,
                text=_text(group) or said.text,
                language=language,
                confidence=sum(probabilities) / len(probabilities),
                words=tuple(_word(word, span) for word in group),
                english=part or None,
            )
        )
    return lines


def _lines(words: Sequence[Heard]) -> list[Sequence[Heard]]:
    """Cut at pauses and the ends of sentences, and before a line grows too long to be read."""
    lines: list[list[Heard]] = []
    for word in words:
        line = lines[-1] if lines else None
        if line is None or _ends(line, word):
            lines.append([word])
        else:
            line.append(word)
    return list(lines)


def _ends(line: Sequence[Heard], following: Heard) -> bool:
    text = _text(line)
    if following.start <= line[0].start:
        return False  # times that lie on each other tell no order
    is_sentence = text.endswith(ENDS) and len(text) >= SHORTEST_SENTENCE
    is_long = len(text) + len(following.text) > MOST_CHARACTERS
    lasts_long = following.end - line[0].start > LONGEST_S * VOICE_HZ
    has_paused = following.start - line[-1].end > PAUSE_S * VOICE_HZ
    return is_sentence or is_long or lasts_long or has_paused


def _text(words: Sequence[Heard]) -> str:
    return "".join(word.text for word in words).strip()


def _shared_out(text: str, lengths: Sequence[int]) -> list[str]:
    """A translation has no times: each line gets the words that lie where its own do."""
    shares: list[list[str]] = [[] for _ in lengths]
    words = text.split()
    line, reached = 0, lengths[0]
    for number, word in enumerate(words):
        while line < len(lengths) - 1 and number * sum(lengths) >= reached * len(words):
            line += 1
            reached += lengths[line]
        shares[line].append(word)
    return [" ".join(share) for share in shares]


def _word(word: Heard, line: Span) -> Word:
    start_us = min(max(_us(word.start), line.start_us), line.end_us - 1)
    end_us = min(max(_us(word.end), start_us + 1), line.end_us)
    return Word(Span(start_us, end_us), word.text.strip(), word.probability)


def _span(start: int, end: int, duration_us: int | None) -> Span | None:
    start_us, end_us = _us(start), _us(end)
    if duration_us is not None:
        end_us = min(end_us, duration_us)
    return Span(start_us, end_us) if start_us < end_us else None


def _us(samples: int) -> int:
    return samples * 1_000_000 // VOICE_HZ
