"""An old colour print: black has paled, colours have left, and the paper has gone yellow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares
from synthesis.effects.base import Effect, Image, Landmarks, Params, between

_PAPER = np.array([236.0, 216.0, 176.0])
_INK = np.array([58.0, 40.0, 28.0])
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class Fade(Effect):
    """Attributes: strength, 0 new to 1 all colour and half of the contrast gone."""

    strength: Shares = (0.3, 0.95)

    def sample(self, rng: Generator) -> Params:
        return {"strength": between(rng, self.strength), "warmth": between(rng, (0.4, 1.0))}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        strength = params["strength"]
        white = 255.0 + (_PAPER - 255.0) * strength * params["warmth"]
        black = _INK * strength
        # Towards grey, then black and white to where the print's are: one affine map of the colour.
        mixed = np.eye(3) * (1 - strength) + _LUMA * strength
        matrix = np.column_stack([mixed * ((white - black) / 255.0)[:, None], black]).astype(np.float32)
        faded: Any = cv2.transform(image, matrix)
        return faded  # type: ignore[no-any-return]
