"""A wrong white balance: everything warmer, colder or greener; or hardly any colour at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ColourCast(Effect):
    """Scales each RGB channel by its own gain, then mixes towards grey.

    Attributes:
        gain: factor of a channel.
        saturation: 0 is grey, 1 leaves colours as they are.
    """

    gain: Range = (0.8, 1.2)
    saturation: Range = (0.4, 1.2)

    def sample(self, rng: Generator) -> Params:
        return {
            "gains": [between(rng, self.gain) for _ in range(3)],
            "saturation": between(rng, self.saturation),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        cast = image.astype(np.float32) * np.array(params["gains"], dtype=np.float32)
        grey = (cast @ _LUMA)[..., None]
        mixed = grey + (cast - grey) * np.float32(params["saturation"])
        return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
