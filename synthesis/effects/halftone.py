"""A face cut out of a newspaper or an old magazine: dots in a grid, larger where it is darker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Share, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between

# Angles of the screens of cyan, magenta and yellow, which printers keep apart against moire.
_SCREENS = (15.0, 75.0, 0.0)


@dataclass(frozen=True, slots=True)
class Halftone(Effect):
    """Attributes: pitch of the grid in pixels; colour, the chance of three screens instead of one in black."""

    pitch: Annotated[Range, Within(2, 32)] = (2.0, 4.0)
    colour: Share = 0.5

    def sample(self, rng: Generator) -> Params:
        return {
            "pitch": between(rng, self.pitch),
            "angle_deg": between(rng, (30.0, 60.0)),
            "colour": bool(rng.random() < self.colour),
            "hardness": between(rng, (1.0, 3.0)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        angles = [params["angle_deg"] + turn for turn in _SCREENS]
        if params["colour"]:
            planes = [_screened(plane, params, angle) for plane, angle in zip(cv2.split(image), angles, strict=True)]
        else:
            planes = [_screened(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), params, angles[0])] * 3
        printed: Any = cv2.GaussianBlur(cv2.merge(planes), (0, 0), 0.5)
        return printed  # type: ignore[no-any-return]


def _screened(plane: Any, params: Params, angle_deg: float) -> Any:
    """uint8 (h, w): ink where the plane is darker than a wave of the grid's pitch, with soft rims."""
    height, width = plane.shape
    turn, wave = np.deg2rad(angle_deg), 2 * np.pi / params["pitch"]
    x, y = np.arange(width, dtype=np.float32) * wave, np.arange(height, dtype=np.float32)[:, None] * wave
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    # 0..255, evenly spread, so that as much of the paper stays white as the plane is bright.
    threshold = 127.5 + 63.75 * (np.cos(x * cos + y * sin) + np.cos(y * cos - x * sin))
    inked = (plane.astype(np.float32) - threshold) * np.float32(params["hardness"]) + 127.5
    return np.clip(inked, 20, 240).astype(np.uint8)
