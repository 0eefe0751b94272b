"""Uploads under kill -9: a library never shows half a file, and none is lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from tests.reliability.conftest import RecordFigure, Tier

if TYPE_CHECKING:
    from pathlib import Path

LINES_APART = {Tier.CI: 11, Tier.FULL: 3}

# Forks for every kill, which costs less than a process of its own; the parent holds no database.
SCRIPT = """
    import json, os, shutil, sys
    from pathlib import Path
    from blake3 import blake3
    from dam import placing, uploads
    from dam.config import Settings
    from dam.library.libraries import add_library
    from dam.schema import open_database

    home, root, first, apart = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
    content = bytes(range(256)) * 10_000
    digest = blake3(content).hexdigest()
    settings = Settings(home=home)

    def forked(work):
        child = os.fork()
        if not child:
            database = open_database(settings)
            try:
                work(uploads.Uploads(database, settings), database)
            finally:
                database.close()
            os._exit(0)
        return os.waitpid(child, 0)[1]

    def send(service, lines=None):
        left = lines

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code.co_filename not in (uploads.__file__, placing.__file__):
                return None
            left -= event == "line"
            if left < 0:
                os.kill(os.getpid(), 9)
            return trace

        if lines is not None:
            sys.settrace(trace)
        state = service.begin(library_id, "trip", "a.jpg", len(content), digest)
        while not state.done:
            part = content[state.offset : state.offset + 1_000_000]
            state = service.append(state.id, state.offset, part)

    def visible():
        return [path for path in root.rglob("*") if path.is_file() and path.name[0] != "."]

    def announce(_, database):
        (home / "library").write_text(add_library(database, root).id)

    assert forked(announce) == 0
    library_id = (home / "library").read_text()
    kills = whole = 0
    for lines in range(first, 100_000, apart):
        if not forked(lambda service, _: send(service, lines)):
            break
        kills += 1
        for path in visible():  # whole or not there
            whole += 1
            assert path.read_bytes() == content, (lines, path)
        assert forked(lambda service, _: send(service)) == 0, lines
        assert [path.name for path in visible()] == ["a.jpg"], (lines, visible())
        assert visible()[0].read_bytes() == content
        left = [path.name for path in (root / "trip").iterdir() if path.name != "a.jpg"]
        assert not left, (lines, left)
        assert [path.name for path in (home / "uploads").iterdir()] == ["done"], lines
        shutil.rmtree(root / "trip")
        shutil.rmtree(home / "uploads")
    print(json.dumps({"kills": kills, "whole": whole}))
"""


def test_upload_killed_anywhere_is_whole_or_not_there_and_goes_on(
    tier: Tier, seed: int, tmp_path: Path, record_figure: RecordFigure
) -> None:
    (tmp_path / "photos").mkdir()
    apart = LINES_APART[tier]
    arguments = [str(tmp_path / "home"), str(tmp_path / "photos"), str(seed % apart), str(apart)]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["kills"] > 20
    assert counted["whole"]  # some kills came after the file had its name
    record_figure("R2", "uploads killed, whole or not there each time", counted["kills"])
