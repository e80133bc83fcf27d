"""Light from one side: the image gets darker away from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares
from synthesis.effects.base import Effect, Image, Landmarks, Params, between


@dataclass(frozen=True, slots=True)
class LightFalloff(Effect):
    """Attributes: strength, the share of light lost at the far corner; 0 is none, 1 all. Any direction."""

    strength: Shares = (0.1, 0.5)

    def sample(self, rng: Generator) -> Params:
        return {"strength": between(rng, self.strength), "angle_deg": between(rng, (0.0, 360.0))}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        cos, sin = np.cos(np.deg2rad(params["angle_deg"])), np.sin(np.deg2rad(params["angle_deg"]))
        x = np.linspace(-cos, cos, width, dtype=np.float32)
        y = np.linspace(-sin, sin, height, dtype=np.float32)
        far = 0.5 + 0.5 * (x + y[:, None]) / np.float32(abs(cos) + abs(sin))
        kept = 1 - np.float32(params["strength"]) * far
        darker: Any = cv2.multiply(image, cv2.merge([kept] * 3), dtype=cv2.CV_8U)
        return darker  # type: ignore[no-any-return]
