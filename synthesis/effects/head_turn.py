"""How far a head is turned aside, by its landmarks, and where the parts of a straight one lie then.

Alignment turns and scales a face in the picture's plane only: the nose of a head that looks aside stays aside.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models_zoo.alignment import TEMPLATE
from synthesis.effects.base import Landmarks
from synthesis.effects.faces import to_template
from synthesis.effects.shading import Map

# How far the tip of the nose lies before the plane of eyes and mouth, in pixels of the template.
_NOSE_DEPTH: Final = 19.0
_MOST: Final = 0.6  # beyond, one eye is hardly seen
_LEAST: Final = 0.04  # below, it's no more than the landmarks' own error
# A head seen from above is about a circle of this radius, its face a parabola; the eyes lie so far from its middle.
_RADIUS: Final = 46.0
_EYES: Final = 17.6
_MIDDLE: Final = 56.0


def turn_of(landmarks: Landmarks) -> float:
    """Sine of the angle, -0.6..0.6; positive where the face looks to the picture's right. 0 where that isn't sure."""
    matrix = to_template(landmarks)
    x = landmarks @ matrix[0, :2] + matrix[0, 2]
    turn = (_aside(x) - _aside(TEMPLATE[:, 0])) / _NOSE_DEPTH
    return 0.0 if abs(turn) < _LEAST else float(np.clip(turn, -_MOST, _MOST))


def _aside(x: NDArray[np.float64]) -> float:
    return float(x[2] - (x[0] + x[1] + x[3] + x[4]) / 4)


def straightened(x: ArrayLike, turn: float) -> NDArray[np.float64]:
    """The x on a straight head of what lies at `x`, pixels of the template, on a turned one."""
    aside, far = float(np.sign(turn)), abs(turn)
    cos = float(np.sqrt(1 - turn * turn))
    # Alignment enlarges it by about half of what the turn takes from its width.
    larger = 2 / (1 + cos)
    straight = np.linspace(-120.0, 120.0, 241)
    depth = (_EYES**2 - straight**2) / (2 * _RADIUS)
    # Behind the head's outline nothing is seen, so it's as narrow as can be.
    turned = np.maximum.accumulate(larger * (straight * cos + depth * far) + 0.01 * straight)
    found = np.interp(aside * (np.asarray(x) - _MIDDLE), turned, straight)
    return np.asarray(aside * found + _MIDDLE)


def turned(drawn: Map, turn: float) -> Map:
    """A map of a straight head, float32 (112, 112), as it lies on a turned one; its sides go on."""
    if not turn:
        return drawn
    rows, columns = drawn.shape
    x = straightened(np.arange(columns), turn).astype(np.float32)[None].repeat(rows, axis=0)
    y = np.arange(rows, dtype=np.float32)[:, None].repeat(columns, axis=1)
    moved: Any = cv2.remap(drawn, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved  # type: ignore[no-any-return]
