"""Sensor noise: a part that is there in the dark and a part that grows with the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Noise(Effect):
    """Adds Gaussian noise of variance read^2 + shot^2 * level / 255, each channel for itself.

    Attributes:
        read: standard deviation in grey levels (0..255) of a black pixel.
        shot: what a white pixel's noise has on top.
    """

    read: Range = (2.0, 8.0)
    shot: Range = (0.0, 10.0)

    def sample(self, rng: Generator) -> Params:
        # The seed is a parameter, so applying draws nothing that isn't written down.
        return {
            "read": between(rng, self.read),
            "shot": between(rng, self.shot),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        noisy = np.random.Generator(np.random.SFC64(params["seed"])).standard_normal(image.shape, dtype=np.float32)
        levels = np.arange(256, dtype=np.float32)
        deviation: Any = cv2.LUT(image, np.sqrt(params["read"] ** 2 + params["shot"] ** 2 / 255.0 * levels))
        noisy *= deviation
        noisy += image
        np.clip(np.rint(noisy, out=noisy), 0, 255, out=noisy)
        return noisy.astype(np.uint8)
