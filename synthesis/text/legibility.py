"""Whether text can be told from what it stands on."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.effects.base import Image

Colour = tuple[int, int, int]  # sRGB 0..255

_WEIGHTS: Final = (0.2126, 0.7152, 0.0722)
_LINEAR: Final = [
    level / 255 / 12.92 if level / 255 <= 0.04045 else ((level / 255 + 0.055) / 1.055) ** 2.4 for level in range(256)
]


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1. Source: WCAG 2.2."""
    return sum(weight * _LINEAR[level] for weight, level in zip(_WEIGHTS, colour, strict=True))


def contrast_ratio(one: Colour, other: Colour) -> float:
    """From 1 (none) to 21 (black on white). Source: WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_difference(image: Image, coverage: NDArray[np.uint8], spans: NDArray[np.int64]) -> float:
    """How far the ink stands out where it does so least, in grey levels.

    Args:
        image: uint8 RGB (h, w, 3), finished.
        coverage: uint8 (h, w), where its ink is.
        spans: (n, 4) boxes, left, top, right, bottom, each with ink and ground inside.

    Returns:
        The smallest difference of the mean grey of ink and ground over the boxes that show both.
    """
    grey: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    inked, bare = cv2.inRange(coverage, 161, 255), cv2.inRange(coverage, 0, 63)
    least = 255.0
    for left, top, right, bottom in spans.tolist():
        part, on, off = (plane[top:bottom, left:right] for plane in (grey, inked, bare))
        if cv2.countNonZero(on) and cv2.countNonZero(off):
            least = min(least, abs(cv2.mean(part, on)[0] - cv2.mean(part, off)[0]))
    return least
