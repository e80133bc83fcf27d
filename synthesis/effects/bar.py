"""A bar across the face: a pole or a rail, a strap or a tape, or a censor's bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares
from synthesis.effects.base import Effect, Image, Landmarks, Params, between
from synthesis.effects.canvas import contact
from synthesis.effects.look import look_of
from synthesis.effects.overlay import laid, tinted
from synthesis.effects.shading import Map

KINDS: Final = ("pole", "strap", "censor")
_ALL: Final = (-900, -900, 900, 900)


@dataclass(frozen=True, slots=True)
class Bar(Effect):
    """Attributes: width, as a share of the crop's side; the bar crosses the middle part of the face at any angle."""

    width: Shares = (0.08, 0.22)

    def sample(self, rng: Generator) -> Params:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        grey = between(rng, (15.0, 230.0))
        # Most things are hardly coloured.
        colour = grey + between(rng, (0.0, 1.0)) ** 2 * (rng.uniform(0, 255, 3) - grey)
        if kind == "censor":
            colour = np.full(3, 255.0 if grey > 180 else grey / 8)
        return {
            "width": between(rng, self.width),
            "centre": [between(rng, (0.3, 0.7)), between(rng, (0.35, 0.85))],
            "angle_deg": between(rng, (0.0, 180.0)),
            "colour": [round(float(value)) for value in colour],
            "kind": kind,
            "lamp": between(rng, (-0.6, 0.6)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        look = look_of(image, landmarks)
        canvas = look.canvas(*_ALL)
        angle, half = np.deg2rad(params["angle_deg"]), max(56.0 * params["width"], 0.25)
        ahead, centre = np.array([np.cos(angle), np.sin(angle)]), np.array(params["centre"]) * 112.0
        # A censor's bar ends beside the face; anything else comes from outside the photo.
        along, across = (90.0 if params["kind"] == "censor" else 900.0) * ahead, half * np.array([-ahead[1], ahead[0]])
        opaque = canvas.polygon(centre + np.array([along + across, across - along, -along - across, along - across]))
        inside = opaque * np.float32(1 / 255)
        keep = 1 - inside
        if params["kind"] == "censor":  # was drawn on the photo; no light falls on it
            return laid(image, look, canvas, keep, tinted(inside, params["colour"]), lit=False)
        x, y = canvas.grid()
        slope = (across / half**2).astype(np.float32)
        aside = x * slope[0] + y * slope[1] - np.float32(centre @ across / half**2)
        keep = keep * contact(canvas, opaque, (1.0, 2.5), 6.0, 0.4)
        colour = np.array(params["colour"]) * look.white
        return laid(image, look, canvas, keep, tinted(inside * _light(params, aside), colour))


def _light(params: Params, aside: Map) -> Map:
    """float32 (rows, columns), the light on the bar; `aside` is -1..1 across it."""
    if params["kind"] == "strap":
        # Flat, with stitches along its rims.
        square = aside * aside
        stitches = np.exp(-(((np.abs(aside) - np.float32(0.8)) * np.float32(16)) ** 2))
        flat: Map = np.float32(0.98) - np.float32(0.18) * stitches - np.float32(0.12) * square * square
        return flat
    round_off = cv2.sqrt(np.clip(1 - aside * aside, 0, 1))
    gloss = np.exp(-(((aside - np.float32(params["lamp"])) * np.float32(6)) ** 2))
    light: Map = np.float32(0.3) + np.float32(0.66) * round_off + np.float32(0.3) * gloss
    return light
