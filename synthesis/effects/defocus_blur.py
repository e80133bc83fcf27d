"""Blur by a disc: the lens was focused elsewhere."""

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
class DefocusBlur(Effect):
    """Attributes: radius, as a share of the face's height."""

    radius: Annotated[Range, Within(0, 0.5)] = (0.015, 0.05)

    def sample(self, rng: Generator) -> Params:
        return {"radius": between(rng, self.radius)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        radius_px = params["radius"] * face_height(landmarks)
        blurred: Any = cv2.filter2D(image, -1, _disc(radius_px), borderType=cv2.BORDER_REPLICATE)
        return blurred  # type: ignore[no-any-return]


def _disc(radius_px: float) -> Any:
    """Kernel of a disc with a soft rim of one pixel, summing to one."""
    half = max(1, int(np.ceil(radius_px)))
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(rows, columns), 0.0, 1.0).astype(np.float32)
    return kernel / kernel.sum()
