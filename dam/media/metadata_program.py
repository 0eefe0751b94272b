"""The program of a metadata process: `python -m dam.media.metadata_program`.

Reads what files say about themselves, all of it foreign and some of it hostile, so it may crash,
hang or run out of memory at any time. `dam.media.metadata` starts it, asks it and kills it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dam.contracts import Kind
from dam.errors import LibraryOffline, UnreadableMedia
from dam.media.exiftool_reader import ExifToolReader
from dam.media.fields import Fields
from dam.media.ixml import read_ixml
from dam.media.meaning import metadata_of
from dam.media.plain_reader import read_plainly
from dam.media.sidecars import read_sidecar


class MetadataProgram:
    """`exiftool` is None where it is not installed or could not be started."""

    def __init__(self, exiftool: ExifToolReader | None, max_pixels: int) -> None:
        self._exiftool = exiftool
        self._max_pixels = max_pixels

    def answer(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        files = request["files"]
        plainly = self._exiftool is None or request["plainly"]
        read = self._read_plainly if plainly else self._read
        return [
            self._meant(file, fields, warnings)
            for file, (fields, warnings) in zip(files, read(files), strict=True)
        ]

    def _read(self, files: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
        assert self._exiftool is not None
        found = self._exiftool.read([Path(file["path"]) for file in files])
        return [
            (fields, []) if fields else self._read_plainly([file])[0]
            for file, fields in zip(files, found, strict=True)
        ]

    def _read_plainly(self, files: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
        answers: list[tuple[dict[str, Any], list[str]]] = []
        for file in files:
            try:
                fields = read_plainly(Kind(file["kind"]), Path(file["path"]), self._max_pixels)
                answers.append((fields, []))
            except Exception as error:  # parsers raise anything on hostile input
                answers.append(({}, [f"The metadata cannot be read: {error}"]))
        return answers

    def _meant(
        self, file: dict[str, Any], fields: dict[str, Any], warnings: list[str]
    ) -> dict[str, Any]:
        sidecar, digest = Fields({}), None
        if file["sidecar"]:
            try:
                sidecar, digest = read_sidecar(Path(file["sidecar"]), Path(file["path"]))
            except UnreadableMedia as error:
                warnings = [*warnings, f"The sidecar is not used: {error}"]
        if Kind(file["kind"]) is Kind.AUDIO and not warnings:
            try:
                fields = fields | read_ixml(Path(file["path"]))
            except (UnreadableMedia, LibraryOffline) as error:
                warnings = [*warnings, f"The notes of the recorder are not used: {error}"]
        metadata = asdict(metadata_of(Kind(file["kind"]), Fields(fields), sidecar, digest))
        if warnings:
            metadata["details"]["warnings"] = warnings
        return metadata


def _die_with_parent() -> None:
    """Standard input is a pipe that the parent never writes: its end is the parent's end."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)  # this process and ExifTool


def main() -> None:
    setup = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to decide on
    threading.Thread(target=_die_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_bytes = setup["memory_mb"] << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))  # ExifTool inherits it
    connection = Connection(setup["connection"])
    with ExitStack() as open_things:
        exiftool, problem = None, None
        if setup["exiftool"]:
            try:
                reader = ExifToolReader(setup["exiftool"], Path(setup["folder"]))
                exiftool = open_things.enter_context(reader)
            except (OSError, ValueError, RuntimeError) as error:
                problem = str(error)
        connection.send_bytes(json.dumps({"problem": problem}).encode())
        program = MetadataProgram(exiftool, setup["max_pixels"])
        while True:
            try:
                request = json.loads(connection.recv_bytes())
            except EOFError:
                return
            answer = {"metadata": program.answer(request)}
            connection.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
