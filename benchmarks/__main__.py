"""`python -m benchmarks [NAME…] [--out FILE]`: run the benchmarks, print and keep their figures."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import benchmarks
from benchmarks.figures import Figure, Unavailable, describe_machine

if TYPE_CHECKING:
    from types import ModuleType


def find_benchmarks(names: list[str]) -> list[ModuleType]:
    """The named benchmark modules, or all of them."""
    modules = [info.name for info in pkgutil.iter_modules(benchmarks.__path__)]
    unknown = sorted(set(names) - set(modules))
    if unknown:
        sys.exit(f"no benchmark is named {', '.join(unknown)}")
    chosen = names or [name for name in modules if name != "__main__"]
    found = (importlib.import_module(f"benchmarks.{name}") for name in chosen)
    return [module for module in found if hasattr(module, "measure")]


def show(figure: Figure) -> None:
    value = f"{figure.value:,.3g}" if abs(figure.value) < 1000 else f"{figure.value:,.0f}"
    target = f"(goal {figure.target})" if figure.target else ""
    print(f"  {figure.goal:4} {figure.name:58} {value:>8} {figure.unit:10} {target}")
    if figure.note:
        print(f"       {figure.note}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="benchmarks to run; all when none is named")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    asked = parser.parse_args()

    machine = describe_machine()
    print(f"{machine['name']}: {machine['processor']}, {machine['cores']} cores")
    figures: list[dict[str, object]] = []
    skipped: dict[str, str] = {}
    for module in find_benchmarks(asked.names):
        print(f"\n{module.TITLE}", flush=True)
        with tempfile.TemporaryDirectory(prefix="dam-bench-") as workspace:
            try:
                for figure in module.measure(Path(workspace)):
                    show(figure)
                    figures.append(asdict(figure))
            except Unavailable as missing:
                skipped[module.__name__] = str(missing)
                print(f"  not measured here: {missing}")
    report = {
        "machine": machine,
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "figures": figures,
        "not_measured": skipped,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(f"\nwritten to {asked.out}")


if __name__ == "__main__":
    main()
