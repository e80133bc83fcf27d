"""Turns a face to the standard pose: the similarity transform of five landmarks to the 112x112 ArcFace template."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from foundation.errors import InvalidInput

CROP_SIZE: Final = 112
# Eyes, nose tip, mouth corners, as seen: left before right. From Deng et al., ArcFace, CVPR 2019 (reference code).
TEMPLATE: Final[NDArray[np.float64]] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# Two pixels of a source per pixel of a crop is what bilinear sampling still sees without holes.
_ALIASING_RATIO = 2.0
_LEAST_SPREAD_PX = 0.5


class DegenerateLandmarks(InvalidInput):
    """Landmarks that span no area or are not finite: no transform exists."""

    code = "degenerate_landmarks"


def degenerate(landmarks: ArrayLike) -> NDArray[np.bool_]:
    """Which of the faces cannot be aligned.

    Args:
        landmarks: (k, 5, 2), pixels.

    Returns:
        (k,) bool: not finite, or all five points within half a pixel of their mean (root mean square).
    """
    points = np.asarray(landmarks, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        centred = points - points.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).sum(axis=2).mean(axis=1))
    verdict: NDArray[np.bool_] = ~(np.isfinite(spread) & (spread > _LEAST_SPREAD_PX))
    return verdict


def similarity_transforms(landmarks: ArrayLike, *, size: int = CROP_SIZE) -> NDArray[np.float64]:
    """Least-squares rotation, scale and shift (no reflection) that take landmarks to the template.

    With points as complex numbers the solution is a single division (Umeyama 1991, in two dimensions).

    Args:
        landmarks: (k, 5, 2), pixels of the source, in the template's order.
        size: side of the crop in pixels.

    Returns:
        (k, 2, 3) float64: crop point = matrix @ (x, y, 1).

    Raises:
        DegenerateLandmarks: some face spans no area or is not finite.
    """
    points = _checked(landmarks)
    source = points[..., 0] + 1j * points[..., 1]
    goal = (TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]) * (size / CROP_SIZE)
    source_mean, goal_mean = source.mean(axis=1, keepdims=True), goal.mean()
    centred = source - source_mean
    turn = (centred.conj() * (goal - goal_mean)).sum(axis=1) / (np.abs(centred) ** 2).sum(axis=1)
    shift = goal_mean - turn * source_mean[:, 0]
    if len(turn) and not np.abs(turn).min() > 0:
        raise DegenerateLandmarks("The landmarks have no similarity transform to the template.")
    rows = [np.stack([turn.real, -turn.imag, shift.real], axis=1), np.stack([turn.imag, turn.real, shift.imag], axis=1)]
    return np.stack(rows, axis=1)


def similarity_transform(landmarks: ArrayLike, *, size: int = CROP_SIZE) -> NDArray[np.float64]:
    """`similarity_transforms` for one face: (5, 2) -> (2, 3)."""
    matrix: NDArray[np.float64] = similarity_transforms(np.asarray(landmarks, dtype=np.float64)[None], size=size)[0]
    return matrix


def align(image: NDArray[np.uint8], landmarks: ArrayLike, size: int = CROP_SIZE) -> NDArray[np.uint8]:
    """Cut one face out of a photo in the standard pose.

    Args:
        image: (h, w, 3) uint8; the channel order is kept.
        landmarks: (5, 2), pixels of `image`.

    Returns:
        (size, size, 3) uint8; black where the photo ends.

    Raises:
        DegenerateLandmarks: see `similarity_transforms`.
        InvalidInput: the image has another shape or type.
    """
    crop: NDArray[np.uint8] = align_all(image, np.asarray(landmarks, dtype=np.float64)[None], size)[0]
    return crop


def align_all(image: NDArray[np.uint8], landmarks: ArrayLike, size: int = CROP_SIZE) -> NDArray[np.uint8]:
    """Cut all faces out of one photo: landmarks (k, 5, 2) -> crops (k, size, size, 3) uint8. Errors as in `align`."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InvalidInput(f"An image is uint8 (h, w, 3), not {image.dtype} {image.shape}.", code="bad_image")
    crops = np.empty((len(np.asarray(landmarks)), size, size, 3), dtype=np.uint8)
    for row, matrix in enumerate(similarity_transforms(landmarks, size=size)):
        crops[row] = _warp(image, matrix, size)
    return crops


def _checked(landmarks: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(landmarks, dtype=np.float64)
    if points.ndim != 3 or points.shape[1:] != (5, 2):
        raise DegenerateLandmarks(f"Landmarks have the shape (faces, 5, 2), not {points.shape}.")
    bad = np.flatnonzero(degenerate(points)) if len(points) else np.empty(0, dtype=np.intp)
    if len(bad):
        raise DegenerateLandmarks(f"The landmarks of face {int(bad[0])} span no area or are not finite.")
    return points


def _warp(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Sample the crop; a much larger face is averaged down first, since bilinear sampling alone would alias."""
    ratio = 1.0 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if ratio >= _ALIASING_RATIO:
        image, matrix = _shrunk(image, matrix, size, ratio)
    crop: Any = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(crop, dtype=np.uint8)


def _shrunk(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, ratio: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the photo that the crop covers, area-averaged by `ratio`, and the matrix that fits it."""
    height, width = image.shape[:2]
    corners = np.array([[-1, -1], [size, -1], [-1, size], [size, size]], dtype=np.float64)
    covered = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    low = np.clip(np.floor(covered.min(axis=0)).astype(int) - 1, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(covered.max(axis=0)).astype(int) + 2, low + 1, [width, height])
    part = image[low[1] : high[1], low[0] : high[0]]
    small_size = np.maximum(1, np.round((high - low) / ratio)).astype(int)
    small: Any = cv2.resize(part, (int(small_size[0]), int(small_size[1])), interpolation=cv2.INTER_AREA)
    # Pixel centres: source = low + (small + 0.5) * step - 0.5
    step = (high - low) / small_size
    linear = matrix[:, :2] * step
    shift = matrix[:, :2] @ (low + 0.5 * step - 0.5) + matrix[:, 2]
    return small, np.column_stack([linear, shift])
