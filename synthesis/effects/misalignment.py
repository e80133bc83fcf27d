"""An aligned crop cut by landmarks that were a little off, as a detector's are on a bad photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.borders import moved


@dataclass(frozen=True, slots=True)
class Misalignment(Effect):
    """Turns, scales and shifts the image about its centre; what comes in at the rim is `borders`'.

    Attributes:
        shift: along each axis, as a share of the image's side.
        angle_deg: rotation.
        log2_scale: binary logarithm of the zoom.
    """

    shift: Annotated[Range, Within(-1, 1)] = (-0.02, 0.02)
    angle_deg: Annotated[Range, Within(-180, 180)] = (-4.0, 4.0)
    log2_scale: Annotated[Range, Within(-3, 3)] = (-0.06, 0.06)

    def sample(self, rng: Generator) -> Params:
        return {
            "shift": [between(rng, self.shift), between(rng, self.shift)],
            "angle_deg": between(rng, self.angle_deg),
            "scale": 2.0 ** between(rng, self.log2_scale),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        return moved(image, _matrix((image.shape[0], image.shape[1]), params))

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        matrix = _matrix(size, params)
        shifted: Landmarks = points @ matrix[:, :2].T + matrix[:, 2]
        return shifted


def _matrix(size: tuple[int, int], params: Params) -> Any:
    """(2, 3) float64, from the image to the moved one."""
    height, width = size
    matrix: Any = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), params["angle_deg"], params["scale"])
    matrix[:, 2] += np.array(params["shift"]) * [width, height]
    return matrix
