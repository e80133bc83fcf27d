"""Hair over the forehead: strands that fall from above, to the brows or over an eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.shading import blended, onto_face

COLOURS = [[22, 18, 16], [45, 32, 24], [78, 54, 36], [120, 88, 56], [172, 138, 92], [110, 56, 36], [150, 148, 146]]
_BITS = 4
# Drawn larger, so that a strand is finer than a pixel of the crop.
_FINER = 2
# Hair begins above the crop.
_MARGIN = 24
_SIDE = CROP_SIZE + 2 * _MARGIN


@dataclass(frozen=True, slots=True)
class Fringe(Effect):
    """Attributes: length, where its ends hang: 0 the middle of the forehead, 1 the eyes; may go on to 1.5."""

    length: Annotated[Range, Within(0, 1.5)] = (0.3, 1.1)

    def sample(self, rng: Generator) -> Params:
        colour = np.clip(rng.choice(COLOURS) + rng.integers(-8, 9, 3), 0, 255)
        return {
            "length": between(rng, self.length),
            "slant": between(rng, (-0.5, 0.5)),
            "density": between(rng, (0.5, 1.0)),
            "colour": [int(value) for value in colour],
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        size = (image.shape[0], image.shape[1])
        opacity, tone = _drawn(params)
        laid = onto_face(opacity, landmarks, size, margin=_MARGIN)
        shades = onto_face(tone, landmarks, size, margin=_MARGIN)[..., None]
        # As bright as the picture is: hair in a dark photo is dark.
        level = np.clip(image.mean() / 120.0, 0.3, 1.3)
        return blended(image, np.array(params["colour"], np.float32) * shades * np.float32(level), laid)


def _drawn(params: Params) -> tuple[Any, Any]:
    """float32 (_SIDE, _SIDE) opacity 0..1 and tone about 1, on the template and a margin around it."""
    rng = np.random.Generator(np.random.SFC64(params["seed"]))
    side = _SIDE * _FINER
    opacity: Any = np.zeros((side, side), np.uint8)
    tone: Any = np.full((side, side), 100, np.uint8)
    count = int(420 * params["density"])
    root = rng.uniform(8.0, 104.0, count)
    lock = rng.uniform(-0.12, 0.12, 9)[(root / 112 * 9).astype(int)]
    end = 35.0 + 22.0 * params["length"] + 50.0 * lock - rng.exponential(6.0, count)
    end += 10.0 * ((root - 56.0) / 48.0) ** 2
    slant = params["slant"] + 1.5 * lock + rng.normal(0.0, 0.12, count)
    strands = list(np.rint((_strands(root, end, slant) + _MARGIN) * _FINER * 2**_BITS).astype(np.int32))
    cv2.polylines(opacity, [strand[:-1] for strand in strands], False, 255, 2, cv2.LINE_AA, _BITS)
    cv2.polylines(opacity, strands, False, 235, 1, cv2.LINE_AA, _BITS)
    for shade, level in enumerate((78, 88, 98, 108, 118, 132)):
        cv2.polylines(tone, strands[shade::6], False, level, 1, cv2.LINE_AA, _BITS)
    small = (_SIDE, _SIDE)
    shrunk = [cv2.resize(one, small, interpolation=cv2.INTER_AREA).astype(np.float32) for one in (opacity, tone)]
    return shrunk[0] / 255.0, shrunk[1] / 100.0


def _strands(root: Any, end: Any, slant: Any) -> Any:
    """Paths (n, 5, 2) from above the crop, falling outwards from the crown and bending with `slant`."""
    down = np.linspace(0.0, 1.0, 5)
    x = root[:, None] - 0.25 * (root - 56.0)[:, None] * (1 - down) + 14.0 * slant[:, None] * down**2
    return np.stack([x, -14.0 + (end + 14.0)[:, None] * down], axis=2)
