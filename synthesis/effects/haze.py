"""Fog, steam, or stray light in the lens: everything is mixed with pale light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Haze(Effect):
    """Attributes: density, the share of light that is the haze's; grey, its level 0..255."""

    density: Shares = (0.2, 0.7)
    grey: Annotated[Range, Within(0, 255)] = (170.0, 245.0)

    def sample(self, rng: Generator) -> Params:
        return {"density": between(rng, self.density), "grey": between(rng, self.grey)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        levels = np.arange(256) * (1 - params["density"]) + params["grey"] * params["density"]
        hazy: Any = cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8))
        return hazy  # type: ignore[no-any-return]
