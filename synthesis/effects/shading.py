"""Maps of light that are drawn on the alignment template, laid onto the face that the landmarks mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from synthesis.effects.base import Image, Landmarks
from synthesis.effects.faces import to_template

Map = NDArray[np.float32]
# What a display does to light; the power is close enough to sRGB's curve.
DISPLAY_GAMMA = 2.2


def lit(image: Image, light: Map, tints: Sequence[Map] | None = None) -> Image:
    """`image` with as much light as `light`, float32 (h, w) >= 0, says; 1 changes nothing.

    Args:
        tints: how much more than that each channel gets of it, three of float32 (h, w).
    """
    factor: Any = cv2.pow(light, 1 / DISPLAY_GAMMA)
    factors = [factor * tint for tint in tints] if tints else [factor] * 3
    changed: Any = cv2.multiply(image, cv2.merge(factors), dtype=cv2.CV_8U)
    return changed  # type: ignore[no-any-return]


def onto_face(drawn: Map, landmarks: Landmarks | None, size: tuple[int, int], *, margin: int | None = None) -> Map:
    """A map of the template on an image of `size` (height, width).

    Args:
        drawn: float32 (112, 112); outside, its rim goes on. With a margin float32 (112 + 2 * margin, ...), where the
            margin lies around the template; outside is 0.

    Raises:
        InvalidInput: the landmarks are not known.
    """
    if landmarks is None:
        raise InvalidInput("Light on a face needs its landmarks.", code="landmarks_needed")
    matrix = to_template(landmarks)
    matrix[:, 2] += margin or 0
    laid: Any = cv2.warpAffine(
        drawn,
        matrix,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if margin is None else cv2.BORDER_CONSTANT,
    )
    return laid  # type: ignore[no-any-return]


def blended(image: Image, colour: Any, opacity: Map) -> Image:
    """`image` covered by `colour`, three values or an image, as far as `opacity`, float32 (h, w) in 0..1, says."""
    cover: Any = np.broadcast_to(np.asarray(colour, np.float32), image.shape)
    weight = cv2.merge([opacity] * 3)
    mixed = cv2.add(cv2.multiply(image, 1.0 - weight, dtype=cv2.CV_32F), cv2.multiply(cover, weight, dtype=cv2.CV_32F))
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
