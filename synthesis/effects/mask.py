"""A mask over nose, mouth and chin with loops to the ears: surgical, respirator or cloth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthesis.bounds import Among, NotEmpty, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.canvas import Canvas, contact, curve
from synthesis.effects.look import look_of
from synthesis.effects.overlay import laid, tinted
from synthesis.effects.shading import Map

COLOURS = [[168, 203, 226], [236, 240, 242], [28, 28, 32], [70, 110, 160], [198, 176, 160], [120, 150, 120]]
KINDS = ("surgical", "respirator", "cloth")
_LOOP: Final = np.array([190.0, 190.0, 187.0])
# A Bezier curve's points from its three.
_ALONG: Final = np.linspace(0, 1, 7)[:, None]
_BOW: Final = np.hstack([(1 - _ALONG) ** 2, 2 * _ALONG * (1 - _ALONG), _ALONG**2])
# The right half of each outline from the nose down to under the chin: across as a share of the half width; down from
# the upper edge, or where it is above 30, a place on the template, whose crop ends at 112.
_OUTLINES: Final[dict[str, list[tuple[float, float]]]] = {
    "surgical": [
        (0, 0),
        (0.16, 0.5),
        (0.3, 4),
        (0.62, 8),
        (0.96, 11),
        (1, 14),
        (0.98, 96),
        (0.9, 101),
        (0.55, 115),
        (0, 120),
    ],
    "respirator": [
        (0, -1),
        (0.12, 0),
        (0.25, 6),
        (0.55, 14),
        (0.85, 20),
        (0.93, 27),
        (0.92, 92),
        (0.7, 106),
        (0.4, 116),
        (0, 120),
    ],
    "cloth": [
        (0, 0),
        (0.14, 1),
        (0.32, 6),
        (0.7, 11),
        (1.0, 12),
        (1.02, 20),
        (1.0, 90),
        (0.86, 104),
        (0.5, 117),
        (0, 121),
    ],
}


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
            # Which part of the creases, and how deep they are.
            "creases": [between(rng, (0.0, 1.0)), between(rng, (0.0, 1.0)), between(rng, (0.3, 1.0))],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        look = look_of(image, landmarks)
        canvas = look.canvas(2, 44, 111, 126)
        top, half = 52.0 + 20.0 * params["top"], 39.0 * params["width"]
        outline = _outline(params["kind"], top, half)
        cloth = canvas.polygon(outline)
        loops = canvas.lines(*[(loop, 0.8) for loop in _loops(top, half)])
        # The hem: where the cloth, blurred, is neither there nor not.
        soft = cv2.blur(cloth, (2 * canvas.density + 1,) * 2) * np.float32(1 / 255)
        hem = soft * (1 - soft)
        light = _cloth(params["kind"], canvas, round(top)) - np.float32(0.6) * hem
        light += np.float32(0.1 * params["creases"][2]) * _creased(canvas, *params["creases"][:2])
        inside = cloth * np.float32(1 / 255)
        # Loops go out of sight behind the ears.
        seen = np.clip(np.float32((half + 4.5) / 4.0) - np.abs(canvas.grid()[0] - 56.0) * np.float32(0.25), 0, 1)
        loop = loops * seen * (1 - inside) * np.float32(1 / 255)
        keep = contact(canvas, cv2.max(cloth, loops), (0.0, 1.4), 5.0, 0.42) * (1 - inside - loop)
        shone = inside * np.clip(light, 0.15, 1.12)
        cloth_add = tinted(shone, np.array(params["colour"]) * look.white)
        add = [one + other for one, other in zip(cloth_add, tinted(loop, _LOOP * look.white), strict=True)]
        return laid(image, look, canvas, keep, add, worn=True)


def _outline(kind: str, top: float, half: float) -> NDArray[np.float64]:
    """(n, 2) on the template. Eyes are at y = 52, the nose tip at 72, the mouth at 92; cheeks are 80 apart."""
    right = np.array([(56.0 + half * x, y if y > 30 else top + y) for x, y in _OUTLINES[kind]])
    left = right[-2:0:-1] * [-1, 1] + [112.0, 0.0]
    return curve(np.concatenate([right, left]), closed=True)


def _loops(top: float, half: float) -> NDArray[np.float64]:
    """Four lines (4, 7, 2), from the corners towards the ears."""
    cheek, ear = 0.97 * half, half + 4.5
    above = [(cheek, top + 13.0), (cheek + 2.5, top + 8.0), (ear, top + 3.0)]
    below = [(cheek - 1.0, 95.0), (cheek + 3.0, 88.0), (ear, 79.0)]
    right = _BOW @ np.array([above, below])
    loops: NDArray[np.float64] = np.concatenate([right, right * [-1, 1]])
    loops[..., 0] += 56.0
    return loops


@lru_cache(maxsize=128)
def _cloth(kind: str, canvas: Canvas, top: int) -> Map:
    """float32 (rows, columns): the light on the cloth, about 1 where it faces the light; pleats, a ridge or a weave."""
    x, y = canvas.grid()
    across, down = (x - 56.0) / 42.0, (y - 88.0) / 34.0
    # Round like the jaw, raised over the nose, darker below the chin and where it meets the cheeks.
    light: Any = 1.03 - 0.3 * np.abs(across) ** 2.6 - 0.3 * np.clip(down, 0, None) ** 2
    nose = np.exp(-((x - 56.0) ** 2) / 60.0) * np.exp(-((y - 72.0) ** 2) / 260.0)
    beside = np.exp(-((np.abs(x - 56.0) - 13.0) ** 2) / 30.0) * np.exp(-((y - 74.0) ** 2) / 200.0)
    light += 0.07 * nose - 0.06 * beside
    if kind == "surgical":
        for pleat in np.linspace(top + 13.0, 104.0, 4)[:3] + 1.0:
            bent = pleat + 4.0 * across**2
            fade = np.clip(1.15 - 0.35 * np.abs(across), 0, 1)
            light -= 0.13 * fade * np.exp(-((y - bent) ** 2) / 1.4)
            light += 0.07 * fade * np.exp(-((y - bent + 2.2) ** 2) / 3.0)
            # Each pleat lies over the next and shades it.
            light -= 0.06 * np.exp(-np.clip(y - bent, 0, None) / 3.0) * (y > bent)
        wire = np.exp(-((y - top - 2.5 - 9.0 * np.abs(across)) ** 2) / 1.2) * (np.abs(across) < 0.45)
        light += 0.05 * wire
    elif kind == "respirator":
        light -= 0.13 * np.exp(-(across**2) / 0.0009) * (y > top) + 0.16 * np.abs(across) ** 0.8 - 0.08
        light -= 0.08 * np.exp(-((y - 78.0 - 26.0 * across**2) ** 2) / 1.5)
    else:
        light += 0.018 * np.sin(2.6 * x + 0.7 * y) * np.sin(2.6 * y - 0.7 * x)
        light -= 0.09 * np.exp(-(across**2) / 0.0006)
    found: Map = light.astype(np.float32)
    return found


def _creased(canvas: Canvas, x: float, y: float) -> Map:
    """float32 (rows, columns) about 0, -1..1: a part of a table of soft creases."""
    rows, columns = canvas.shape
    table = _creases(canvas.density)
    top, left = int(y * (table.shape[0] - rows)), int(x * (table.shape[1] - columns))
    return table[top : top + rows, left : left + columns]


@lru_cache(maxsize=8)
def _creases(density: int) -> Map:
    """Ridges of smooth noise, longer across than down, as cloth over a chin throws them."""
    rng = np.random.Generator(np.random.SFC64(3))
    size = (280 * density, 240 * density)
    total: Any = np.zeros(size[::-1], np.float32)
    for cells, weight in (((14, 26), 1.0), ((30, 50), 0.5)):
        coarse = rng.standard_normal(cells[::-1], dtype=np.float32)
        smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        total += np.float32(weight) * (0.6 - 2 * np.abs(np.tanh(smooth)))
    soft: Any = cv2.GaussianBlur(total / np.float32(np.abs(total).max()), (0, 0), 0.7 * density)
    return soft  # type: ignore[no-any-return]
