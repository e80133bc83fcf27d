"""Drawing on the alignment template's plane, with edges as soft as a lens draws them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthesis.effects.shading import Map

_BITS: Final = 4


@dataclass(frozen=True, slots=True)
class Canvas:
    """A part of the template's plane; what is drawn on it is averaged down from twice as many pixels each way.

    Attributes:
        left, top, right, bottom: whole pixels of the template, the latter two not included.
        density: pixels for one of the template, each way.
    """

    left: int
    top: int
    right: int
    bottom: int
    density: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.bottom - self.top) * self.density, (self.right - self.left) * self.density

    def polygon(self, *outlines: ArrayLike) -> Any:
        """uint8 (rows, columns), 255 inside the closed outlines, each (n, 2) on the template."""
        drawn = self._blank()
        for outline in outlines:
            cv2.fillPoly(drawn, [self._fixed(outline)], 255, cv2.LINE_AA, _BITS)
        return self._reduced(drawn)

    def lines(self, *strokes: tuple[ArrayLike, float], closed: bool = False) -> Any:
        """uint8 (rows, columns), 255 on the lines: points (n, 2) and a width each, on the template."""
        drawn = self._blank()
        for points, width in strokes:
            thick = max(1, round(width * 2 * self.density))
            cv2.polylines(drawn, [self._fixed(points)], closed, 255, thick, cv2.LINE_AA, _BITS)
        return self._reduced(drawn)

    def grid(self) -> tuple[Map, Map]:
        """Template coordinates of the pixels' centres, x float32 (1, columns) and y float32 (rows, 1)."""
        return _grid(self)

    def placed(self, to_template: Any) -> Any:
        """(2, 3), from wherever `to_template` starts to pixels of the canvas."""
        to_canvas = to_template * self.density
        to_canvas[:, 2] += (0.5 - np.array([self.left, self.top])) * self.density - 0.5
        return to_canvas

    def to_template(self) -> Any:
        """(3, 3), from pixels of the canvas to the template."""
        shift = 0.5 / self.density - 0.5
        step = 1.0 / self.density
        return np.array([[step, 0.0, self.left + shift], [0.0, step, self.top + shift], [0.0, 0.0, 1.0]])

    def _blank(self) -> Any:
        rows, columns = self.shape
        return np.zeros((2 * rows, 2 * columns), np.uint8)

    def _reduced(self, drawn: Any) -> Any:
        return cv2.resize(drawn, self.shape[::-1], interpolation=cv2.INTER_AREA)

    def _fixed(self, points: ArrayLike) -> Any:
        pixels = (np.asarray(points, np.float64) - [self.left - 0.5, self.top - 0.5]) * (2 * self.density) - 0.5
        return np.rint(pixels * 2**_BITS).astype(np.int32)


@lru_cache(maxsize=64)
def _grid(canvas: Canvas) -> tuple[Map, Map]:
    rows, columns = canvas.shape
    x = (np.arange(columns) + 0.5) / canvas.density + canvas.left - 0.5
    y = (np.arange(rows) + 0.5) / canvas.density + canvas.top - 0.5
    return x.astype(np.float32)[None], y.astype(np.float32)[:, None]


def curve(points: NDArray[np.float64], *, closed: bool = False) -> NDArray[np.float64]:
    """A smooth line (m, 2) along the corners (n, 2): each cut twice, after Chaikin (1974). Open ends stay."""
    for _ in range(2):
        ahead = np.roll(points, -1, axis=0) if closed else points[1:]
        here = points if closed else points[:-1]
        cut = np.stack([0.75 * here + 0.25 * ahead, 0.25 * here + 0.75 * ahead], axis=1).reshape(-1, 2)
        points = cut if closed else np.concatenate([points[:1], cut, points[-1:]])
    return points


def contact(canvas: Canvas, opacity: Any, shift: tuple[float, float], reach: float, strength: float) -> Map:
    """The light, float32 0..1, that what lies below still gets.

    Args:
        opacity: uint8 (rows, columns) of what lies above.
        shift: by which its shadow lies aside and below, pixels of the template.
        reach: of the shadow's rim, likewise.
        strength: the share of light that is lost in the middle.
    """
    side = 2 * round(reach * canvas.density / 2) + 1
    by = np.array([[1.0, 0.0, shift[0] * canvas.density], [0.0, 1.0, shift[1] * canvas.density]])
    moved = cv2.warpAffine(opacity, by, opacity.shape[::-1], flags=cv2.INTER_NEAREST)
    soft: Any = cv2.blur(cv2.blur(moved, (side, side)), (side, side))
    left: Map = np.float32(1.0) - np.float32(strength / 255) * soft
    return left
