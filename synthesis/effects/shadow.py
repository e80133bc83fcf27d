"""A shadow that something else throws on the face: a hat's brim, a branch, blinds, a wall's edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.face_relief import height
from synthesis.effects.shading import Map, lit, onto_face

KINDS = ("brim", "edge", "bars")
# How far a shadow moves aside on what lies one pixel of the template nearer, as a share of the crop.
_BEND = 0.003


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
        light = np.float32(1.0) - np.float32(params["strength"]) * _shape(params)
        return lit(image, onto_face(light, landmarks, (image.shape[0], image.shape[1])))


def _shape(params: Params) -> Map:
    """float32 (112, 112), 1 in the shadow, with a soft rim."""
    x = np.linspace(-0.5, 0.5, CROP_SIZE, endpoint=False, dtype=np.float32)
    y = x[:, None]
    place = params["place"]
    # How far inside the shadow, as a share of the crop.
    if params["kind"] == "brim":
        # Hats shade the eyes, and lower in the middle of the face than at its sides.
        inside = np.float32(-0.15 + 0.25 * place) - np.float32(0.35) * x * x - y
    else:
        angle = np.deg2rad(params["angle_deg"])
        # Straight only where what they fall on is: light comes slantingly.
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + np.float32(_BEND) * height()
        if params["kind"] == "edge":
            inside = along - np.float32(_BEND * 40.0 + 0.3 * (place - 0.5))
        else:
            width = np.float32(params["width"])
            inside = (0.25 - np.abs((along / width + np.float32(place)) % 1.0 - 0.5)) * width
    # A smooth step of about a Gaussian's width.
    ramp = np.clip(inside / np.float32(3.6 * params["softness"]) + 0.5, 0.0, 1.0)
    soft: Map = ramp * ramp * (3 - 2 * ramp)
    return soft
