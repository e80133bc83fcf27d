"""A phone's camera: where it stands, what it sees. As in Blender, it looks along its own -z, and y is up."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FULL_FRAME_DIAGONAL: Final = 43.27  # mm; "26 mm" on a phone means the view of a 26 mm lens on this


def horizontal_angle(equivalent_mm: float, width: int, height: int) -> float:
    """Horizontal angle of view in radians of a picture of this shape."""
    half = FULL_FRAME_DIAGONAL / 2 * width / math.hypot(width, height)
    return 2 * math.atan(half / equivalent_mm)


def look_at(location: Any, target: Any, roll: float) -> NDArray[np.float64]:
    """The camera's 4 x 4 matrix (camera to world) with z up in the world; `roll` in degrees, clockwise."""
    place, aim = np.asarray(location, np.float64), np.asarray(target, np.float64)
    back = place - aim
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    matrix = np.eye(4)
    matrix[:3, :4] = np.stack([cos * right - sin * up, sin * right + cos * up, back, place], axis=1)
    return matrix


def project(
    matrix: NDArray[np.float64], angle: float, aspect: float, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 3) pictures' coordinates of (n, 3) world points: x and y from -1 to 1 within the picture (y upwards), and the
    distance along the view, not positive behind the camera. `aspect` is width / height."""
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    depth = -local[:, 2]
    scale = 1 / (math.tan(angle / 2) * np.where(np.abs(depth) < 1e-9, 1e-9, depth))
    return np.stack([local[:, 0] * scale, local[:, 1] * scale * aspect, depth], axis=1)
