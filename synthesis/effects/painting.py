"""Paints shapes that are given on the alignment template onto the face that the landmarks mark."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from foundation.errors import InvalidInput
from synthesis.effects.base import Image, Landmarks
from synthesis.effects.faces import from_template

_SUBPIXEL_BITS = 4


def paint(image: Image, landmarks: Landmarks | None, shapes: list[ArrayLike], colour: list[int]) -> Image:
    """A copy of `image` with filled, anti-aliased polygons.

    Args:
        shapes: polygons (n, 2) in the 112x112 coordinates of `models_zoo.alignment.TEMPLATE`.
        colour: three values 0..255, in the image's channel order.

    Raises:
        InvalidInput: the landmarks are not known.
    """
    if landmarks is None:
        raise InvalidInput("An occluder needs the face's landmarks.", code="landmarks_needed")
    painted = image.copy()
    polygons: list[Any] = [
        np.rint(from_template(shape, landmarks) * 2**_SUBPIXEL_BITS).astype(np.int32) for shape in shapes
    ]
    for polygon in polygons:  # one by one: where two of one call overlap, neither is filled
        cv2.fillPoly(painted, [polygon], colour, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    return painted


def ellipse(centre: tuple[float, float], radii: tuple[float, float], points: int = 32) -> ArrayLike:
    """Polygon (points, 2) of an ellipse with upright axes."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)])
