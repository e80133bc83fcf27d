"""A picture taken with too little light: few photons and the sensor's own noise, brightened again or left dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.shading import DISPLAY_GAMMA

_LIGHT: Final = ((np.arange(256) / 255.0) ** DISPLAY_GAMMA).astype(np.float32)
_STEPS: Final = 4096
_SHOWN: Final = np.rint(255.0 * np.linspace(0.0, 1.0, _STEPS) ** (1 / DISPLAY_GAMMA)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class LowLight(Effect):
    """Shot and read noise in linear light, after the model of Foi et al. (IEEE TIP 17, 2008).

    Attributes:
        log2_photons: binary logarithm of the photons that a white pixel collects.
        read: electrons, standard deviation of the read noise.
        stops: by how much the picture stays darker than a well lit one; 0 is brightened back in full.
        smoothing: deviation in pixels of the Gaussian that a camera's noise reduction comes to.
    """

    log2_photons: Annotated[Range, Within(0, 20)] = (4.0, 8.0)
    read: Annotated[Range, Within(0, 100)] = (0.5, 2.5)
    stops: Annotated[Range, Within(-10, 0)] = (-3.5, 0.0)
    smoothing: Annotated[Range, Within(0, 10)] = (0.0, 0.8)

    def sample(self, rng: Generator) -> Params:
        return {
            "photons": 2.0 ** between(rng, self.log2_photons),
            "read": between(rng, self.read),
            "stops": between(rng, self.stops),
            "smoothing": between(rng, self.smoothing),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        photons = params["photons"]
        deviation = np.sqrt(_LIGHT * photons + params["read"] ** 2) / photons
        noise = np.random.Generator(np.random.SFC64(params["seed"])).standard_normal(image.shape, dtype=np.float32)
        light: Any = cv2.LUT(image, _LIGHT) + noise * cv2.LUT(image, deviation.astype(np.float32))
        if params["smoothing"] > 0.2:
            light = cv2.GaussianBlur(light, (0, 0), params["smoothing"])
        light *= np.float32(2.0 ** params["stops"] * (_STEPS - 1))
        shown: Image = _SHOWN[np.clip(light, 0, _STEPS - 1).astype(np.int16)]
        return shown
