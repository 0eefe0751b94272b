"""Where somebody speaks: a recording of any length → stretches short enough for one look.

Sound is held a window at a time, two minutes of it, and windows are cut where nobody speaks, so
that three hours need no more memory than three minutes. The voice detector is Silero's (MIT),
which comes with faster-whisper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps

from dam.contracts import VOICE_HZ
from dam.errors import UnreadableMedia

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dam.contracts import Samples, Sound

WINDOW_S = 120  # longer holds more memory, shorter gives the detection of a language less to hear
# A pause that parts two utterances. Shorter: each costs the model a whole look of 30 s, whatever
# its length. Longer: words drift over the silence, and Whisper fills it with sentences of its own.
PAUSE_S = 1.0
LONGEST_S = 28.0  # of one utterance; Whisper looks at 30 s, and a cut one gets room on both sides
# Left around what is certainly speech: soft consonants at its edges.
MARGIN_S = 0.2
# Silero's detector is made for 0.5, and grows deaf in a long silence: the first word after a minute
# may reach no more than that. Lower, chainsaws are speech as well (at 0.35 five in ten).
LIKELY_SPEECH = 0.4
# Noise of this level (-80 dBFS) keeps it from growing quite deaf in digital silence.
HISS_RMS = 1e-4
SILENT = 1e-4  # peak (-80 dBFS) below which nobody needs to look for speech
# The level that speech codecs are tested at (ITU-T P.56: -26 dBov). Whisper hears the same words
# differently when they are louder or softer than what it learnt from.
SPEECH_RMS = 0.05
MOST_GAIN = 30.0  # louder would make speech of the hiss of a microphone


@dataclass(frozen=True, slots=True)
class Utterance:
    start: int  # where it lies in the recording, in samples at `VOICE_HZ`
    samples: Samples  # (n,), at the level of speech

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


def spoken(pieces: Iterable[Sound]) -> Iterator[list[Utterance]]:
    """The utterances of one window after the other; none for a window in which nobody speaks.

    Raises `UnreadableMedia` for pieces that are no sound.
    """
    parts: list[Samples] = []
    held = first = 0  # samples in `parts`, and where they begin
    for piece in pieces:
        if piece.voice.ndim != 1 or piece.voice.dtype != np.float32:
            shape = f"{piece.voice.dtype} of shape {piece.voice.shape}"
            raise UnreadableMedia(f"Not one channel of sound: {shape}.")
        parts.append(piece.voice)
        held += len(piece.voice)
        if held >= WINDOW_S * VOICE_HZ:
            window = np.concatenate(parts)
            found, rest = _cut(window, first, last=False)
            yield found
            first += len(window) - len(rest)
            parts, held = [rest], len(rest)
    if held:
        yield _cut(np.concatenate(parts), first, last=True)[0]


def _cut(window: Samples, first: int, *, last: bool) -> tuple[list[Utterance], Samples]:
    """The utterances that are over, and the samples from which on one may still go on."""
    spans = _spans(window)
    pause = round(PAUSE_S * VOICE_HZ)
    open_from = len(window) if last else max(0, len(window) - pause)
    if spans and not last and spans[-1][1] > open_from - round(MARGIN_S * VOICE_HZ):
        open_from = spans.pop()[0]
    done = [
        Utterance(first + start, _at_the_level_of_speech(window[start:end])) for start, end in spans
    ]
    return done, window[open_from:].copy()  # a view would keep the whole window


def _spans(window: Samples) -> list[tuple[int, int]]:
    if not len(window) or np.abs(window).max() < SILENT:
        return []
    hiss = np.random.default_rng(0).normal(0, HISS_RMS, len(window)).astype(np.float32)
    options = VadOptions(
        threshold=LIKELY_SPEECH,
        max_speech_duration_s=LONGEST_S,
        min_silence_duration_ms=round(PAUSE_S * 1000),
        speech_pad_ms=round(MARGIN_S * 1000),
    )
    found = get_speech_timestamps(window + hiss, options)
    return [(int(span["start"]), int(span["end"])) for span in found]


def _at_the_level_of_speech(samples: Samples) -> Samples:
    rms = float(np.sqrt(np.mean(np.square(samples))))
    gain = min(SPEECH_RMS / max(rms, 1e-9), MOST_GAIN)
    return np.asarray(samples * np.float32(gain), np.float32)
