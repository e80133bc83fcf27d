"""A hand before the face: a palm and four fingers in the colour of the face's own skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

import cv2
import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.faces import from_template
from synthesis.effects.shading import blended, onto_face

# Places on the template that are skin on nearly every face: cheeks and the bridge of the nose.
_SKIN = [(36.0, 72.0), (76.0, 72.0), (56.0, 58.0), (40.0, 78.0), (72.0, 78.0)]
_BITS = 4
# Part of it lies outside the crop.
_MARGIN = 24
_SIDE = CROP_SIZE + 2 * _MARGIN


@dataclass(frozen=True, slots=True)
class Hand(Effect):
    """Attributes: size, of a finger's width relative to one fit for the face; reach, how far it comes in, 0..1."""

    size: Annotated[Range, Within(0.3, 3)] = (0.85, 1.2)
    reach: Shares = (0.2, 0.8)

    def sample(self, rng: Generator) -> Params:
        return {
            "size": between(rng, self.size),
            "reach": between(rng, self.reach),
            # From below or from a side, never from above the head.
            "from_deg": between(rng, (10.0, 170.0)),
            "bend_deg": between(rng, (-30.0, 30.0)),
            "aside": between(rng, (-12.0, 12.0)),
            "spread_deg": between(rng, (1.0, 7.0)),
            "shade": between(rng, (0.75, 1.05)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        inside, height = _drawn(params)
        size = (image.shape[0], image.shape[1])
        opacity = onto_face(inside, landmarks, size, margin=_MARGIN)
        # Light from above and before: round fingers, dark gaps.
        down, across = np.gradient(cv2.GaussianBlur(height, (0, 0), 1.2))
        slope = np.float32(0.9) - 0.10 * down - 0.05 * across - 0.3 * (inside > 0) * (height < 0.35)
        light = onto_face(np.clip(slope, 0.4, 1.15).astype(np.float32), landmarks, size, margin=_MARGIN)
        skin = _skin(image, cast(Landmarks, landmarks)) * params["shade"]
        return blended(image, skin * light[..., None], opacity)


def _skin(image: Image, landmarks: Landmarks) -> Any:
    """Median colour (3,) of the face's skin; of the whole picture where the face lies outside."""
    points = np.rint(from_template(_SKIN, landmarks)).astype(int)
    height, width = image.shape[:2]
    seen = points[(points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)]
    sampled = [image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3) for x, y in seen]
    return np.median(np.concatenate(sampled) if sampled else image.reshape(-1, 3), axis=0)


def _drawn(params: Params) -> tuple[Any, Any]:
    """float32 (_SIDE, _SIDE) opacity, and height 0..1 above the hand's rim, on the template and a margin."""
    wide = 7.5 * params["size"]
    back = np.deg2rad(params["from_deg"])
    out = np.array([np.cos(back), np.sin(back)])
    tip = np.array([56.0, 70.0]) + out * (1 - params["reach"]) * 50.0
    bend = back + np.pi + np.deg2rad(params["bend_deg"])
    forward = np.array([np.cos(bend), np.sin(bend)])
    aside = np.array([-forward[1], forward[0]])
    palm = tip - forward * 5.2 * wide + aside * params["aside"]
    inside: Any = np.zeros((_SIDE, _SIDE), np.uint8)
    height: Any = np.zeros((_SIDE, _SIDE), np.float32)
    for finger, length in enumerate((3.9, 4.7, 5.0, 4.2)):
        turn = bend + np.deg2rad(params["spread_deg"]) * (finger - 1.5)
        root = palm + aside * (finger - 1.5) * 2.05 * wide
        end = root + np.array([np.cos(turn), np.sin(turn)]) * length * 1.15 * wide
        _stroke(inside, height, root - forward * 1.5 * wide, end, wide)
    thumb = palm - aside * 4.0 * wide - forward * 1.0 * wide
    _stroke(inside, height, palm - forward * 4.0 * wide, thumb + forward * 2.4 * wide, 1.15 * wide)
    _stroke(inside, height, palm - forward * 3.0 * wide, palm - forward * 9.0 * wide, 4.0 * wide)
    return cv2.GaussianBlur(inside, (0, 0), 0.6).astype(np.float32) / 255.0, height


def _stroke(inside: Any, height: Any, start: Any, end: Any, width: float) -> None:
    """A rounded stick of twice the half-width `width`, into both maps."""
    ends = np.array([start, end]) + _MARGIN
    low = np.clip(np.floor(ends.min(axis=0) - width).astype(int) - 2, 0, _SIDE - 1)
    high = np.clip(np.ceil(ends.max(axis=0) + width).astype(int) + 3, low + 1, _SIDE)
    here = np.s_[low[1] : high[1], low[0] : high[0]]
    mask: Any = np.zeros((high - low)[::-1], np.uint8)
    (x, y), (to_x, to_y) = np.rint((ends - low) * 2**_BITS).astype(int).tolist()
    cv2.line(mask, (x, y), (to_x, to_y), 255, max(1, round(2 * width)), cv2.LINE_AA, _BITS)
    np.maximum(inside[here], mask, out=inside[here])
    depth = np.minimum(cv2.distanceTransform(mask, cv2.DIST_L2, 3) / min(width, 9.0), 1.0)
    # What is drawn later lies before what was drawn earlier.
    height[here] = np.where(mask > 127, np.sqrt(depth), height[here])
