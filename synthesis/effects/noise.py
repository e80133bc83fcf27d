"""Sensor noise: a part that is there in the dark and a part that grows with the light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between

_TABLE: Final = 2**19


@dataclass(frozen=True, slots=True)
class Noise(Effect):
    """Adds Gaussian noise of variance read^2 + shot^2 * level / 255, each channel for itself.

    Attributes:
        read: standard deviation in grey levels (0..255) of a black pixel.
        shot: what a white pixel's noise has on top.
    """

    read: Annotated[Range, Within(0, 128)] = (2.0, 8.0)
    shot: Annotated[Range, Within(0, 128)] = (0.0, 10.0)

    def sample(self, rng: Generator) -> Params:
        # The seed is a parameter, so applying draws nothing that isn't written down.
        return {
            "read": between(rng, self.read),
            "shot": between(rng, self.shot),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        levels = np.arange(256, dtype=np.float32)
        deviation: Any = cv2.LUT(image, np.sqrt(params["read"] ** 2 + params["shot"] ** 2 / 255.0 * levels))
        noise = _normals(image.size, params["seed"]).reshape(image.shape)
        noisy: Any = cv2.add(image, cv2.multiply(noise, deviation), dtype=cv2.CV_8U)
        return noisy  # type: ignore[no-any-return]


def _normals(count: int, seed: int) -> NDArray[np.float32]:
    """Normal numbers. Small images get the sum of two stretches of a table, which is seven times as quick as drawing.

    The stretches come from halves of their own, so the sum is normal; there are more than 10^10 pairs of them.
    """
    rng = np.random.Generator(np.random.SFC64(seed))
    if count > _TABLE // 2:
        return rng.standard_normal(count, dtype=np.float32)
    first, second = rng.integers(_TABLE - count, size=2).tolist()
    table = _table()
    return table[0, first : first + count] + table[1, second : second + count]


@cache
def _table() -> NDArray[np.float32]:
    """(2, n) of deviation 1 / sqrt(2)."""
    drawn = np.random.Generator(np.random.SFC64(0)).standard_normal((2, _TABLE), dtype=np.float32)
    return drawn * np.float32(np.sqrt(0.5))
