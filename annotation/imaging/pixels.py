"""Pillow images of every mode to uint8 RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}


def remarks(image: Image.Image) -> list[str]:
    """What is unusual about an opened image; see `Decoded.notes`."""
    found = {
        "animated": getattr(image, "n_frames", 1) > 1 and image.format not in {"MPO", "TIFF"},
        "16_bit": image.mode in _DEEP,
        "cmyk": image.mode == "CMYK",
        "alpha": _has_alpha(image),
    }
    return [note for note, true in found.items() if true]


def to_rgb(image: Image.Image, max_side: int) -> NDArray[np.uint8]:
    """The first frame as (h, w, 3) uint8 RGB. Transparent parts show white; 16 bits keep their upper 8."""
    if max_side > 0 and image.format in {"JPEG", "MPO"}:
        factor = max(max_side / max(image.size), 1 / 8)
        image.draft(None, (max(1, int(image.width * factor)), max(1, int(image.height * factor))))
    image.load()
    if image.mode in _DEEP:
        return np.repeat(_to_8_bit(np.asarray(image))[:, :, None], 3, axis=2)
    if _has_alpha(image):
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def shrink(array: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Average down so that the longer side has at most `max_side` pixels (0: no limit)."""
    height, width = array.shape[:2]
    if max_side <= 0 or max(height, width) <= max_side:
        return array
    factor = max_side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    # Bilinear sampling misses no pixel below a factor of two, and is five times faster than averaging.
    method = cv2.INTER_AREA if factor <= 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, size, interpolation=method), dtype=np.uint8)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info


def _to_8_bit(deep: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = deep.astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    # Integers use 16 bits whatever their largest value happens to be; floating point comes as 0..1 or 0..255.
    full = (1.0 if top <= 1.0 else 255.0 if top <= 255.0 else top) if deep.dtype.kind == "f" else 65535.0
    return np.asarray(np.clip(values * (255.0 / full), 0, 255), dtype=np.uint8)
