"""Whether sound is music, and then how fast it is and in which key, from pieces of any length.

Tempo and the loudness of the pitch classes are librosa's; the key is the profile of C. L. Krumhansl
(Cognitive Foundations of Musical Pitch, 1990) that these fit best. Whether it is music at all
librosa does not say: the partials of music lie a whole number of semitones apart, whatever it is
tuned to, and on several pitch classes.

Works on blocks and keeps sums only: memory does not grow with what is listened to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import librosa
import numpy as np

from dam.contracts import VOICE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.contracts import Samples

BLOCK_S = 8  # shorter: too few notes to see the semitones; longer: a song is lost among speech
SHORTEST_S = 4  # a rest of less than this is left out
FFT, HOP = 4096, 1024  # 3.9 Hz: two semitones at 80 Hz are told apart
LOWEST_HZ, HIGHEST_HZ = 80.0, 2000.0
# How much the partials agree on one grid of semitones, in [0, 1]. Lower: bells and sirens are
# music; higher: a choir with vibrato is none. Of 30 ESC-10 clips and read speech none reaches it.
ON_GRID = 0.45
LEAST_CLASSES = 2.5  # effective number of pitch classes; a hum and its octaves have one or two
LEAST_PART = 0.25  # of the blocks: a ringing phone in a talk makes no music of it
ONSET_FFT, ONSET_HOP = 1024, 128
FRAMES_A_SECOND = VOICE_HZ / ONSET_HOP
LAGS = int(SHORTEST_S / 2 * FRAMES_A_SECOND)  # a later part has little left to be compared with
# Standard deviation of the onsets. Chords that swell and fade lie at 0.1, clicks and strings at 2;
# what is less than this repeats too, as the frames do.
LEAST_ONSET_DB = 0.3
LEAST_BEAT = 0.15  # of the energy of the onsets comes back; less is no beat to tap a foot to
BEATS = 4  # so many are compared: one alone is measured to a frame, 2 % of it at 120 a minute
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
LEAST_FIT = 0.5  # correlation with the best profile; less fits no key
CLEAR = 0.2  # better by so much than the second best fit is certain


@dataclass(frozen=True, slots=True)
class Heard:
    tempo_bpm: float | None
    key: str | None  # "A minor"
    key_confidence: float  # in [0, 1]


class Listening:
    """Takes the pieces in time order."""

    def __init__(self) -> None:
        self._rest: list[Samples] = []
        self._waiting = 0  # samples in `_rest`
        self._blocks = 0
        self._musical = 0
        self._chroma = np.zeros(12)
        self._repeats = np.zeros(LAGS)  # how much of the onsets comes back after so many frames

    def add(self, samples: Samples) -> None:
        """(n,) at `VOICE_HZ`."""
        self._rest.append(samples)
        self._waiting += len(samples)
        size = BLOCK_S * VOICE_HZ
        if self._waiting < size:
            return
        whole = np.concatenate(self._rest)
        while len(whole) >= size:
            self._listen(whole[:size])
            whole = whole[size:]
        self._rest, self._waiting = [whole.copy()], len(whole)

    def end(self) -> Heard | None:
        """None: it is no music."""
        if self._waiting >= SHORTEST_S * VOICE_HZ:
            self._listen(np.concatenate(self._rest))
        if not self._musical or self._musical < LEAST_PART * self._blocks:
            return None
        return Heard(_tempo(self._repeats), *_key(self._chroma))

    def _listen(self, samples: Samples) -> None:
        self._blocks += 1
        chroma = _chroma(samples)
        if chroma is None:
            return
        self._musical += 1
        self._chroma += chroma
        onsets = librosa.onset.onset_strength(
            y=samples,
            sr=VOICE_HZ,
            hop_length=ONSET_HOP,
            n_fft=ONSET_FFT,
            n_mels=64,
            detrend=True,
        )
        if onsets.std() >= LEAST_ONSET_DB:
            same = librosa.autocorrelate(onsets, max_size=LAGS)
            self._repeats[: len(same)] += same / (1 - np.arange(len(same)) / len(onsets))


def _chroma(samples: Samples) -> NDArray[np.float32] | None:
    """(12,): how loud each pitch class is, from C. None: it is no music."""
    spectrum = np.abs(librosa.stft(samples, n_fft=FFT, hop_length=HOP))
    pitches, loud = librosa.piptrack(
        S=spectrum, sr=VOICE_HZ, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, threshold=0.1
    )
    is_peak = loud > 0
    weights: Any = loud[is_peak].astype(np.float64)
    if not weights.sum():
        return None
    semitones = librosa.hz_to_midi(pitches[is_peak].astype(np.float64))
    turned = (weights * np.exp(2j * np.pi * semitones)).sum() / weights.sum()
    tuning = float(np.angle(turned) / (2 * np.pi))
    classes = np.bincount(
        np.round(semitones - tuning).astype(int) % 12, weights=weights, minlength=12
    )
    if abs(turned) < ON_GRID or _effective(classes / classes.sum()) < LEAST_CLASSES:
        return None
    by_frame = librosa.feature.chroma_stft(
        S=spectrum**2, sr=VOICE_HZ, n_fft=FFT, hop_length=HOP, tuning=tuning
    )
    chroma: NDArray[np.float32] = by_frame.mean(1)
    return chroma


def _effective(parts: NDArray[np.float64]) -> float:
    """How many there are, the faint ones counted less (exponential of entropy)."""
    present = parts[parts > 0]
    return float(np.exp(-(present * np.log(present)).sum()))


def _tempo(repeats: NDArray[np.float64]) -> float | None:
    """Beats a minute, or None without a beat."""
    if not repeats[0] > 0:
        return None
    repeats = (repeats / repeats[0]).clip(min=0)  # librosa takes its logarithm
    (rough,) = librosa.feature.tempo(tg=repeats[:, None], sr=VOICE_HZ, hop_length=ONSET_HOP)
    lag = 60 * FRAMES_A_SECOND / float(rough)
    if repeats[round(lag)] < LEAST_BEAT:
        return None
    for times in range(1, BEATS + 1):  # each step is as exact as the last one was to begin with
        if lag * times < LAGS - 4:
            lag = _peak(repeats, round(lag * times)) / times
    return round(60 * FRAMES_A_SECOND / lag, 1)


def _peak(repeats: NDArray[np.float64], lag: int, reach: int = 2) -> float:
    """The place of the peak near a lag, between the frames by a parabola through three of them."""
    first = max(1, lag - reach)
    at = first + int(repeats[first : lag + reach + 1].argmax())
    before, here, after = repeats[at - 1 : at + 2]
    curve = before - 2 * here + after
    return at + (0.5 * float((before - after) / curve) if curve < 0 else 0.0)


def _key(chroma: NDArray[np.float64]) -> tuple[str | None, float]:
    """Its name and how much better it fits than any other."""
    fits = [
        (float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]), tonic, mode)
        for mode, profile in (("major", MAJOR), ("minor", MINOR))
        for tonic in range(12)
    ]
    fits.sort(reverse=True)
    fit, tonic, mode = fits[0]
    if not fit >= LEAST_FIT:
        return None, 0.0
    return f"{NAMES[tonic]} {mode}", round(min(1.0, max(0.0, (fit - fits[1][0]) / CLEAR)), 3)
