"""rclip as a peer: installed from PyPI into an environment of its own, given our random weights.

rclip ships ViT-B-32-256 as ONNX and fetches it from a hub. To compare like with like, it gets the
same random ViT-B-32 as dam, exported in fp32, and prepares pictures at that network's 224 px.
Everything else is rclip's own code and ONNX Runtime as it sets it up.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.figures import Cost, Unavailable, run_measured

VERSION = "3.3.0"
BUILD = Path("build").resolve()
ENVIRONMENT = BUILD / "rclip"
EXPORTER = BUILD / "onnx"  # what torch needs to write ONNX; not among our own dependencies
RUNTIME = f"rclip {VERSION}, ONNX Runtime fp32"

_EXPORT = """
import sys, warnings
warnings.simplefilter("ignore")
model, out, exporter = sys.argv[1:]
sys.path.append(exporter)
import open_clip, torch
torch.backends.mha.set_fastpath_enabled(False)  # its operators have no ONNX form
visual = open_clip.create_model(f"local-dir:{model}").eval().visual
batch = {"input": {0: "n"}, "output": {0: "n"}}
torch.onnx.export(visual, (torch.zeros(2, 3, 224, 224),), out, input_names=["input"],
                  output_names=["output"], dynamic_axes=batch, opset_version=17, dynamo=False)
"""
_INDEX = """
import os
import rclip.utils.preprocess
rclip.utils.preprocess.IMAGE_SIZE = 224
from rclip.main import init_rclip
rclip, model, database = init_rclip(os.getcwd(), indexing_batch_size=8)
print(len(rclip._get_features(os.getcwd())[0]))
rclip.close()
"""


def prepare(model: Path, data: Path) -> None:
    """Installs rclip and puts our weights where it looks for its own. Raises `Unavailable`."""
    python = ENVIRONMENT / "bin/python"
    if not python.is_file():
        venv.create(ENVIRONMENT, with_pip=True)
    _pip(python, f"rclip=={VERSION}")
    if not EXPORTER.is_dir():
        packages = ("onnx", "protobuf", "ml_dtypes")
        _pip(Path(sys.executable), "--no-deps", "--target", str(EXPORTER), *packages)
    folder = data / "ViT-B-32-256-datacomp_s34b_b86k"
    (data / "tokenizer").mkdir(parents=True)
    folder.mkdir()
    # Only indexing is measured: the text side is looked for, never opened.
    (folder / "textual.onnx").touch()
    (data / "tokenizer/bpe_simple_vocab_16e6.txt.gz").touch()
    run_measured([sys.executable, "-c", _EXPORT, model, folder / "visual.onnx", EXPORTER])


def index(photos: Path, data: Path, expected: int) -> Cost:
    """What indexing a folder for the first time costs."""
    cost, printed = run_measured(
        [ENVIRONMENT / "bin/python", "-c", _INDEX],
        cwd=photos,
        environment={"RCLIP_DATADIR": str(data)},
    )
    if int(printed.strip().splitlines()[-1]) != expected:
        raise RuntimeError(f"rclip indexed {printed.strip()} of {expected} photos")
    return cost


def _pip(python: Path, *wanted: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:]
        raise Unavailable(f"{wanted[-1]} cannot be installed from PyPI: {reason}")
