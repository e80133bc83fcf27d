"""A relief of a face on the alignment template: an ellipsoid with brows, sockets, nose, cheeks, lips and chin."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from models_zoo.alignment import CROP_SIZE, TEMPLATE
from synthesis.effects.shading import Map

# The head: an ellipsoid about the middle of the face, radii across, down and deep, in pixels of the template.
_CENTRE: Final = (56.0, 60.0)
_RADII: Final = (46.0, 66.0, 46.0)
# Soft bumps: height, place x (mirrored at the middle), place y, width across, width down.
_BUMPS: Final = (
    (3.2, 15.0, 42.0, 13.0, 4.5),  # brows
    (-5.0, 17.6, 51.5, 8.0, 5.5),  # sockets
    (-2.0, 9.0, 52.0, 5.0, 6.0),  # towards the bridge of the nose
    (2.2, 17.6, 51.5, 4.5, 3.0),  # eyes
    (3.0, 24.0, 69.0, 10.0, 9.0),  # cheekbones
    (2.2, 6.5, 73.5, 3.4, 3.2),  # wings of the nose
    (-0.9, 15.0, 82.0, 5.0, 8.0),  # folds from there to the mouth
    (-1.2, 15.0, 93.0, 4.0, 3.5),  # corners of the mouth
)
_IN_THE_MIDDLE: Final = (
    (3.0, 72.5, 4.6, 4.2),  # tip of the nose
    (2.4, 88.5, 10.0, 2.6),  # lips
    (2.8, 96.0, 9.0, 2.8),
    (-1.4, 92.3, 12.0, 1.4),
    (-2.2, 101.0, 9.0, 2.5),
    (4.0, 108.0, 10.0, 5.5),  # chin
)
_NOSE: Final = 11.0


@cache
def height() -> Map:
    """float32 (112, 112), towards the camera, in pixels of the template."""
    y, x = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    aside = np.abs(x - _CENTRE[0])
    inside = 1 - (aside / _RADII[0]) ** 2 - ((y - _CENTRE[1]) / _RADII[1]) ** 2
    total: Any = _RADII[2] * np.sqrt(np.clip(inside, 0.03, None))
    for up, at_x, at_y, across, down in _BUMPS:
        total += up * np.exp(-(((aside - at_x) / across) ** 2) - ((y - at_y) / down) ** 2)
    for up, at_y, across, down in _IN_THE_MIDDLE:
        total += up * np.exp(-((aside / across) ** 2) - ((y - at_y) / down) ** 2)
    eyes, tip = float(TEMPLATE[:2, 1].mean()) - 5.0, float(TEMPLATE[2, 1]) + 1.5
    along = np.clip((y - eyes) / (tip - eyes), 0.0, 1.0)
    below = np.exp(-(np.clip(y - tip, 0.0, None) ** 2) / 9.0)
    total += _NOSE * along**1.2 * below * np.exp(-((aside / (4.4 + 2.6 * along)) ** 2))
    soft: Any = cv2.GaussianBlur(total, (0, 0), 1.4).astype(np.float32)
    return soft  # type: ignore[no-any-return]


@cache
def normals() -> Map:
    """float32 (112, 112, 3): unit vectors x, y, z, the latter towards the camera."""
    down, across = np.gradient(height())
    found = np.dstack([-across, -down, np.ones_like(down)])
    units: Map = (found / np.linalg.norm(found, axis=2, keepdims=True)).astype(np.float32)
    return units


@cache
def head() -> Map:
    """float32 (112, 112), 1 on the face, falling to 0 where the head ends and other things begin."""
    y, x = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    out = np.hypot((x - _CENTRE[0]) / _RADII[0], (y - _CENTRE[1]) / _RADII[1])
    ramp = np.clip((0.96 - out) / 0.3, 0.0, 1.0)
    smooth: Map = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return smooth
