"""How the face networks of a folder want to be used: from its `faces.yaml`, or known by file name.

Reads descriptions, loads no network. A folder holds a YuNet detector and one recogniser of aligned
faces, 112 × 112 (the ArcFace convention, as nearly all of them are trained).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from dam.errors import WeightsUnavailable

if TYPE_CHECKING:
    from pathlib import Path

DESCRIPTION = "faces.yaml"
DETECTORS = "*yunet*.onnx"


@dataclass(frozen=True, slots=True)
class FaceModel:
    """Input = (pixel - mean) * scale, pixels from 0 to 255, in the order of `channels`."""

    detector: str = ""  # file names; empty: found by `DETECTORS`, the other one recognises
    recogniser: str = ""
    channels: str = "bgr"  # as OpenCV's networks take them; or rgb
    mean: float = 0.0
    scale: float = 1.0
    # Cosine from which two faces are rather one person's than two people's, at about one wrong pair
    # in a thousand. Higher: one person falls into several; lower: relatives become one.
    same_from: float = 0.35


# Recognisers whose use and threshold their makers state, by the name of the file.
KNOWN: tuple[tuple[str, FaceModel], ...] = (
    # https://docs.opencv.org/4.x/d0/dd4/tutorial_dnn_face.html: cosine .363, RGB, 0 to 255
    ("face_recognition_sface*.onnx", FaceModel(channels="rgb", same_from=0.363)),
    # AuraFace-v1 keeps the file name of the ArcFace network whose training it repeats, and its
    # input: https://github.com/deepinsight/insightface (arcface_onnx.py)
    (
        "glintr100.onnx",
        FaceModel(channels="rgb", mean=127.5, scale=1 / 127.5, same_from=0.3),
    ),
    ("mobileface_v2.onnx", FaceModel(same_from=0.3)),  # normalises inside of the graph
)


def describe(folder: Path) -> FaceModel:
    """Raises `WeightsUnavailable` when the description is wrong or a file of it is missing."""
    told = _told(folder)
    detector = str(told.get("detector") or _only(folder, detectors=True))
    recogniser = str(told.get("recogniser") or _only(folder, detectors=False))
    for name in (detector, recogniser):
        if "/" in name or not (folder / name).is_file():
            raise WeightsUnavailable(f"There is no {name} in {folder}.")
    known = next((model for name, model in KNOWN if fnmatch(recogniser, name)), FaceModel())
    return replace(known, **{**told, "detector": detector, "recogniser": recogniser})


def _told(folder: Path) -> dict[str, Any]:
    import yaml

    path = folder / DESCRIPTION
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise WeightsUnavailable(f"{path} cannot be read: {error}") from error
    kinds = {field.name: type(getattr(FaceModel(), field.name)) for field in fields(FaceModel)}
    for name, value in told.items() if isinstance(told, dict) else [("it", None)]:
        if name not in kinds:
            raise WeightsUnavailable(f"{path}: {name} is none of {', '.join(kinds)}.")
        if not isinstance(value, (int, float) if kinds[name] is float else str):
            raise WeightsUnavailable(f"{path}: {name} is no {kinds[name].__name__}.")
    if told.get("channels", "bgr") not in ("bgr", "rgb"):
        raise WeightsUnavailable(f"{path}: channels are bgr or rgb.")
    if not 0 < told.get("same_from", 0.5) < 1:
        raise WeightsUnavailable(f"{path}: same_from lies between 0 and 1.")
    return dict(told)


def _only(folder: Path, *, detectors: bool) -> str:
    found = [
        path.name
        for path in sorted(folder.glob("*.onnx"))
        if fnmatch(path.name, DETECTORS) == detectors
    ]
    if len(found) != 1:
        what = "YuNet detector" if detectors else "recogniser of faces"
        raise WeightsUnavailable(
            f"There must be one {what} in {folder}, not {len(found)}: name it in {DESCRIPTION}."
        )
    return found[0]
