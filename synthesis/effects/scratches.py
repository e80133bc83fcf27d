"""Dust, hairs and scratches of an old print or slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Share, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, between
from synthesis.effects.shading import blended

_BITS = 4


@dataclass(frozen=True, slots=True)
class Scratches(Effect):
    """Attributes: specks, scratches: how many; creases: the chance of a fold across the picture."""

    specks: Annotated[tuple[int, int], Within(0, 5000)] = (10, 80)
    scratches: Annotated[tuple[int, int], Within(0, 500)] = (1, 6)
    creases: Share = 0.3

    def sample(self, rng: Generator) -> Params:
        return {
            "specks": int(rng.integers(self.specks[0], self.specks[1] + 1)),
            "scratches": int(rng.integers(self.scratches[0], self.scratches[1] + 1)),
            "crease": bool(rng.random() < self.creases),
            "pale": between(rng, (0.5, 1.0)),
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        rng = np.random.Generator(np.random.SFC64(params["seed"]))
        side = min(height, width)
        marks: Any = np.zeros((height, width), np.uint8)
        # Most dust is smaller than a pixel of a crop; some of it is a flake.
        for x, y in rng.uniform(0, 1, (params["specks"], 2)).tolist():
            size = float(rng.pareto(2.5))
            radius = side / 112 * min(0.35 + 0.35 * size, 2.2)
            _dot(marks, x * width, y * height, radius, int(rng.integers(90, 256)))
        for _ in range(params["scratches"]):
            _line(marks, _wander(rng, width, height, float(rng.uniform(0.1, 0.7)) * side), int(rng.integers(70, 220)))
        if params["crease"]:
            _line(marks, _wander(rng, width, height, 2.0 * side), 255, max(1, round(side / 80)))
        pale = cv2.GaussianBlur(marks, (0, 0), 0.5).astype(np.float32) / 255.0
        return blended(image, [232.0, 226.0, 210.0], pale * np.float32(params["pale"]))


def _dot(marks: Any, x: float, y: float, radius: float, level: int) -> None:
    centre = (round(x * 2**_BITS), round(y * 2**_BITS))
    cv2.circle(marks, centre, round(radius * 2**_BITS), level, -1, cv2.LINE_AA, _BITS)


def _line(marks: Any, points: Any, level: int, width: int = 1) -> None:
    fixed = np.rint(points * 2**_BITS).astype(np.int32)
    cv2.polylines(marks, [fixed], False, level, width, cv2.LINE_AA, _BITS)


def _wander(rng: Generator, width: int, height: int, length: float) -> Any:
    """A nearly straight path (9, 2) about a point of the image."""
    angle = rng.uniform(0, np.pi) + np.cumsum(rng.normal(0, 0.08, 9))
    steps = np.column_stack([np.cos(angle), np.sin(angle)]).cumsum(axis=0) * length / 9
    return steps - steps.mean(axis=0) + rng.uniform(0, 1, 2) * [width, height]
