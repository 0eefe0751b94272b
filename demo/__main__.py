"""`python -m demo FOLDER`: the sample library, indexed, searched, and then in the web browser.

Runs the same commands that a person would type, shows them, and keeps everything below FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.library import build_library
from demo.pictures import SHOWN

MODEL = "fast"  # 600 MB; the others are several times as large and as slow


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    pictures = folder / "library"
    os.environ.setdefault("DAM_HOME", str(folder / "home"))
    if not pictures.is_dir():
        print(f"Making the sample library in {pictures} …", flush=True)
        build_library(pictures)
    if str(pictures) not in [library["root"] for library in ask("library", "list")["libraries"]]:
        run("library", "add", str(pictures), "--name", "Sample")
    if not any(model["state"] == "ready" for model in ask("models", "list")["models"]):
        get_model()
    run("index")
    for text in SHOWN:
        run("search", text, "--limit", "3")
    if os.environ.get("DEMO_SERVE", "1") != "0":
        print("\nThe same in your web browser; Ctrl-C ends it.")
        run("serve")


def get_model() -> None:
    """That it cannot be had is a normal state: everything but the visual search goes on."""
    print("\nNo picture model is on this machine, and this copy of dam has none; getting one.")
    if not run("models", "pull", MODEL, must=False):
        print("Going on without it: search answers from names, captions, places and dates.")


def run(*arguments: str, must: bool = True) -> bool:
    """Shows a dam command and runs it; ends the demo where one fails that must not."""
    shown = " ".join(f'"{part}"' if " " in part else part for part in arguments)
    print(f"\n$ dam {shown}", flush=True)
    try:
        done = subprocess.run([sys.executable, "-m", "dam", *arguments], check=False)
    except KeyboardInterrupt:
        sys.exit(0)
    if must and done.returncode != 0:
        sys.exit(done.returncode)
    return done.returncode == 0


def ask(*arguments: str) -> dict[str, Any]:
    """The JSON answer of a dam command, without showing it."""
    command = [sys.executable, "-m", "dam", *arguments, "--json"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(answer)
    return found


if __name__ == "__main__":
    main()
