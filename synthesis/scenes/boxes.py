"""Painted boxes on a table: the plainest scene, for trying things out and for tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from numpy.random import Generator as Rng

from synthesis.bounds import Within
from synthesis.effects.base import Params
from synthesis.scenes.scene import Scene


@dataclass(frozen=True, slots=True)
class Boxes(Scene):
    """Classes are `cube`, `slab` and `tower`, by the boxes' proportions.

    Attributes:
        count: how many boxes.
        edge: lengths of their edges, metres.
        angle: the camera's horizontal angle of view, degrees.
        aperture: f-stop for depth of field; 0 is sharp everywhere.
    """

    count: Annotated[tuple[int, int], Within(1, 1000)] = (6, 14)
    edge: Annotated[tuple[float, float], Within(0.01, 2)] = (0.08, 0.35)
    angle: Annotated[tuple[float, float], Within(5, 120)] = (40, 65)
    aperture: Annotated[float, Within(0, 64)] = 0

    def classes(self) -> tuple[str, ...]:
        return "cube", "slab", "tower"

    def sample(self, rng: Rng) -> Params:
        count = int(rng.integers(self.count[0], self.count[1] + 1))
        round_about = rng.uniform(0, 2 * math.pi)
        distance, height = rng.uniform(1.2, 2.0), rng.uniform(0.5, 1.6)
        lamp = [float(value) for value in rng.uniform(-1.5, 1.5, 2)]
        return {
            "kind": "boxes",
            "seed": int(rng.integers(2**31)),
            "render": self.settings(),
            "table": _colour(rng),
            "sky": [float(value) for value in rng.uniform(0.3, 0.8) * rng.uniform(0.9, 1.1, 3)],
            "lamp": {"watts": float(rng.uniform(30, 120)), "size": float(rng.uniform(0.3, 1.5)), "at": [*lamp, 2.2]},
            "camera": {
                "angle": float(rng.uniform(*self.angle)),
                "at": [float(distance * math.cos(round_about)), float(distance * math.sin(round_about)), float(height)],
                "aperture": self.aperture,
            },
            "boxes": self._boxes(count, rng),
        }

    def _boxes(self, count: int, rng: Rng) -> list[Params]:
        """So many boxes that don't touch, or as many as fit."""
        boxes: list[Params] = []
        circles: list[tuple[float, float, float]] = []
        for _ in range(20 * count):
            size = [float(value) for value in rng.uniform(*self.edge, 3)]
            x, y = (float(value) for value in rng.uniform(-0.7, 0.7, 2))
            radius = math.hypot(size[0], size[1]) / 2
            if any(math.hypot(x - u, y - v) < radius + other for u, v, other in circles):
                continue
            circles.append((x, y, radius))
            boxes.append(_box(len(boxes) + 1, size, (x, y), rng))
            if len(boxes) == count:
                break
        return boxes


def _box(number: int, size: list[float], at: tuple[float, float], rng: Rng) -> Params:
    tall = size[2] / max(size[0], size[1])
    return {
        "id": number,
        "class": "tower" if tall > 1.3 else "slab" if tall < 0.6 else "cube",
        "size": size,
        "at": list(at),
        "turn": float(rng.uniform(0, math.pi)),
        "colour": _colour(rng),
        "roughness": float(rng.uniform(0.1, 0.9)),
    }


def _colour(rng: Rng) -> list[float]:
    return [float(value) for value in rng.uniform(0.03, 0.85, 3)]
