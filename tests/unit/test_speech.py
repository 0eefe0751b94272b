"""From sound to lines: where somebody speaks, what is not believed, how lines are cut."""

from __future__ import annotations

import tracemalloc
import wave
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dam.contracts import VOICE_HZ, Item, Kind, Setup, Sound
from dam.errors import UnreadableMedia, WeightsUnavailable
from dam.findings import TranscriptLine
from dam.models import ModelStore
from indexers.speech import MOST_CHARACTERS, Speech, lines_of
from indexers.utterances import WINDOW_S, Utterance, spoken
from indexers.whisper import Heard, Said, is_doubtful, is_loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.config import Settings

WIDE = np.zeros((1, 0), np.float32)  # no reader of speech looks at it


def pieces(voice: np.ndarray, from_s: float = 0.0) -> Iterator[Sound]:
    for at in range(0, len(voice), 4 * VOICE_HZ):
        at_us = int((from_s + at / VOICE_HZ) * 1e6)
        yield Sound(at_us, WIDE, voice[at : at + 4 * VOICE_HZ].astype(np.float32))


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * VOICE_HZ), np.float32)


@pytest.fixture(scope="module")
def interview(shared: Path) -> np.ndarray:
    with wave.open(str(shared / "media" / "speech" / "interview.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)


def heard_s(voice: np.ndarray) -> list[float]:
    """Where utterances begin."""
    return [u.start / VOICE_HZ for window in spoken(pieces(voice)) for u in window]


# Where somebody speaks ----------------------------------------------------------------------


def test_utterances_are_parted_by_pauses_and_silence_has_none(interview: np.ndarray) -> None:
    assert heard_s(interview) == pytest.approx([0, 5.78, 11.59, 18.03, 24.02, 30.2], abs=0.4)
    assert heard_s(silence(10)) == []
    assert list(spoken(iter(()))) == []


def test_noise_is_not_speech() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, 20 * VOICE_HZ).astype(np.float32)
    assert heard_s(noise) == []


def test_who_speaks_while_a_window_ends_is_heard_once_and_whole(interview: np.ndarray) -> None:
    begins_s = WINDOW_S - 1
    voice = np.concatenate([silence(begins_s), interview])
    expected = [begins_s + at_s for at_s in heard_s(interview)]
    assert heard_s(voice) == pytest.approx(expected, abs=0.3)


def test_quiet_speech_is_brought_to_the_level_of_loud(interview: np.ndarray) -> None:
    [[loud, *_]] = spoken(pieces(interview))
    [[quiet, *_]] = spoken(pieces(interview / 10))
    levels = [float(np.sqrt(np.mean(u.samples**2))) for u in (loud, quiet)]
    assert levels == pytest.approx([0.05, 0.05], abs=0.001)


def test_memory_is_bounded_however_long_it_lasts() -> None:
    """Two hours of silence, which are 460 MB of samples."""
    tracemalloc.start()
    quiet = silence(60)
    windows = sum(1 for _ in spoken(s for at in range(120) for s in pieces(quiet, 60.0 * at)))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert windows >= 7200 // WINDOW_S
    assert most_bytes < 50 << 20


def test_what_is_no_sound_is_refused() -> None:
    stereo = Sound(0, WIDE, np.zeros((2, VOICE_HZ), np.float32))
    with pytest.raises(UnreadableMedia, match=r"float32 of shape \(2, 16000\)"):
        list(spoken([stereo]))


# What is not believed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "you " * 9,
        "Thank you. " * 5,
        "and then we went home " * 4,
        "well, " + "I think so, " * 5 + "yes",
        "啊" * 100,
    ],
)
def test_what_nobody_says_so_often_is_a_loop(text: str) -> None:
    assert is_loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "No, no, no, no, no!",
        "six six four one",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily.",
        "bye bye, bye bye",
    ],
)
def test_what_people_do_repeat_is_no_loop(text: str) -> None:
    assert not is_loop(text)


class Segment:
    def __init__(self, no_speech_prob: float, avg_logprob: float) -> None:
        self.no_speech_prob = no_speech_prob
        self.avg_logprob = avg_logprob


@pytest.mark.parametrize(
    ("no_speech", "logprob", "doubtful"),
    [
        (0.9, -1.2, True),  # nobody speaks, and the words are guesses
        (0.9, -0.3, False),  # certain words outweigh it
        (0.1, -1.2, False),  # mumbled
        (0.1, -1.7, True),
    ],
)
def test_whisper_is_believed_as_far_as_it_believes_itself(
    no_speech: float, logprob: float, *, doubtful: bool
) -> None:
    assert is_doubtful(Segment(no_speech, logprob)) is doubtful  # type: ignore[arg-type]


# Lines --------------------------------------------------------------------------------------


def utterance(seconds: float, from_s: float = 10.0) -> Utterance:
    return Utterance(round(from_s * VOICE_HZ), silence(seconds))


