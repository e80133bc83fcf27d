"""A lamp's reflection: a soft bright spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Glare(Effect):
    """Attributes: strength, added grey levels at the spot's middle; radius, as a share of the image's shorter side."""

    strength: Annotated[Range, Within(0, 255)] = (30.0, 120.0)
    radius: Annotated[Range, Within(0.01, 4)] = (0.2, 0.8)

    def sample(self, rng: Generator) -> Params:
        return {
            "strength": between(rng, self.strength),
            "radius": between(rng, self.radius),
            "x": between(rng, (0.0, 1.0)),
            "y": between(rng, (0.0, 1.0)),
            "stretch": between(rng, (0.5, 2.0)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        radius = params["radius"] * min(height, width)
        x = (np.arange(width, dtype=np.float32) - params["x"] * width) / (radius * params["stretch"])
        y = (np.arange(height, dtype=np.float32) - params["y"] * height) / radius
        # A Gaussian spot is the product of one along each axis.
        spot = np.outer(params["strength"] * np.exp(-(y**2)), np.exp(-(x**2)))
        lit: Any = cv2.add(image, cv2.merge([np.rint(spot).astype(np.uint8)] * 3))
        return lit  # type: ignore[no-any-return]
