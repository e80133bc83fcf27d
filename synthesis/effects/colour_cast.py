"""A wrong white balance: everything warmer, colder or greener; or hardly any colour at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class ColourCast(Effect):
    """Scales each RGB channel by its own gain, then mixes towards grey.

    Attributes:
        gain: factor of a channel.
        saturation: 0 is grey, 1 leaves colours as they are.
    """

    gain: Annotated[Range, Within(0, 4)] = (0.8, 1.2)
    saturation: Annotated[Range, Within(0, 4)] = (0.4, 1.2)

    def sample(self, rng: Generator) -> Params:
        return {
            "gains": [between(rng, self.gain) for _ in range(3)],
            "saturation": between(rng, self.saturation),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        # Gains, then each channel towards grey: one linear map of the colour.
        saturation = params["saturation"]
        mixed = (np.eye(3) * saturation + _LUMA * (1 - saturation)) * np.array(params["gains"])
        cast: Any = cv2.transform(image, mixed.astype(np.float32))
        return cast  # type: ignore[no-any-return]
