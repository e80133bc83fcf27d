"""Hot air between camera and face: the picture shimmers, each part shifted a little, and all of it is softer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.faces import face_height

_CELLS = 8


@dataclass(frozen=True, slots=True)
class Turbulence(Effect):
    """A smooth random displacement and a Gaussian blur, after the tilt and blur of Chan, "Tilt-then-blur" (2022).

    Attributes:
        shift: standard deviation of the displacement, as a share of the face's height.
        blur: of the Gaussian, likewise.
    """

    shift: Annotated[Range, Within(0, 0.2)] = (0.004, 0.015)
    blur: Annotated[Range, Within(0, 0.2)] = (0.005, 0.025)

    def sample(self, rng: Generator) -> Params:
        return {
            "shift": between(rng, self.shift),
            "blur": between(rng, self.blur),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        face = face_height(landmarks)
        fields = _fields((height, width), params["seed"]) * np.float32(params["shift"] * face)
        columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
        tilted: Any = cv2.remap(
            image, fields[0] + columns, fields[1] + rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        blurred: Any = cv2.GaussianBlur(tilted, (0, 0), max(params["blur"] * face, 0.1))
        return blurred  # type: ignore[no-any-return]


def _fields(size: tuple[int, int], seed: int) -> Any:
    """float32 (2, height, width), smooth, of about unit deviation."""
    rng = np.random.Generator(np.random.SFC64(seed))
    coarse = rng.standard_normal((2, _CELLS, _CELLS), dtype=np.float32)
    # Cubic interpolation of white noise keeps about two thirds of its deviation.
    return np.stack([cv2.resize(one, size[::-1], interpolation=cv2.INTER_CUBIC) for one in coarse]) * 1.4
