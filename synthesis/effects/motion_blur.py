"""Blur along a line: the camera or the person moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.faces import face_height

# Steps along the line in one kernel.
_PIECE = 10
# Parts of a grey level that the kernels' results are added up in.
_STEPS = 64


@dataclass(frozen=True, slots=True)
class MotionBlur(Effect):
    """Attributes: length, as a share of the face's height; any direction."""

    length: Annotated[Range, Within(0, 1)] = (0.04, 0.14)

    def sample(self, rng: Generator) -> Params:
        return {"length": between(rng, self.length), "angle_deg": between(rng, (0.0, 180.0))}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        pieces = _line(params["length"] * face_height(landmarks), params["angle_deg"])
        reach = max(max(x + kernel.shape[1], y + kernel.shape[0], -x, -y) for kernel, x, y in pieces)
        padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
        total: Any = None
        for kernel, x, y in pieces:
            rows, columns = kernel.shape
            seen = padded[reach + y :, reach + x :][: height + rows - 1, : width + columns - 1]
            part = cv2.filter2D(seen, cv2.CV_16S, kernel * _STEPS, anchor=(0, 0))[:height, :width]
            total = part if total is None else cv2.add(total, part)
        blurred: Any = cv2.convertScaleAbs(total, alpha=1 / _STEPS)
        return blurred  # type: ignore[no-any-return]


def _line(length_px: float, angle_deg: float) -> list[tuple[Any, int, int]]:
    """Kernels that together make a line through the centre, anti-aliased, summing to one.

    Each float32 (h, w) comes with the place (x, y) of its first weight, from the centre. A whole slanted line would be
    so large a kernel that OpenCV takes the way over the Fourier transform, ten times slower for so few weights.
    """
    turn = np.deg2rad(angle_deg)
    ahead, aside = float(np.cos(turn)), float(np.sin(turn))
    upright = abs(aside) > abs(ahead)
    if upright:
        ahead, aside = aside, ahead
    half = abs(ahead) * length_px / 2
    most = int(np.ceil(half - 0.5)) if half > 0.5 else 0
    steps = np.arange(-most, most + 1)
    # The part of each step that the line covers, and how far aside that part's middle lies.
    start, end = np.maximum(steps - 0.5, -half), np.minimum(steps + 0.5, half)
    shares = (end - start) / (end - start).sum() if half > 0 else np.ones(1)
    offsets = (start + end) / 2 * (aside / ahead)
    cells = np.floor(offsets).astype(int)
    pieces: list[tuple[Any, int, int]] = []
    for first in range(0, len(steps), _PIECE):
        here = slice(first, first + _PIECE)
        share, offset, cell = shares[here], offsets[here], cells[here]
        low = int(cell.min())
        kernel = np.zeros((int(cell.max()) - low + 2, len(share)), np.float32)
        places = np.arange(len(share))
        kernel[cell - low, places] = share * (1 - (offset - cell))
        kernel[cell - low + 1, places] += share * (offset - cell)
        along = int(steps[first])
        pieces.append((kernel.T.copy(), low, along) if upright else (kernel, along, low))
    return pieces
