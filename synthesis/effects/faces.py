"""How big a face is and where its parts lie, from five landmarks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models_zoo.alignment import similarity_transform
from synthesis.effects.base import Landmarks

ASSUMED_FACE_HEIGHT = 100.0
# Side of the aligned crop over the height of YuNet's box; median over 1,600 photos of LFW.
_CROP_PER_FACE_HEIGHT = 1.05


def face_height(landmarks: Landmarks | None) -> float:
    """Height of the face in pixels, about as a detector's box would have it; 100 where no landmarks are known."""
    if landmarks is None:
        return ASSUMED_FACE_HEIGHT
    matrix = to_template(landmarks)
    return float(112.0 / np.hypot(matrix[0, 0], matrix[1, 0]) / _CROP_PER_FACE_HEIGHT)


def to_template(landmarks: Landmarks) -> NDArray[np.float64]:
    """(2, 3), from the pixels of the image that the landmarks (5, 2) belong to onto the 112x112 alignment template."""
    return _matrix(np.ascontiguousarray(landmarks, dtype=np.float64).tobytes()).copy()


@lru_cache(maxsize=64)  # crops all have the template's landmarks
def _matrix(landmarks: bytes) -> NDArray[np.float64]:
    return similarity_transform(np.frombuffer(landmarks).reshape(5, 2))


def from_template(points: ArrayLike, landmarks: Landmarks) -> Landmarks:
    """Points (n, 2) on the 112x112 alignment template to the pixels of the image that the landmarks belong to."""
    back: Any = cv2.invertAffineTransform(to_template(landmarks))
    moved: Landmarks = np.asarray(points, dtype=np.float64) @ back[:, :2].T + back[:, 2]
    return moved
