"""Blotches of false colour, as sensors and their noise reduction leave in the dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class ColourNoise(Effect):
    """Attributes: strength, deviation of the two chroma channels in grey levels; grain, size of a blotch in pixels."""

    strength: Annotated[Range, Within(0, 128)] = (4.0, 16.0)
    grain: Annotated[Range, Within(1, 64)] = (1.0, 6.0)

    def sample(self, rng: Generator) -> Params:
        return {
            "strength": between(rng, self.strength),
            "grain": between(rng, self.grain),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        cells = (max(2, round(height / params["grain"])), max(2, round(width / params["grain"])), 2)
        noise = np.random.Generator(np.random.SFC64(params["seed"])).standard_normal(cells, dtype=np.float32)
        red, blue = cv2.split(cv2.resize(noise * np.float32(params["strength"]), (width, height)))
        # Chroma's share of each channel, so that luma stays (ITU-R BT.601).
        added = cv2.merge([1.402 * red, -0.714 * red - 0.344 * blue, 1.772 * blue])
        noisy: Any = cv2.add(image, added, dtype=cv2.CV_8U)
        return noisy  # type: ignore[no-any-return]
