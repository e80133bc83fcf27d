"""Whether text can be told from what it stands on."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.effects.base import Image

Colour = tuple[int, int, int]  # sRGB 0..255

_STEADY: Final = 8.0
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


def stand_out(
    image: Image, coverage: NDArray[np.uint8], spans: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the ink stands out in each box.

    Args:
        image: uint8 RGB (h, w, 3), finished.
        coverage: uint8 (h, w), where its ink is.
        spans: (n, 4) boxes, left, top, right, bottom, inside the image.

    Returns:
        The difference of the mean grey of ink and ground (n,), 0..255, and the same in standard deviations of both, to
        which `_STEADY` grey levels are added (n,). 0 where a box shows no ink; 255 and infinity where it shows no
        ground.
    """
    grey: Any = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    ink, ground = (
        _moments(grey, mask, spans) for mask in (cv2.inRange(coverage, 129, 255), cv2.inRange(coverage, 0, 63))
    )
    difference = np.where(ground[0] > 0, np.abs(ink[1] - ground[1]), 255.0)
    clearness = np.where(ground[0] > 0, difference / (np.sqrt((ink[2] + ground[2]) / 2) + _STEADY), np.inf)
    return np.where(ink[0] > 0, difference, 0.0), np.where(ink[0] > 0, clearness, 0.0)


def _moments(grey: Any, mask: Any, spans: NDArray[np.int64]) -> NDArray[np.float64]:
    """(3, n): how many pixels of each box are in the mask, their mean and variance."""
    sums, squares = cv2.integral2(cv2.bitwise_and(grey, mask))
    left, top, right, bottom = spans.T
    number, total, square = (
        (plane[bottom, right] - plane[top, right] - plane[bottom, left] + plane[top, left]).astype(np.float64)
        for plane in (cv2.integral(mask), sums, squares)
    )
    number /= 255
    mean = total / np.maximum(number, 1)
    return np.stack([number, mean, np.maximum(square / np.maximum(number, 1) - mean**2, 0.0)])