def said(text: str, each_s: float = 0.4, from_s: float = 10.0, gap_before: str = "") -> Said:
    """One word after the other; a second and a half of silence before the word `gap_before`."""
    words, at_s = [], from_s
    for word in text.split():
        at_s += 1.5 if word == gap_before else 0
        end_s = at_s + each_s
        words.append(Heard(f" {word}", round(at_s * VOICE_HZ), round(end_s * VOICE_HZ), 0.9))
        at_s = end_s
    return Said(text, tuple(words), 0.9)


def cut(text: str, seconds: float = 60.0, english: str = "", **given: object) -> list[str]:
    lines = lines_of(utterance(seconds), said(text, **given), "de", english, None)  # type: ignore[arg-type]
    for line, following in pairwise(lines):
        assert line.span.end_us <= following.span.start_us
    return [line.text for line in lines]


def test_a_line_ends_with_its_sentence() -> None:
    assert cut("We met her in the harbour. She was already old. Yes. So it began.") == [
        "We met her in the harbour.",
        "She was already old.",
        "Yes. So it began.",
    ]


def test_a_line_ends_where_the_speaker_pauses() -> None:
    assert cut("one two three four", gap_before="three") == ["one two", "three four"]


def test_a_line_is_never_longer_than_two_rows_of_subtitles_or_seven_seconds() -> None:
    spoken_fast = cut("wonderful " * 40, each_s=0.2)
    assert all(len(line) <= MOST_CHARACTERS for line in spoken_fast)
    assert " ".join(spoken_fast) == " ".join(["wonderful"] * 40)
    assert [line.split() for line in cut("so " * 10, each_s=1.0)] == [["so"] * 7, ["so"] * 3]


def test_lines_begin_and_end_with_the_voice_and_inside_the_recording() -> None:
    [line] = lines_of(utterance(5.0), said("one two", from_s=10.7), "en", "", 13_000_000)
    assert (line.span.start_us, line.span.end_us) == (10_000_000, 13_000_000)
    assert [word.span.start_us for word in line.words] == [10_700_000, 11_100_000]
    assert lines_of(utterance(5.0), said("one two"), "en", "", 9_000_000) == []


def test_a_translation_is_shared_out_over_the_lines_it_belongs_to() -> None:
    lines = lines_of(
        utterance(60), said("Sie war schon sehr alt. Und dann begann es."), "de",
        "She was already very old. And then it began.", None,
    )  # fmt: skip
    assert [line.english for line in lines] == ["She was already very old.", "And then it began."]
    assert lines[0].searchable == "Sie war schon sehr alt.\nShe was already very old."


# The whole ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speech(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speech]:
    from dam.config import Settings

    home = tmp_path_factory.mktemp("speech")
    settings = Settings(home=home, models=shared / "models", threads=1)
    with Speech(Setup(models=ModelStore(settings), cache=home / "cache")) as entered:
        yield entered


def transcript(speech: Speech, voice: np.ndarray) -> list[tuple[float, str]]:
    [outcome] = speech.index([Item("a", Kind.AUDIO, None, sound=pieces(voice))])
    assert outcome.error is None
    lines = [line for line in outcome.findings if isinstance(line, TranscriptLine)]
    return [(line.span.start_us / 1e6, line.text) for line in lines]


def test_spoken_digits_are_written_down_at_their_second(
    speech: Speech, interview: np.ndarray
) -> None:
    found = transcript(speech, interview)
    assert [text for _, text in found] == [
        "four six nine", "zero zero six", "nine five eight",
        "seven two nine", "seven six two", "zero two seven",
    ]  # fmt: skip
    starts_s = [at_s for at_s, _ in found]
    assert starts_s == pytest.approx([0, 5.78, 11.59, 18.03, 24.02, 30.2], abs=0.5)


def test_a_recording_without_sound_fails_and_a_silent_video_does_not(speech: Speech) -> None:
    items = [Item("a", Kind.AUDIO, None), Item("v", Kind.VIDEO, 1_000_000)]
    without, silent = speech.index(items)
    assert str(without.error) == "There is no sound in it."
    assert silent.error is None
    assert list(silent.findings) == []


def test_a_model_that_does_not_load_is_as_good_as_absent(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "broken"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"suppress_ids_begin": []}')
    (folder / "model.bin").write_bytes(b"no weights")
    store = ModelStore(settings.model_copy(update={"models": tmp_path / "models"}))
    with pytest.raises(WeightsUnavailable, match=r"tokenizer\.json is missing"):
        Speech(Setup(models=store, cache=tmp_path, options={"model": "broken"})).producer()
    (folder / "tokenizer.json").write_text("{}")
    broken = Speech(Setup(models=store, cache=tmp_path, options={"model": "broken"}))
    with pytest.raises(WeightsUnavailable, match="cannot load the model"):
        broken.__enter__()
    with pytest.raises(WeightsUnavailable, match="cannot load the model"):
        broken.producer()  # remembered: the work waits instead of trying with every batch


def test_translating_is_another_producer(shared: Path, settings: Settings, tmp_path: Path) -> None:
    store = ModelStore(settings.model_copy(update={"models": shared / "models"}))
    plain, translating = (
        Speech(Setup(models=store, cache=tmp_path, options={"translate": wish})).producer()
        for wish in ("no", "yes")
    )
    assert plain.fingerprint != translating.fingerprint
