"""A wrong tone curve: mid-tones too dark or too pale, while black and white stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Gamma(Effect):
    """Attributes: log2_gamma, binary logarithm of the exponent; positive darkens."""

    log2_gamma: Annotated[Range, Within(-4, 4)] = (-1.0, 1.0)

    def sample(self, rng: Generator) -> Params:
        return {"gamma": 2.0 ** between(rng, self.log2_gamma)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        levels = 255.0 * (np.arange(256) / 255.0) ** params["gamma"]
        curved: Any = cv2.LUT(image, np.rint(levels).astype(np.uint8))
        return curved  # type: ignore[no-any-return]
