"""The loaded face networks: where faces are in a picture, and what tells one from another.

Detection by YuNet (https://doi.org/10.1007/s11633-023-1423-y) through OpenCV, recognition of faces
that are aligned by five points as ArcFace does it, through ONNX Runtime. Nothing here knows videos.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dam.errors import Permanent, UnreadableMedia, WeightsUnavailable
from dam.findings import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dam.contracts import Pixels, Unit
    from indexers.face_models import FaceModel

    Points = NDArray[np.float32]  # (5, 2) in pixels: eyes, nose, corners of the mouth

# Where the five points lie in an aligned face (InsightFace, face_align.py, `arcface_dst`).
ALIGNED = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]], np.float32,
)  # fmt: skip
SIDE_PX = 112
# YuNet was trained on faces of about 10 to 300 px: a picture is looked at in two sizes, the small
# one for faces that fill it. Larger than 960: slower, for faces too small to be recognised.
LOOKED_AT_PX = (960, 320)
SURE = 0.7  # of a face; lower: patterns of leaves and crowds of dots
SAME_BOX = 0.4  # overlap from which two boxes are one face
SMALLEST_PX = 16  # a smaller one is a dot, of which nobody can say who it is
# Smaller ones are enlarged three times and more for the network, and then resemble each other
# instead of a person: on 25 faces of strangers of 24 to 40 px a tenth of all pairs seemed the same.
RECOGNISABLE_PX = 40
CLEAR = 0.45  # quality; below, strangers are as alike as one person's faces are elsewhere
SHARP = 150.0  # variance of the Laplacian of an aligned face that shows lashes
TURNED = 0.75  # distance of the nose from the middle of the eyes, in eye distances: a profile
CROP_PX = 160
CROP_MARGIN = 1.5  # of the longer side of the box: hair and chin belong to a face for people
CROP_QUALITY = 85
MOST = 64  # faces in one picture; a stadium has thousands


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in one picture."""

    box: Box
    confidence: float
    landmarks: tuple[tuple[float, float], ...]
    quality: float  # in [0, 1]
    template: Unit | None
    crop: bytes  # JPEG


class FaceNetworks:
    def __init__(self, folder: Path, model: FaceModel, *, threads: int) -> None:
        """Raises `WeightsUnavailable` when a file does not load."""
        import onnxruntime as ort
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self._refused = (
            *(state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf),
            *(state.NoSuchFile, state.NotImplemented, state.RuntimeException, cv2.error),
        )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._model = model
        try:
            with _without_warnings():
                self._detector: Any = cv2.FaceDetectorYN.create(
                    str(folder / model.detector), "", (320, 320), SURE, SAME_BOX, 5000
                )
            self._session: Any = ort.InferenceSession(
                str(folder / model.recogniser), options, providers=["CPUExecutionProvider"]
            )
            taken = self._session.get_inputs()[0]
            self._input = taken.name
            # Some files are made for one face at a time.
            self._at_once = taken.shape[0] if isinstance(taken.shape[0], int) else 32
            self._run(np.zeros((1, SIDE_PX, SIDE_PX, 3), np.uint8))  # takes it such faces?
        except self._refused as error:
            raise WeightsUnavailable(
                f"The face networks in {folder} do not load: {error}"
            ) from error

    def find(self, pixels: Pixels, *, recognisable_only: bool = False) -> list[Seen]:
        """Faces from left to right. Raises `UnreadableMedia` for what is no RGB picture."""
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise UnreadableMedia("This is not a picture in RGB.")
        if min(pixels.shape[:2]) < SMALLEST_PX:
            return []
        picture = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
        found = [row for row in self._detect(picture) if min(row[2:4]) >= SMALLEST_PX]
        aligned = [align(picture, row[4:14].reshape(5, 2)) for row in found]
        qualities = [_quality(row, face) for row, face in zip(found, aligned, strict=True)]
        good = [
            n
            for n, row in enumerate(found)
            if min(row[2:4]) >= RECOGNISABLE_PX and qualities[n] >= CLEAR
        ]
        templates = dict(zip(good, self.templates([aligned[n] for n in good]), strict=True))
        return [
            _seen(picture, row, qualities[n], templates.get(n))
            for n, row in enumerate(found)
            if n in templates or not recognisable_only
        ]

    def _detect(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Rows of YuNet in pixels of the picture: box, five points, confidence."""
        longest = max(picture.shape[:2])
        kept: list[NDArray[np.float32]] = []
        for wanted in LOOKED_AT_PX:
            scale = min(1.0, wanted / longest)
            if kept and scale == 1.0:
                break  # it is small: it has been looked at as it is
            for row in self._detect_at(picture, scale):
                if all(overlap(_box(row), _box(other)) < SAME_BOX for other in kept):
                    kept.append(row)
        best = sorted(kept, key=lambda row: -float(row[14]))[:MOST]
        return sorted(best, key=lambda row: (float(row[0]), float(row[1])))

    def _detect_at(self, picture: NDArray[np.uint8], scale: float) -> list[NDArray[np.float32]]:
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        small = picture
        if scale < 1:
            small = np.asarray(
                cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8
            )
        self._detector.setInputSize((width, height))
        try:
            _, rows = self._detector.detect(small)
        except cv2.error as error:
            raise Permanent(f"The face detector failed: {error}") from error
        if rows is None:
            return []
        rows = np.asarray(rows, np.float32)
        rows[:, :14] /= scale
        return [row for row in rows if np.isfinite(row).all() and row[14] >= SURE]

    def templates(self, aligned: Sequence[NDArray[np.uint8]]) -> list[Unit]:
        """Of aligned BGR faces. Each is looked at in the mirror too: two views err less than one.

        Raises `Permanent` when the network gives what is not finite.
        """
        found: list[Unit] = []
        for start in range(0, len(aligned), self._at_once):
            faces = np.stack(aligned[start : start + self._at_once])
            both = self._run(faces) + self._run(faces[:, :, ::-1])
            norms = np.linalg.norm(both, axis=1, keepdims=True)
            if not np.isfinite(both).all() or not norms.all():
                raise Permanent("The face network gave a template that is not finite.")
            found += list((both / norms).astype(np.float32))
        return found

    def _run(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._model.channels == "rgb":
            faces = faces[..., ::-1]
        fed = (faces.astype(np.float32) - self._model.mean) * self._model.scale
        fed = np.ascontiguousarray(fed.transpose(0, 3, 1, 2), np.float32)
        given = self._session.run(None, {self._input: fed})[0]
        out = np.asarray(given, np.float32).reshape(len(faces), -1)
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True).clip(min=1e-12))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """OpenCV 5 says of every network that it runs on the processor."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def align(picture: NDArray[np.uint8], points: Points) -> NDArray[np.uint8]:
    """(112, 112, 3): the face turned and scaled so that its five points lie at `ALIGNED`.

    The similarity of least squares (Umeyama 1991, https://doi.org/10.1109/34.88573).
    """
    middle, wanted = points.mean(0), ALIGNED.mean(0)
    source, target = points - middle, ALIGNED - wanted
    spread = float((source**2).sum())
    u, sizes, v = np.linalg.svd(target.T @ source)
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v)) or 1.0])
    turn = (u * signs) @ v * ((sizes * signs).sum() / max(spread, 1e-6))
    moved = np.column_stack([turn, wanted - turn @ middle]).astype(np.float32)
    return np.asarray(cv2.warpAffine(picture, moved, (SIDE_PX, SIDE_PX)), np.uint8)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, in [0, 1]."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def _box(row: NDArray[np.float32]) -> Box:
    return Box(*(float(value) for value in row[:4]))


