"""What can be measured on an aligned crop and changed by an effect: blur, light, noise, colour and cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import CROP_SIZE, TEMPLATE
from models_zoo.quality import measure

Floats = NDArray[np.float32]
Measures = Mapping[str, Floats]

MEASURES: Final[dict[str, str]] = {
    "size_px": "distance of the eyes in the photo, pixels",
    "sharpness": "edges over contrast",
    "brightness": "mean grey level of the face",
    "contrast": "deviation of the face's grey levels",
    "noise": "deviation of what is finer than any edge, grey levels",
    "colour": "deviation of the colours from grey, grey levels",
    "warmth": "red over blue, grey levels",
    "covered_mouth": "difference of colour between the mouth's surroundings and the skin above",
    "covered_eyes": "how much darker the eyes' surroundings are than the skin about them, 0..1",
}

_FACE = (slice(24, 104), slice(20, 92))
_MOUTH, _FOREHEAD = (slice(82, 106), slice(38, 74)), (slice(26, 40), slice(40, 72))
_CHEEKS = [(slice(64, 76), slice(26, 42)), (slice(64, 76), slice(70, 86))]
_EYES = [(slice(46, 60), slice(27, 50)), (slice(46, 60), slice(62, 85))]
# Immerkaer, Fast noise variance estimation (1996): blind to anything that is straight over three pixels.
_FINEST = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def crop_measures(crops: NDArray[np.uint8], size_px: Floats | None = None) -> dict[str, Floats]:
    """Each of `MEASURES` of n crops, float32 (n,).

    Args:
        crops: uint8 RGB (n, 112, 112, 3).
        size_px: (n,) of the photos that the crops come from; left out where None, as a crop doesn't tell it.

    Raises:
        InvalidInput: the crops have another shape or type.
    """
    n = len(crops)
    if crops.shape != (n, CROP_SIZE, CROP_SIZE, 3) or crops.dtype != np.uint8:
        raise InvalidInput(f"Crops are uint8 (n, 112, 112, 3), not {crops.dtype} {crops.shape}.", code="bad_faces")
    landmarks = np.broadcast_to(TEMPLATE.astype(np.float32), (n, 5, 2))
    light = measure(crops, landmarks, np.ones(n, np.float32))
    found = {name: getattr(light, name) for name in ("sharpness", "brightness", "contrast")}
    rows = np.array([_rest(crop) for crop in crops], np.float32).reshape(n, 5).T
    found |= dict(zip(("noise", "colour", "warmth", "covered_mouth", "covered_eyes"), rows, strict=True))
    return found if size_px is None else {"size_px": size_px.astype(np.float32), **found}


def _rest(crop: NDArray[np.uint8]) -> tuple[float, float, float, float, float]:
    grey: Any = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    finest: Any = cv2.filter2D(grey[_FACE], cv2.CV_32F, _FINEST)
    # The median forgives the few places where an edge bends.
    noise = float(np.median(np.abs(finest[::2, ::2]))) / (6.0 * 0.6745)
    red, green, blue, _ = cv2.mean(crop[_FACE])
    lab: Any = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    tone = np.median([cv2.mean(lab[part])[:3] for part in (_FOREHEAD, *_CHEEKS)], axis=0)
    mouth = np.array(cv2.mean(lab[_MOUTH])[:3])
    eyes = np.mean([cv2.mean(lab[part])[0] for part in _EYES])
    covered_mouth = float(np.hypot(*(mouth - tone)[1:])) + 0.2 * abs(float(mouth[0] - tone[0]))
    covered_eyes = float(1 - eyes / max(float(tone[0]), 16.0))
    return noise, float(np.std([red, green, blue])), red - blue, covered_mouth, covered_eyes
