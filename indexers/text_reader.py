"""Finds lines of writing in a picture and reads them, with the networks of RapidOCR.

The detector (differentiable binarisation, arXiv:1911.08947) says where lines are, the recogniser
(CTC) reads them cut out and set upright, many in one call. RapidOCR prepares and decodes; its
engine, which looks for models on the network, is not used. Called by `indexers.text`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as refused
from rapidocr.ch_ppocr_det.utils import DBPostProcess, DetPreProcess
from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode
from rapidocr.utils.process_img import get_rotate_crop_image

from dam.errors import WeightsUnavailable
from dam.findings import Box
from indexers.text_models import DETECTOR, MENDED_BY, RECOGNISER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dam.contracts import Pixels

# What is looked at first. Smaller: writing of 8 px in 1600 is passed over; at this size every one
# of 24 made-up signs was seen, at a seventh of the work of looking at the whole preview.
GLANCE_PX = 640
FULL_PX = 1600  # the preview as it is
# How sure one pixel of the glance must be for a full look. Signs of 8 px and more gave .98.
GLIMPSE = 0.5
LEAST_PX = 10  # a picture lower or narrower holds no line that could be read
LINE_PX = 48  # height at which the recogniser was trained
LINES_AT_ONCE = 8  # in one call; more only pad short lines to the width of longer ones
LEAST_WIDTH_PX, MOST_WIDTH_PX = 320, 3200  # of a line that is read; a longer one is squeezed
# A line that is read less surely is read upside down as well, and the surer reading counts.
DOUBTFUL = 0.8
_REFUSED = (
    refused.Fail,
    refused.InvalidArgument,
    refused.InvalidGraph,
    refused.InvalidProtobuf,
    refused.NoSuchFile,
    refused.NotImplemented,
    refused.RuntimeException,
)
Picture = np.ndarray[Any, np.dtype[np.uint8]]  # (height, width, 3) BGR, as the networks learnt


@dataclass(frozen=True, slots=True)
class Spot:
    """A line that was found and not read yet."""

    box: Box  # around it, whatever its angle
    crop: Picture  # upright, or upside down


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    confidence: float  # mean of its characters, in [0, 1]
    box: Box


class Reader:
    def __init__(self, folder: Path, *, threads: int) -> None:
        """Raises `WeightsUnavailable` when the files in `folder` cannot be loaded."""
        try:
            self._detector = _session(folder / DETECTOR, threads)
            self._recogniser = _session(folder / RECOGNISER, threads)
            known = self._recogniser.get_modelmeta().custom_metadata_map["character"]
        except (*_REFUSED, KeyError) as error:
            raise WeightsUnavailable(
                f"The models of RapidOCR in {folder} do not load ({MENDED_BY}): {error}"
            ) from error
        self._decode = CTCLabelDecode(character=known.splitlines())
        self._boxes = DBPostProcess(
            thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True
        )  # as RapidOCR sets it for this detector

    def find(self, pixels: Pixels) -> list[Spot]:
        """The lines of a picture in reading order."""
        height, width = pixels.shape[:2]
        if min(height, width) < LEAST_PX:
            return []
        picture = np.ascontiguousarray(pixels[..., ::-1])
        likely = self._likely(picture, GLANCE_PX)
        if likely is not None and likely.max() >= GLIMPSE and max(height, width) > GLANCE_PX:
            likely = self._likely(picture, FULL_PX)
        if likely is None or likely.max() < GLIMPSE:
            return []
        quads, _ = self._boxes(likely, (height, width))
        spots = [_spot(picture, quad.astype(np.float32)) for quad in quads]
        return _in_reading_order([spot for spot in spots if spot is not None])

    def _likely(self, picture: Picture, long_side_px: int) -> NDArray[np.float32] | None:
        """(1, 1, h, w) how surely each pixel lies in a line; None where nothing is left of it."""
        prepared = DetPreProcess(long_side_px, "max")(picture)
        return None if prepared is None else _run(self._detector, prepared)

    def read(self, spots: Sequence[Spot]) -> list[Line]:
        """One line for each spot, in their order; the text of what is none is empty."""
        read = self._texts([spot.crop for spot in spots])
        doubtful = [at for at, (_, sure) in enumerate(read) if sure < DOUBTFUL]
        turned = [cv2.rotate(spots[at].crop, cv2.ROTATE_180) for at in doubtful]
        for at, (text, sure) in zip(doubtful, self._texts(turned), strict=True):
            if sure > read[at][1]:
                read[at] = text, sure
        return [
            Line(" ".join(text.split()), sure, spot.box)
            for (text, sure), spot in zip(read, spots, strict=True)
        ]

    def _texts(self, crops: Sequence[Any]) -> list[tuple[str, float]]:
        """What each crop says, and how surely; crops of like width share a call."""
        widths = [_width_px(crop) for crop in crops]
        found: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        order = sorted(range(len(crops)), key=lambda at: widths[at])
        for start in range(0, len(order), LINES_AT_ONCE):
            some = order[start : start + LINES_AT_ONCE]
            width = max(LEAST_WIDTH_PX, widths[some[-1]])
            batch = np.zeros((len(some), 3, LINE_PX, width), np.float32)
            for row, at in enumerate(some):
                resized = cv2.resize(crops[at], (widths[at], LINE_PX))
                batch[row, :, :, : widths[at]] = resized.transpose(2, 0, 1) / 127.5 - 1
            said, _ = self._decode(_run(self._recogniser, batch))
            for at, (text, sure) in zip(some, said, strict=True):
                found[at] = text, float(sure)
        return found


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that spin while they wait take the processor from decoders beside them; an arena
    # keeps the memory of the largest picture ever seen.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    [answer] = session.run(None, {session.get_inputs()[0].name: batch})
    result: NDArray[np.float32] = answer
    return result


def _width_px(crop: Picture) -> int:
    """Of the line when it is as high as the recogniser wants it."""
    width_px: int = math.ceil(LINE_PX * crop.shape[1] / crop.shape[0])
    return min(max(1, width_px), MOST_WIDTH_PX)


def _spot(picture: Picture, quad: NDArray[np.float32]) -> Spot | None:
    """`quad`: (4, 2) pixels, from the upper left corner clockwise."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    if sides.min() < 3:
        return None
    height, width = picture.shape[:2]
    box = Box(
        float(left / width),
        float(top / height),
        float((right - left) / width),
        float((bottom - top) / height),
    )
    return Spot(box, np.ascontiguousarray(get_rotate_crop_image(picture, quad)))


def _in_reading_order(spots: list[Spot]) -> list[Spot]:
    """Lines from top to bottom; parts of one line, whose middles are level, from left to right."""
    rows: list[list[Spot]] = []
    for spot in sorted(spots, key=lambda spot: spot.box.top + spot.box.height / 2):
        middle = spot.box.top + spot.box.height / 2
        first = rows[-1][0].box if rows else None
        if first and middle < first.top + 0.75 * first.height:
            rows[-1].append(spot)
        else:
            rows.append([spot])
    return [spot for row in rows for spot in sorted(row, key=lambda spot: spot.box.left)]
