"""Whole silhouettes of instances, hidden parts and what lies beyond the frame included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

_NEAR: Final = 0.01


@dataclass(frozen=True, slots=True)
class Silhouette:
    """One instance's silhouette on a canvas of three by three frames.

    Attributes:
        area: its pixels on the canvas.
        box: [x, y, w, h] of these, relative to the frame; may reach beyond it.
        inside: boolean (h, w), the part in the frame; by columns, as run-length codes are.
    """

    area: int
    box: list[int]
    inside: NDArray[np.bool_]


def silhouettes(
    points: NDArray[np.float32],
    corners: NDArray[np.int32],
    owner: NDArray[np.uint16],
    k: NDArray[np.float64],
    shape: tuple[int, ...],
) -> dict[int, Silhouette]:
    """What each owner's triangles cover, by pixels' centres. Owners that cover none are left out.

    Args:
        points: (n, 3) camera coordinates, z forward.
        corners: (m, 3) indices of points; a triangle that reaches behind the camera (z < 1 cm) is left out.
        owner: (m,) whose triangle it is.
        k: intrinsics (3, 3) for pixels whose centres are whole numbers.
        shape: (h, w) of the frame.
    """
    height, width = shape
    front = (points[:, 2] >= _NEAR)[corners].all(axis=1)
    corners, owner = corners[front], owner[front]
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = (points @ k.T)[:, :2] / points[:, 2:]
    order = np.argsort(owner, kind="stable")
    found = {}
    ids, starts = np.unique(owner[order], return_index=True)
    for number, start, end in zip(ids.tolist(), starts, [*starts[1:], len(order)], strict=True):
        flat = pixels[corners[order[start:end]]]
        low = np.clip(np.floor(flat.min(axis=(0, 1))), (-width, -height), (2 * width, 2 * height)).astype(int)
        high = np.clip(np.ceil(flat.max(axis=(0, 1))) + 1, (-width, -height), (2 * width, 2 * height)).astype(int)
        mask = np.zeros((max(0, high[1] - low[1]), max(0, high[0] - low[0])), np.bool_)
        _fill(mask, flat - low)
        if made := _silhouette(mask, int(low[0]), int(low[1]), height, width):
            found[number] = made
    return found


def _silhouette(mask: NDArray[np.bool_], left: int, top: int, height: int, width: int) -> Silhouette | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    box = [
        *(left + int(columns[0]), top + int(rows[0])),
        *(int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1),
    ]
    inside = np.zeros((height, width), np.bool_, order="F")
    y0, y1 = max(0, top), min(height, top + mask.shape[0])
    x0, x1 = max(0, left), min(width, left + mask.shape[1])
    if y0 < y1 and x0 < x1:
        inside[y0:y1, x0:x1] = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    return Silhouette(int(mask.sum()), box, inside)


@numba.njit(cache=True)
def _fill(mask: Any, triangles: Any) -> None:  # pragma: no cover - compiled
    """Set what lies within any of the triangles, float (m, 3, 2) in pixels, rims included."""
    height, width = mask.shape
    for t in range(triangles.shape[0]):
        ax, ay = triangles[t, 0]
        bx, by = triangles[t, 1]
        cx, cy = triangles[t, 2]
        turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if turn == 0:
            continue
        if turn < 0:
            bx, by, cx, cy = cx, cy, bx, by
        first = max(0, int(np.ceil(min(ay, by, cy))))
        last = min(height - 1, int(np.floor(max(ay, by, cy))))
        for y in range(first, last + 1):
            left = max(0.0, np.ceil(min(ax, bx, cx)))
            right = min(width - 1.0, np.floor(max(ax, bx, cx)))
            for edge in range(3):
                if edge == 0:
                    px, py, qx, qy = ax, ay, bx, by
                elif edge == 1:
                    px, py, qx, qy = bx, by, cx, cy
                else:
                    px, py, qx, qy = cx, cy, ax, ay
                # Inside where (qx - px) * (y - py) - (qy - py) * (x - px) >= 0.
                slope, value = qy - py, (qx - px) * (y - py)
                if slope > 0:
                    right = min(right, np.floor(px + value / slope))
                elif slope < 0:
                    left = max(left, np.ceil(px + value / slope))
                elif value < 0:
                    right = -1.0
            for x in range(int(left), int(right) + 1):
                mask[y, x] = True