def _sharpness(aligned: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _turn(points: Points) -> float:
    """How far the nose lies beside the middle of the eyes, in eye distances; 0: from the front."""
    across = points[1] - points[0]
    length = float(np.linalg.norm(across))
    if length < 1e-6:
        return 1.0
    beside = (points[2] - (points[0] + points[1]) / 2) @ across / length
    return float(abs(float(beside)) / length)


def _quality(row: NDArray[np.float32], aligned: NDArray[np.uint8]) -> float:
    """In [0, 1]: large, sharp, from the front and certain. Orders faces, measures nothing."""
    size = min(1.0, float(min(row[2:4])) / SIDE_PX)
    front = max(0.0, 1 - _turn(row[4:14].reshape(5, 2)) / TURNED)
    sharp = min(1.0, _sharpness(aligned) / SHARP)
    return min(1.0, float(row[14]) * math.pow(size * front * sharp, 1 / 3))


def _seen(
    picture: NDArray[np.uint8], row: NDArray[np.float32], quality: float, template: Unit | None
) -> Seen:
    height, width = picture.shape[:2]
    left, top, across, down = (float(value) for value in row[:4])
    points = row[4:14].reshape(5, 2)
    return Seen(
        Box(left / width, top / height, across / width, down / height),
        float(min(1.0, row[14])),
        tuple((float(x) / width, float(y) / height) for x, y in points),
        quality,
        template,
        _crop(picture, row),
    )


def _crop(picture: NDArray[np.uint8], row: NDArray[np.float32]) -> bytes:
    """A square around the face, as far as the picture goes."""
    height, width = picture.shape[:2]
    left, top, across, down = (float(value) for value in row[:4])
    half = max(across, down) * CROP_MARGIN / 2
    middle_x, middle_y = left + across / 2, top + down / 2
    x0, x1 = (int(min(max(x, 0), width)) for x in (middle_x - half, middle_x + half))
    y0, y1 = (int(min(max(y, 0), height)) for y in (middle_y - half, middle_y + half))
    cut = picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    if not cut.size:
        cut = picture
    scale = min(1.0, CROP_PX / max(cut.shape[:2]))
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, CROP_QUALITY])
    return jpeg.tobytes()
