"""`python -m demo FOLDER`: the sample library, indexed, searched, and then in the web browser.

Runs the same commands that a person would type, shows them, and keeps everything below FOLDER.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from demo.library import build_library

SEARCHES = ("a cat", "a cup of coffee", "a rocket launch")


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    pictures = folder / "library"
    os.environ.setdefault("DAM_HOME", str(folder / "home"))
    if not pictures.is_dir():
        print(f"Making the sample library in {pictures} …", flush=True)
        build_library(pictures)
        dam("library", "add", str(pictures), "--name", "Sample")
    dam("index")
    for text in SEARCHES:
        dam("search", text, "--limit", "3")
    if os.environ.get("DEMO_SERVE", "1") != "0":
        print("\nThe same in your browser; Ctrl-C ends it.")
        dam("serve")


def dam(*arguments: str) -> None:
    """Shows a dam command and runs it; ends the demo where it fails."""
    shown = " ".join(f'"{part}"' if " " in part else part for part in arguments)
    print(f"\n$ dam {shown}", flush=True)
    try:
        done = subprocess.run([sys.executable, "-m", "dam", *arguments], check=False)
    except KeyboardInterrupt:
        sys.exit(0)
    if done.returncode != 0:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
