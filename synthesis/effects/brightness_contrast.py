"""Light and dynamic range: too dark, too bright, flat or harsh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class BrightnessContrast(Effect):
    """Applies out = 255 * (in / 255) ** gamma, then stretches about mid-grey by `contrast` and adds `brightness`.

    Attributes:
        brightness: added grey levels.
        contrast: factor about 127.5.
        log2_gamma: binary logarithm of gamma; positive darkens.
    """

    brightness: Annotated[Range, Within(-255, 255)] = (-40.0, 40.0)
    contrast: Annotated[Range, Within(0, 10)] = (0.6, 1.4)
    log2_gamma: Annotated[Range, Within(-4, 4)] = (-0.5, 0.5)

    def sample(self, rng: Generator) -> Params:
        return {
            "brightness": between(rng, self.brightness),
            "contrast": between(rng, self.contrast),
            "gamma": 2.0 ** between(rng, self.log2_gamma),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        levels = 255.0 * (np.arange(256) / 255.0) ** params["gamma"]
        levels = 127.5 + (levels - 127.5) * params["contrast"] + params["brightness"]
        changed: Any = cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8))
        return changed  # type: ignore[no-any-return]
