"""A shadow that something else throws on the face: a hat's brim, a branch, blinds, a wall's edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.shading import lit, onto_face

KINDS = ("brim", "edge", "bars")


@dataclass(frozen=True, slots=True)
class Shadow(Effect):
    """Attributes: strength, the share of light lost in the shadow; softness of its rim, as a share of the crop."""

    strength: Shares = (0.4, 0.85)
    softness: Annotated[Range, Within(0.001, 0.5)] = (0.01, 0.05)

    def sample(self, rng: Generator) -> Params:
        return {
            "kind": KINDS[int(rng.integers(len(KINDS)))],
            "strength": between(rng, self.strength),
            "softness": between(rng, self.softness),
            "place": between(rng, (0.0, 1.0)),
            "angle_deg": between(rng, (0.0, 360.0)),
            "width": between(rng, (0.08, 0.25)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        shape: Any = cv2.GaussianBlur(_shape(params), (0, 0), params["softness"] * CROP_SIZE)
        light = onto_face(1.0 - np.float32(params["strength"]) * shape, landmarks, (image.shape[0], image.shape[1]))
        return lit(image, light)


def _shape(params: Params) -> Any:
    """float32 (112, 112), 1 in the shadow."""
    y, x = (np.mgrid[0:CROP_SIZE, 0:CROP_SIZE] / CROP_SIZE - 0.5).astype(np.float32)
    place = params["place"]
    if params["kind"] == "brim":
        # Hats shade the eyes, and lower in the middle of the face than at its sides.
        return (y < -0.15 + 0.25 * place - 0.35 * x * x).astype(np.float32)
    angle = np.deg2rad(params["angle_deg"])
    along = x * np.cos(angle) + y * np.sin(angle)
    if params["kind"] == "edge":
        return (along > 0.3 * (place - 0.5)).astype(np.float32)
    return ((along / params["width"] + place) % 1.0 < 0.5).astype(np.float32)
