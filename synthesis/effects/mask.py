"""A medical mask: covers nose, mouth and chin, with two bands to the ears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.painting import paint

COLOURS = [[168, 203, 226], [236, 240, 242], [28, 28, 32], [70, 110, 160], [198, 176, 160], [120, 150, 120]]


@dataclass(frozen=True, slots=True)
class Mask(Effect):
    """Attributes: top, where the upper edge crosses the nose: 0 between the eyes, 1 at the nose tip."""

    top: Range = (0.35, 0.95)

    def sample(self, rng: Generator) -> Params:
        colour = np.clip(rng.choice(COLOURS) + rng.integers(-15, 16, 3), 0, 255)
        return {
            "top": between(rng, self.top),
            "width": between(rng, (0.9, 1.1)),
            "colour": [int(value) for value in colour],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        # On the template: eyes at y = 52, nose tip at 72, mouth at 92; the face is about 80 wide at the cheeks.
        top = 52.0 + 20.0 * params["top"]
        half = 40.0 * params["width"]
        outline = [(0, top), (0.55 * half, top + 8), (half, top + 12), (0.92 * half, 98), (0.5 * half, 117), (0, 121)]
        right = np.array([(56.0 + x, y) for x, y in outline])
        left = np.array([(56.0 - x, y) for x, y in outline])[::-1]
        shapes: list[ArrayLike] = [np.concatenate([right, left])]
        for side in (-1.0, 1.0):
            cheek, ear = 56 + side * half, 56 + side * (half + 12)
            shapes.append([(cheek, top + 12), (ear, top - 4), (ear, top - 2), (cheek, top + 14)])
        return paint(image, landmarks, shapes, params["colour"])
