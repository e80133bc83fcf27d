"""A 64-bit difference hash: near-duplicates differ in few bits. After Krawetz, "Kind of like that", 2013."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def dhash(image: NDArray[np.uint8]) -> int:
    """The hash as a signed 64-bit number.

    The picture is averaged to 9 x 8 grey cells; bit (8 * row + column) from the top says whether a cell is darker than
    its right neighbour.

    Args:
        image: (h, w, 3) uint8 RGB, any size.
    """
    # Shrinking before greying is the same average for a third of the work on large pictures.
    cells = cv2.resize(image, (9, 8), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cells, cv2.COLOR_RGB2GRAY).astype(np.int16)
    bits = np.packbits(grey[:, 1:] > grey[:, :-1])
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def hamming(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.uint8]:
    """How many bits differ, element by element (broadcasting): 0..64."""
    return np.bitwise_count(np.bitwise_xor(a, b).view(np.uint64))
