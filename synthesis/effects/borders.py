"""What comes in at the rim when a picture is moved: its mirror image, softer the further out, as a background is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np

from synthesis.effects.base import Image

# Share of the shorter side from the rim to where nothing of the mirror image is left but its colours.
_REACH: Final = 0.14
# Cells along each side that these colours are kept in, and how many of them are mirrored around.
_CELLS: Final = 14
_AROUND: Final = 7
# Such colours change so slowly that every fourth pixel will do.
_FEWER: Final = 4


@dataclass(frozen=True, slots=True)
class _Frame:
    """What depends on an image's size alone.

    Attributes:
        pad: pixels around the image that its mirror image is kept for.
        nearness: uint8 (h + 2 * pad, w + 2 * pad), 255 inside, falling to 0 outside.
        padded, cells: (3, 3), from pixels of the padded image and from cells to pixels of the image.
        small: width and height that colours are drawn at.
    """

    pad: int
    nearness: Any
    padded: Any
    cells: Any
    small: tuple[int, int]


def moved(image: Image, matrix: Any) -> Image:
    """`image` with its pixels moved by `matrix`, float64 (2, 3) or (3, 3); the size stays.

    Whatever lies inside the image is sampled bilinearly and stays as sharp as it was.
    """
    height, width = image.shape[:2]
    frame = _frame(height, width)
    warp: Any = cv2.warpAffine if len(matrix) == 2 else cv2.warpPerspective
    around = _mirrored(image, frame.pad)
    # Four channels are warped faster than three, and the fourth says how much of the mirror image is wanted.
    seen = warp(cv2.merge([*cv2.split(around), frame.nearness]), matrix @ frame.padded, (width, height))
    share = cv2.cvtColor(seen[..., 3], cv2.COLOR_GRAY2RGB)

    cells: Any = cv2.resize(image, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    cells = cv2.GaussianBlur(_mirrored(cells, _AROUND), (5, 5), 1.2)
    placed = matrix @ frame.cells
    placed[0] *= frame.small[0] / width
    placed[1] *= frame.small[1] / height
    colours = cv2.resize(warp(cells, placed, frame.small, borderMode=cv2.BORDER_REPLICATE), (width, height))

    sharp = cv2.multiply(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), share, scale=1 / 255)
    mixed: Any = cv2.add(sharp, cv2.multiply(colours, cv2.bitwise_not(share), scale=1 / 255))
    return mixed  # type: ignore[no-any-return]


def _mirrored(image: Image, pad: int) -> Any:
    return cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT)


@lru_cache(maxsize=64)  # lines of text are of many sizes
def _frame(height: int, width: int) -> _Frame:
    reach = _REACH * min(height, width)
    pad = int(reach) + 2
    y, x = np.arange(-pad, height + pad), np.arange(-pad, width + pad)
    down, across = np.maximum(np.maximum(-y, y - height + 1), 0), np.maximum(np.maximum(-x, x - width + 1), 0)
    near = np.clip(1.0 - np.hypot(down[:, None], across) / reach, 0.0, 1.0)
    step = np.array([width / _CELLS, height / _CELLS])
    cells = np.diag([*step, 1.0])
    cells[:2, 2] = (0.5 - _AROUND) * step - 0.5
    return _Frame(
        pad=pad,
        nearness=np.rint(255 * near * near * (3 - 2 * near)).astype(np.uint8),
        padded=np.array([[1.0, 0.0, -pad], [0.0, 1.0, -pad], [0.0, 0.0, 1.0]]),
        cells=cells,
        small=(-(-width // _FEWER), -(-height // _FEWER)),
    )
