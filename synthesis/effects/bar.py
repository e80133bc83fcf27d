"""A plain bar across the face: an arm, a pole, a microphone, a redaction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares
from synthesis.effects.base import Effect, Image, Landmarks, Params, between
from synthesis.effects.painting import paint


@dataclass(frozen=True, slots=True)
class Bar(Effect):
    """Attributes: width, as a share of the crop's side; the bar crosses the middle part of the face at any angle."""

    width: Shares = (0.08, 0.22)

    def sample(self, rng: Generator) -> Params:
        return {
            "width": between(rng, self.width),
            "centre": [between(rng, (0.3, 0.7)), between(rng, (0.35, 0.85))],
            "angle_deg": between(rng, (0.0, 180.0)),
            "colour": [int(value) for value in rng.integers(0, 256, 3)],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        angle = np.deg2rad(params["angle_deg"])
        along = np.array([np.cos(angle), np.sin(angle)]) * 90.0
        across = np.array([-np.sin(angle), np.cos(angle)]) * 56.0 * params["width"]
        centre = np.array(params["centre"]) * 112.0
        corners = [centre + along + across, centre - along + across, centre - along - across, centre + along - across]
        return paint(image, landmarks, [np.array(corners)], params["colour"])
