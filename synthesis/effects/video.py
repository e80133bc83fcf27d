"""A frame of a strongly compressed video: coarse blocks, half the colour, and what prediction left of the frame before.

A stand-in for H.264 and its kind that gives the same bytes everywhere: 8x8 cosine transform, flat quantiser with a dead
zone, one motion vector per macroblock of 16x16, skipped blocks, and a filter over the blocks' rims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between

Plane = NDArray[np.float32]
_BLOCK: Final = 8
_MACRO: Final = 16
_K = np.arange(_BLOCK)
_DCT: Final = (
    np.sqrt(np.where(_K == 0, 1.0, 2.0) / _BLOCK)[:, None] * np.cos(np.pi * (2 * _K + 1) * _K[:, None] / (2 * _BLOCK))
).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Video(Effect):
    """Attributes: step, the quantiser's step in grey levels, 10 good to 60 bad; motion, pixels from frame to frame."""

    step: Annotated[Range, Within(1, 255)] = (12.0, 48.0)
    motion: Annotated[Range, Within(0, 64)] = (0.0, 6.0)

    def sample(self, rng: Generator) -> Params:
        angle, far = between(rng, (0.0, 2 * np.pi)), between(rng, self.motion)
        return {
            "step": between(rng, self.step),
            "motion": [float(far * np.cos(angle)), float(far * np.sin(angle))],
            "seed": int(rng.integers(2**32)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % 32, 0, -width % 32, cv2.BORDER_REPLICATE)
        luma, *chroma = cv2.split(cv2.cvtColor(padded, cv2.COLOR_RGB2YCrCb))
        rng = np.random.Generator(np.random.SFC64(params["seed"]))
        coded = [_coded(luma, params["step"], params["motion"], rng)]
        for plane in chroma:
            half = cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            coarse = _coded(half, params["step"], [one / 2 for one in params["motion"]], rng)
            coded.append(cv2.resize(coarse, luma.shape[::-1], interpolation=cv2.INTER_LINEAR))
        joined: Any = cv2.cvtColor(cv2.merge(coded), cv2.COLOR_YCrCb2RGB)
        return np.ascontiguousarray(joined[:height, :width])


def _coded(plane: Any, step: float, motion: list[float], rng: Generator) -> Any:
    """uint8 (h, w): `plane` predicted from the coded frame before, plus a quantised difference."""
    now = plane.astype(np.float32)
    shift = np.array([[1.0, 0.0, motion[0]], [0.0, 1.0, motion[1]]], np.float32)
    before = cv2.warpAffine(now, shift, now.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    before = _quantised(before, step, 0.5)
    predicted = _predicted(before, motion, rng)
    decoded = predicted + _quantised(now - predicted, step, 0.33)
    return _smooth_rims(np.clip(np.rint(decoded), 0, 255).astype(np.uint8), step)


def _predicted(before: Any, motion: list[float], rng: Generator) -> Any:
    """The frame before, moved back block by block; vectors are whole pixels, and the encoder's search isn't perfect."""
    rows, columns = before.shape[0] // _MACRO, before.shape[1] // _MACRO
    vectors = np.array(motion, np.float32)[:, None, None] + rng.normal(0.0, 0.5, (2, rows, columns))
    spread = np.rint(vectors).astype(np.float32).repeat(_MACRO, axis=1).repeat(_MACRO, axis=2)
    x = spread[0] + np.arange(before.shape[1], dtype=np.float32)
    y = spread[1] + np.arange(before.shape[0], dtype=np.float32)[:, None]
    return cv2.remap(before, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def _quantised(plane: Any, step: float, rounding: float) -> Any:
    """`plane` after transform, quantiser and back; a `rounding` below a half widens the dead zone around 0."""
    height, width = plane.shape
    blocks = plane.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(0, 2, 1, 3)
    levels = _DCT @ blocks @ _DCT.T
    kept = np.sign(levels) * np.floor(np.abs(levels) / step + rounding) * np.float32(step)
    back: Any = _DCT.T @ kept @ _DCT
    return back.transpose(0, 2, 1, 3).reshape(height, width)


def _smooth_rims(plane: Any, step: float) -> Any:
    """Rims of blocks blurred where their jump is no more than the quantiser could have made."""
    soft = cv2.blur(plane, (3, 3))
    rim = np.zeros(plane.shape, bool)
    for offset in (0, _BLOCK - 1):
        rim[offset::_BLOCK] = rim[:, offset::_BLOCK] = True
    return np.where(rim & (cv2.absdiff(soft, plane) < step / 2), soft, plane)
