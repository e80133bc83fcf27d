"""Lays what is drawn on the alignment template onto a face, in the photo's light and as its lens would see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from synthesis.effects.base import Image
from synthesis.effects.canvas import Canvas
from synthesis.effects.head_turn import straightened
from synthesis.effects.look import CELL, Look
from synthesis.effects.shading import Map

_INVERSE: Final = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
_TABLE: Final = 2**16


def laid(
    image: Image,
    look: Look,
    canvas: Canvas,
    keep: Map,
    add: Sequence[Map],
    *,
    lit: bool = True,
    worn: bool = False,
) -> Image:
    """A copy of `image` with something drawn laid onto the face: as soft and as noisy as the photo.

    Args:
        keep: float32 (rows, columns) of the canvas, how much is seen of the photo behind, 0..1. 1 changes nothing.
        add: three of float32 (rows, columns), >= 0, grey levels that are added to what is kept.
        lit: the light's fall over the face goes on over it.
        worn: it turns with the head.
    """
    to_canvas = canvas.placed(look.to_template)
    here = _covered(canvas, to_canvas, image.shape)
    if here is None:
        return image.copy()
    (top, bottom), (left, right) = here
    size = (right - left, bottom - top)
    layer: Any = cv2.merge([cv2.convertScaleAbs(one) for one in add] + [cv2.convertScaleAbs(keep, alpha=255.0)])
    if worn and look.turn:
        layer = _turned(layer, canvas, look.turn)
    step = float(np.hypot(to_canvas[0, 0], to_canvas[1, 0]))
    if step > 1.5:  # bilinear sampling sees two pixels each way
        layer = cv2.GaussianBlur(layer, (0, 0), 0.35 * step)
    to_canvas[:, 2] += to_canvas[:, :2] @ [left, top]
    seen: Any = _sampled(layer, to_canvas, size, (0, 0, 0, 255))
    if look.blur > 0.3:
        side = 2 * round(2.5 * look.blur) + 1
        seen = cv2.GaussianBlur(seen, (side, side), look.blur, borderType=cv2.BORDER_REPLICATE)
    kept = cv2.cvtColor(seen[..., 3], cv2.COLOR_GRAY2RGB)
    added = cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB)
    out = image.copy()
    part = out[top:bottom, left:right]
    if lit:
        cells = look.to_template.copy()
        cells[:, 2] += cells[:, :2] @ [left, top] + 0.5
        cells /= CELL
        cells[:, 2] -= 0.5
        fall = cv2.warpAffine(look.light, cells, size, flags=_INVERSE, borderMode=cv2.BORDER_REPLICATE)
        added = cv2.multiply(added, cv2.merge([fall] * 3), dtype=cv2.CV_8U)
    noise = _noise(part) * (np.float32(look.grain / 255) * cv2.bitwise_not(seen[..., 3]))
    added = cv2.add(added, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
    out[top:bottom, left:right] = cv2.add(cv2.multiply(part, kept, scale=1 / 255), added)
    return out


def _turned(layer: Any, canvas: Canvas, turn: float) -> Any:
    """What is drawn on the canvas of a face that looks straight ahead, on a head that is turned."""
    x, _ = canvas.grid()
    rows, columns = canvas.shape
    source = ((straightened(x, turn) - (canvas.left - 0.5)) * canvas.density - 0.5).astype(np.float32)
    lines = np.arange(rows, dtype=np.float32)[:, None]
    at = (np.repeat(source, rows, axis=0), np.repeat(lines, columns, axis=1))
    return cv2.remap(layer, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 255))


def tinted(amount: Map, colour: Iterable[float]) -> list[Map]:
    """Three of float32 (rows, columns): `amount` of a colour in grey levels, as `laid` takes them."""
    return [amount * np.float32(level) for level in colour]


def _sampled(layer: Any, matrix: Any, size: tuple[int, int], outside: tuple[int, ...]) -> Any:
    return cv2.warpAffine(layer, matrix, size, flags=_INVERSE, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)


def _covered(canvas: Canvas, to_canvas: Any, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Rows and columns of the image that the canvas covers; None where it lies outside."""
    rows, columns = canvas.shape
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]], np.float64)
    placed = corners @ cv2.invertAffineTransform(to_canvas).T
    left, top = np.clip(np.floor(placed.min(axis=0)).astype(int) - 1, 0, [shape[1], shape[0]]).tolist()
    right, bottom = np.clip(np.ceil(placed.max(axis=0)).astype(int) + 2, 0, [shape[1], shape[0]]).tolist()
    return None if left >= right or top >= bottom else ((top, bottom), (left, right))


def _noise(part: Image) -> Map:
    """float32 (h, w) of unit deviation, from a place in one table that the picture itself chooses."""
    height, width = part.shape[:2]
    start = int(part[::9, ::7].sum()) % _TABLE
    if height * width > _TABLE:
        return np.resize(_table()[start:], (height, width))
    return _table()[start : start + height * width].reshape(height, width)


@cache
def _table() -> Map:
    return np.random.Generator(np.random.SFC64(0)).standard_normal(2 * _TABLE, dtype=np.float32)
