"""Many crops in one picture, for grids."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from annotation.imaging.pack import decode_crop

SIDE = 112
COLUMNS = 10
QUALITY = 85  # at this, a crop takes an eighth of its PNG


def make_sheet(pngs: Sequence[bytes]) -> bytes:
    """JPEG of crops in rows of `COLUMNS`, in the order given; cells that stay empty are black. Raises CorruptPack."""
    lines = -(-len(pngs) // COLUMNS)
    sheet = np.zeros((lines * SIDE, COLUMNS * SIDE, 3), np.uint8)
    for at, png in enumerate(pngs):
        top, left = at // COLUMNS * SIDE, at % COLUMNS * SIDE
        sheet[top : top + SIDE, left : left + SIDE] = decode_crop(png)
    done, jpeg = cv2.imencode(".jpg", sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG.")
    return bytes(jpeg)
