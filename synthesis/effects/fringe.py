"""Hair over the forehead, to the brows or over an eye, in the colour of the person's own hair where that is seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.canvas import Canvas, contact
from synthesis.effects.look import LUMA, Look, look_of
from synthesis.effects.overlay import laid, tinted
from synthesis.effects.shading import Map

COLOURS = [[22, 18, 16], [45, 32, 24], [78, 54, 36], [120, 88, 56], [172, 138, 92], [110, 56, 36], [150, 148, 146]]
# Above the forehead and at the temples: left top and right bottom on the template, and how bright over the skin.
_MAY_BE_HAIR: Final = (
    (((38.0, 0.0), (74.0, 6.0)), 2.0),
    (((9.0, 25.0), (17.0, 38.0)), 0.6),
    (((95.0, 25.0), (103.0, 38.0)), 0.6),
)
# Layers of hair from the back to the front, and locks in each over the width of the head.
_LAYERS: Final = (13, 9)
# The head's half width and a little more; strands are told apart in so many steps of a pixel of the template.
_HALF: Final = 50.0
_STEPS: Final = 5


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
            # Where none of the person's own hair is seen.
            "colour": [int(value) for value in colour],
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        look = look_of(image, landmarks)
        canvas = look.canvas(2, -14, 111, int(_ends(params)) + 24)
        opacity, tone = _drawn(canvas, params)
        own = _own_hair(image, look)
        hair = np.array(params["colour"]) * look.white if own is None else own
        # Pale hair shows less of its strands: it's near the brightest that a picture can be.
        tone = 1 + (tone - 1) * np.float32(1.1 - 0.75 * float(LUMA @ hair) / 255)
        opaque = cv2.convertScaleAbs(opacity, alpha=255.0)
        keep = contact(canvas, opaque, (0.0, 2.2), 4.0, 0.4) * (1 - opacity)
        # Light on hair has the colour of the light, not the hair's.
        shine = opacity * np.clip(tone - 1.15, 0, None) * np.float32(26.0)
        add = zip(tinted(opacity * tone, hair), tinted(shine, look.white), strict=True)
        return laid(image, look, canvas, keep, [one + other for one, other in add], worn=True)


def _own_hair(image: Image, look: Look) -> Any:
    """Median colour (3,) of what lies above the forehead, or else beside it, if it may be hair; else None."""
    for corners, pale in _MAY_BE_HAIR:
        (x, y), (right, bottom) = look.to_image(corners).round().astype(int).tolist()
        patch = image[max(y, 0) : max(bottom, 0), max(x, 0) : max(right, 0)].reshape(-1, 3)
        if not len(patch):
            continue
        colour = np.sort(patch, axis=0)[len(patch) // 2].astype(np.float64)
        luma, skin = float(LUMA @ colour), float(LUMA @ look.skin)
        off_skin = np.abs(colour / max(luma, 1.0) - look.skin / max(skin, 1.0)).max()
        # Neither bare skin, nor the sky or a coloured wall; beside the head, where more of these are, not pale either.
        bare = off_skin < 0.22 and luma > 0.68 * skin
        if not bare and (luma < 45.0 or colour[0] > 0.97 * colour[2]) and luma < pale * skin:
            # Dark pixels have the tints of compression, hats have any; in white light hair is grey to red or gold.
            blue, green, red = np.sort(colour / look.white)
            return np.array([red, min(green, 0.52 * (red + blue)), blue]) * look.white
    return None


def _drawn(canvas: Canvas, params: Params) -> tuple[Map, Map]:
    """float32 (rows, columns) each: opacity 0..1, and tone about 1."""
    rng = np.random.Generator(np.random.SFC64(params["seed"]))
    x, y = canvas.grid()
    down = (y + 14.0) / 70.0
    narrow = np.float32(1) / (0.8 + 0.2 * down)
    opacity, tone = np.zeros(canvas.shape, np.float32), np.zeros(canvas.shape, np.float32)
    table, along = _table(), np.repeat(0.4 * y + 8.0, canvas.shape[1], axis=1)
    for layer, locks in enumerate(_LAYERS):
        ends, shades, gaps = _locks(rng, locks, params)
        slant = params["slant"] + float(rng.normal(0.0, 0.14))
        wave = 1.2 * np.sin(0.11 * y + rng.uniform(0, 6))
        root = (x - 56.0 - np.float32(26.0 * slant) * down**2 - wave.astype(np.float32)) * narrow
        aside = np.clip((root + np.float32(_HALF)) * _STEPS, 0, 2 * _HALF * _STEPS - 1).astype(np.float32)
        place = aside.astype(np.int32)
        left = ends[place] - y
        covers = np.clip(left * 0.16 + 0.3, 0, 1)
        # Locks part towards their ends, and single strands go on beside the head.
        covers = covers * np.clip(1.25 - gaps[place] * np.clip(1.15 - left * 0.04, 0, 1), 0, 1)
        start = rng.uniform(0, table.shape[1] - 2 * _HALF * _STEPS - 2)
        strand = cv2.remap(table, aside + np.float32(start), along, cv2.INTER_LINEAR)
        covers = covers * np.clip((43.0 - np.abs(root)) * 0.1 + strand * 0.6, 0, 1)
        # Roots lie among the hair above the crop.
        covers = covers * np.clip((y + 13.0) / 12.0 + strand, 0, 1)
        shine = np.exp(-(((left - np.float32(rng.uniform(22, 40))) / 11.0) ** 2))
        here = shades[place] + strand * (0.16 + 0.2 * shine) + 0.13 * shine - 0.12 * np.clip(1 - left * 0.1, 0, 1)
        # The layer behind lies in the shade of the one before it.
        tone = tone * (1 - covers) * np.float32(0.85) + here * covers if layer else here * covers
        opacity = covers + opacity * (1 - covers)
    return opacity, np.clip(tone / np.maximum(opacity, 0.02), 0.25, 2.0)


def _ends(params: Params) -> float:
    """Where most strands end, y on the template; hardly one is 15 pixels longer."""
    return float(40.0 + 20.0 * params["length"])


def _locks(rng: Generator, count: int, params: Params) -> list[Map]:
    """For each step aside, float32 (n,): y where hair ends, its tone, and how much of the forehead is seen."""
    width = 2 * _HALF / count
    borders = np.linspace(-_HALF, _HALF, count + 1) + rng.uniform(-0.35, 0.35, count + 1) * width
    at = (np.arange(int(2 * _HALF * _STEPS)) + 0.5) / _STEPS - _HALF
    lock = np.clip(np.searchsorted(borders, at) - 1, 0, count - 1)
    middle = (borders[lock] + borders[lock + 1]) / 2
    # 0 in a lock's middle, 1 at its rim.
    rim = np.abs(at - middle) / np.maximum((borders[lock + 1] - borders[lock]) / 2, 0.5)
    longer = rng.normal(0.0, 5.0, count)[lock] - 10.0 * rim**1.5 - rng.exponential(4.0, len(at))
    # Shorter towards the temples, so that it meets what is beside it.
    ends = _ends(params) - 12.0 * np.abs(at / 42.0) ** 3 + longer
    shades = 1.0 + rng.normal(0.0, 0.09, count)[lock] - 0.2 * np.clip(rim, 0, 1.2) ** 3
    gaps = np.clip(rim**2, 0, 1.2) * (2.0 - 1.3 * params["density"]) + rng.uniform(0.0, 0.5, len(at))
    # As wide as strands are that a crop still tells apart.
    return [cv2.blur(one.astype(np.float32)[None], (_STEPS, 1))[0] for one in (ends, shades, gaps)]


@lru_cache(maxsize=1)
def _table() -> Map:
    """float32 (64, 4096), about -0.5..0.5: strands that run down and change slowly, fine ones in coarse ones."""
    rng = np.random.Generator(np.random.SFC64(1))
    total: Any = np.zeros((64, 4096), np.float32)
    for step, weight in ((5, 0.5), (11, 0.6), (28, 0.5)):
        coarse = rng.standard_normal((6, 4096 // step), dtype=np.float32)
        total += np.float32(weight) * cv2.resize(coarse, (4096, 64), interpolation=cv2.INTER_CUBIC)
    strands: Map = np.clip(total / np.float32(2.5 * total.std()), -0.7, 0.7)
    return strands
