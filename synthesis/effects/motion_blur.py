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


@dataclass(frozen=True, slots=True)
class MotionBlur(Effect):
    """Attributes: length, as a share of the face's height; any direction."""

    length: Annotated[Range, Within(0, 1)] = (0.04, 0.14)

    def sample(self, rng: Generator) -> Params:
        return {"length": between(rng, self.length), "angle_deg": between(rng, (0.0, 180.0))}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        length_px = params["length"] * face_height(landmarks)
        blurred: Any = cv2.filter2D(image, -1, _line(length_px, params["angle_deg"]), borderType=cv2.BORDER_REPLICATE)
        return blurred  # type: ignore[no-any-return]


def _line(length_px: float, angle_deg: float) -> Any:
    """Kernel of a line through the centre, anti-aliased, summing to one."""
    half = max(1, int(np.ceil(length_px / 2)))
    side = 2 * half + 1
    along = np.array([np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))]) * length_px / 2
    points = half + np.linspace(-along, along, 8 * side)
    corner = points.astype(np.intp)
    share = points - corner
    cells, weights = [], []
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        # Points never lie outside the kernel; on its rim the far neighbours have no share.
        column, row = np.minimum(corner + np.array([dx, dy]), side - 1).T
        cells.append(row * side + column)
        weights.append(np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1]))
    total = np.bincount(np.concatenate(cells), np.concatenate(weights), minlength=side * side)
    return (total / total.sum()).astype(np.float32).reshape(side, side)
