"""Too long or too short an exposure: light is scaled, and what is too bright burns out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.shading import DISPLAY_GAMMA


@dataclass(frozen=True, slots=True)
class Exposure(Effect):
    """Attributes: stops, binary logarithm of the light's factor; negative is darker."""

    stops: Annotated[Range, Within(-10, 10)] = (-2.5, 1.5)

    def sample(self, rng: Generator) -> Params:
        return {"stops": between(rng, self.stops)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        levels = np.arange(256) * 2.0 ** (params["stops"] / DISPLAY_GAMMA)
        exposed: Any = cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8))
        return exposed  # type: ignore[no-any-return]
