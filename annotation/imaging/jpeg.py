"""JPEG through OpenCV, which reads it about twice as fast as Pillow; reduced scales come from the DCT for free."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_REDUCED: dict[int, int] = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_STANDALONE = frozenset([0x01, *range(0xD0, 0xD9)])
_START_OF_SCAN = 0xDA
_END = b"\xff\xd9"


def decode_jpeg(data: bytes, size: tuple[int, int], max_side: int) -> NDArray[np.uint8] | None:
    """(h, w, 3) uint8 RGB as stored (not turned), reduced by 1, 2, 4 or 8 while the longer side stays >= `max_side`.

    Returns None where Pillow should judge: the file has no end marker, so that it may be cut short (OpenCV would fill
    up with grey and say nothing), or OpenCV can't read it.
    """
    if not _complete(data):
        return None
    factor = reduction(max(size), max_side)
    flags = _REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None or image.size == 0:
        return None
    if factor > 1:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return np.asarray(image, dtype=np.uint8)


def reduction(long_side: int, max_side: int) -> int:
    """The largest of 1, 2, 4, 8 that leaves the longer side at least `max_side` pixels; 1 when there is no limit."""
    if max_side <= 0:
        return 1
    return next((factor for factor in (8, 4, 2) if long_side // factor >= max_side), 1)


def _complete(data: bytes) -> bool:
    """Whether an end marker follows the start of the picture proper (an embedded thumbnail ends before it)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return data.find(_END, at) >= 0
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False
