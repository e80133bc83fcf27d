"""A mask over nose, mouth and chin with two bands to the ears: surgical, respirator or cloth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Among, NotEmpty, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.painting import paint
from synthesis.effects.shading import lit, onto_face

COLOURS = [[168, 203, 226], [236, 240, 242], [28, 28, 32], [70, 110, 160], [198, 176, 160], [120, 150, 120]]
KINDS = ("surgical", "respirator", "cloth")


@dataclass(frozen=True, slots=True)
class Mask(Effect):
    """Attributes:
    top: where the upper edge crosses the nose: 0 between the eyes, 1 at the nose tip, 1.4 below the nose.
    kinds: those of `KINDS` to choose from.
    """

    top: Annotated[Range, Within(0, 1.4)] = (0.35, 0.95)
    kinds: Annotated[tuple[Annotated[str, Among(KINDS)], ...], NotEmpty()] = KINDS

    def sample(self, rng: Generator) -> Params:
        colour = np.clip(rng.choice(COLOURS) + rng.integers(-15, 16, 3), 0, 255)
        return {
            "top": between(rng, self.top),
            "width": between(rng, (0.9, 1.1)),
            "colour": [int(value) for value in colour],
            "kind": self.kinds[int(rng.integers(len(self.kinds)))],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        shapes = _shapes(params)
        painted = paint(image, landmarks, shapes, params["colour"])
        light = onto_face(_folds(shapes[0], params["kind"]), landmarks, (image.shape[0], image.shape[1]))
        # A white mask in a dark photo is grey.
        level = np.clip(float(np.quantile(image, 0.9)) / 200.0, 0.15, 1.0) ** 2.2
        covered: Any = paint(np.zeros_like(image), landmarks, shapes, [255, 255, 255])[..., 0] > 0
        return lit(painted, np.where(covered, light * np.float32(level), np.float32(1.0)))


def _shapes(params: Params) -> list[ArrayLike]:
    """The mask's outline and its two bands, on the template.

    Eyes are at y = 52, the nose tip at 72, the mouth at 92; the face is about 80 wide at the cheeks.
    """
    top = 52.0 + 20.0 * params["top"]
    half = 40.0 * params["width"]
    outline = [(0, top), (0.55 * half, top + 8), (half, top + 12), (0.92 * half, 98), (0.5 * half, 117), (0, 121)]
    if params["kind"] == "respirator":
        outline = [
            (0, top),
            (0.4 * half, top + 10),
            (0.85 * half, top + 18),
            (0.8 * half, 96),
            (0.42 * half, 114),
            (0, 119),
        ]
    right = np.array([(56.0 + x, y) for x, y in outline])
    left = np.array([(56.0 - x, y) for x, y in outline])[::-1]
    shapes: list[ArrayLike] = [np.concatenate([right, left])]
    edge = half * (0.85 if params["kind"] == "respirator" else 1.0)
    for side in (-1.0, 1.0):
        cheek, ear = 56 + side * edge, 56 + side * (half + 12)
        shapes.append([(cheek, top + 14), (ear, top - 4), (ear, top - 2), (cheek, top + 16)])
    return shapes


def _folds(outline: ArrayLike, kind: str) -> Any:
    """float32 (112, 112): the light on the cloth, 1 where it faces the light, with a rim around it."""
    rim: Any = np.zeros((CROP_SIZE, CROP_SIZE), np.uint8)
    cv2.polylines(rim, [np.rint(np.asarray(outline)).astype(np.int32)], True, 255, 2, cv2.LINE_AA)
    soft = cv2.GaussianBlur(rim, (0, 0), 0.8).astype(np.float32)
    return np.clip(_cloth(kind) - np.float32(0.12 / 255.0) * soft, 0.2, 1.15)


@cache
def _cloth(kind: str) -> Any:
    """float32 (112, 112): round, with pleats, a ridge or a weave."""
    y, x = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    across, down = (x - 56.0) / 44.0, (y - 88.0) / 34.0
    light = np.clip(1.02 - 0.45 * across**2 - 0.28 * np.clip(down, 0, None) ** 2, 0.3, 1.1)
    if kind == "surgical":
        for pleat in (78.0, 88.0, 98.0):
            bent = pleat + 5.0 * across**2
            light -= 0.22 * np.exp(-((y - bent) ** 2) / 1.6) - 0.08 * np.exp(-((y - bent + 2.5) ** 2) / 3.0)
    elif kind == "respirator":
        light -= 0.25 * np.exp(-(across**2) / 0.004) * (y > 70)
        light -= 0.22 * np.tanh(8 * across) * np.exp(-(across**2) / 0.1)
    else:
        light += 0.05 * np.sin(0.35 * x + 0.6 * y + 2.0 * np.sin(0.12 * y)) + 0.04 * np.sin(0.9 * x - 0.25 * y)
    return light.astype(np.float32)
