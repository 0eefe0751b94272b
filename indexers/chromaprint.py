"""Chromaprint of a stream of samples, by the program `fpcalc`.

The samples go to its standard input as they are decoded: the file itself is never opened again,
and memory stays bounded however long it lasts. Called by `indexers.fingerprints`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np

from dam.contracts import VOICE_HZ
from dam.errors import Permanent

if TYPE_CHECKING:
    from dam.contracts import Samples

PROGRAM = "fpcalc"
MENDED_BY = "apt install libchromaprint-tools"
# Chromaprint's own: one word for each step of its 4,096-sample frames with 2/3 overlap at 11,025
# Hz, the first after a window of 2.6 s (chromaprint: src/chroma.h, fingerprinter_configuration).
WORD_US = 123_810
# Full scale is 1. Below -66 dB there is nothing to compare but the noise of a codec.
SILENT = 5e-4
SHORTEST_S = 3  # fpcalc hears nothing in less than its window


def find_program() -> str | None:
    return shutil.which(PROGRAM)


class Listener:
    """One run of fpcalc: takes pieces of sound, says what it heard. A context manager."""

    def __init__(self, program: str) -> None:
        self._command = [program, "-raw", "-json", "-length", "0"]
        self._command += ["-format", "s16le", "-rate", str(VOICE_HZ), "-channels", "1", "-"]
        self._process: subprocess.Popen[bytes] | None = None
        self._loud = False
        self._samples = 0

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def hear(self, voice: Samples) -> None:
        self._samples += len(voice)
        self._loud = self._loud or bool((np.abs(voice) > SILENT).any())
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        assert self._process.stdin is not None
        written = (voice.clip(-1, 1) * 32767).astype("<i2").tobytes()
        try:
            self._process.stdin.write(written)
        except BrokenPipeError as error:
            said = self._process.communicate()[1].decode(errors="replace").strip()
            raise Permanent(f"{PROGRAM} stopped while it listened: {said}") from error

    def words(self) -> np.ndarray:
        """(n,) uint32, one each `WORD_US`; none of silence or of less than three seconds."""
        if self._process is None:
            return np.zeros(0, "<u4")
        answer, said = self._process.communicate()
        if not self._loud or self._samples < SHORTEST_S * VOICE_HZ:
            return np.zeros(0, "<u4")
        # The end of a raw stream is an error to some versions (exit status 3): what counts is
        # whether there is a fingerprint.
        try:
            found = json.loads(answer)["fingerprint"]
        except (ValueError, KeyError) as error:
            reason = said.decode(errors="replace").strip() or "no reason given"
            raise Permanent(f"{PROGRAM} gave no fingerprint: {reason}") from error
        return np.array(found, "<u4")
