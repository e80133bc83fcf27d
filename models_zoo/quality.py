"""How good a picture of a face is: cheap measures of the aligned crop and the landmarks, and one combined score.

The combined score is the product of what each measure says about how well a face will be recognised, so one bad measure
is enough to make a face poor (after ISO/IEC 29794-5, which names the same measures). Its use is shown by
`benchmarks/quality.py`: rejecting the faces that it calls poor lowers the error of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import CROP_SIZE, TEMPLATE, similarity_transforms

Floats = NDArray[np.float32]

# Inner part of the crop that is face in any hair style, as a slice of rows and of columns.
_FACE = (slice(24, 104), slice(20, 92))
# Distance of the eyes in the template, pixels of the crop.
_EYES = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))
# Where each measure starts to cost, and where it is as bad as it gets: (bad, good), see `_ramp`.
_SIZE_PX = (8.0, 40.0)
_SHARPNESS = (0.5, 6.0)
_CONTRAST = (10.0, 35.0)
_DARK, _BRIGHT = (20.0, 70.0), (240.0, 200.0)
_TURN = (70.0, 25.0)
_SCORE = (0.3, 0.85)
# A measure at its worst leaves this much: measures are estimates, none is certain.
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of n faces, each float32 (n,).

    Attributes:
        size_px: distance between the eyes in pixels of the photo, straightened by the aligning transform.
        sharpness: standard deviation of the Laplacian over contrast, as far as pixels of the photo carry it; >= 0.
        brightness: mean grey level of the face, 0..255.
        contrast: standard deviation of the grey levels of the face, 0..127.5.
        yaw, pitch: degrees, -90..90, estimated from five landmarks; positive is to the picture's right and up.
        roll: degrees, -180..180, by which the face is turned in the picture; positive is clockwise.
        quality: all of them combined, 0..1, higher is better.
    """

    size_px: Floats
    sharpness: Floats
    brightness: Floats
    contrast: Floats
    yaw: Floats
    pitch: Floats
    roll: Floats
    quality: Floats

    def rows(self) -> list[dict[str, float]]:
        """The measures face by face."""
        columns = [getattr(self, name).tolist() for name in self.__slots__]
        return [dict(zip(self.__slots__, row, strict=True)) for row in zip(*columns, strict=True)]


def measure(crops: NDArray[np.uint8], landmarks: NDArray[np.float32], scores: Floats) -> Quality:
    """Measure aligned faces.

    Args:
        crops: uint8 RGB (n, 112, 112, 3).
        landmarks: float (n, 5, 2), pixels of the photo.
        scores: float (n,), detector scores, 0..1.

    Raises:
        InvalidInput: the three do not fit together.
        DegenerateLandmarks: some face spans no area.
    """
    n = len(crops)
    if crops.shape != (n, CROP_SIZE, CROP_SIZE, 3) or landmarks.shape != (n, 5, 2) or scores.shape != (n,):
        raise InvalidInput("Crops, landmarks and scores of faces do not fit together.", code="bad_faces")
    if n == 0:
        return Quality(*[np.empty(0, np.float32)] * 8)
    matrices = similarity_transforms(landmarks)
    scale = np.hypot(matrices[:, 0, 0], matrices[:, 1, 0])
    size_px = _EYES / scale
    roll = np.degrees(np.arctan2(-matrices[:, 1, 0], matrices[:, 0, 0]))
    yaw, pitch = _turns(landmarks, matrices)
    brightness, contrast, sharpness = _light(crops)
    measures = [size_px, sharpness, brightness, contrast, yaw, pitch, roll]
    combined = _combined(size_px, sharpness, brightness, contrast, yaw, pitch, scores)
    return Quality(*[np.asarray(one, dtype=np.float32) for one in [*measures, combined]])


def _turns(landmarks: NDArray[np.float32], matrices: NDArray[np.float64]) -> tuple[Any, Any]:
    """Yaw and pitch in degrees from where the nose tip lies between the eyes and the mouth, on a straightened face.

    The nose tip stands about half an eye distance in front of the plane of eyes and mouth, so a turn by an angle
    moves it by the sine of that angle times as much.
    """
    points = np.einsum("nij,nkj->nki", matrices[:, :, :2], landmarks) + matrices[:, None, :, 2]
    eyes, mouth, nose = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1), points[:, 2]
    height = np.maximum(np.abs(mouth[:, 1] - eyes[:, 1]), 1e-3)
    centre = (eyes + mouth) / 2
    # On a frontal face the nose tip lies this far below the middle of eyes and mouth, by the template.
    rest = (TEMPLATE[2, 1] - (TEMPLATE[:2, 1].mean() + TEMPLATE[3:, 1].mean()) / 2) / (
        TEMPLATE[3:, 1].mean() - TEMPLATE[:2, 1].mean()
    )
    reach = 0.5 * _EYES
    yaw = np.degrees(np.arcsin(np.clip((nose[:, 0] - centre[:, 0]) / reach, -1, 1)))
    fall = (nose[:, 1] - centre[:, 1]) / height - rest
    pitch = -np.degrees(np.arcsin(np.clip(fall * height / reach, -1, 1)))
    return yaw, pitch


def _light(crops: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
    brightness, contrast, sharpness = (np.empty(len(crops), np.float32) for _ in range(3))
    for row, crop in enumerate(crops):
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        face = grey[_FACE]
        brightness[row], contrast[row] = face.mean(), face.std()
        # Sensor noise is finer than anything that tells people apart: smooth it away before looking for edges.
        edges = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F)[_FACE]
        sharpness[row] = 30.0 * edges.std() / max(float(contrast[row]), 5.0)
    return brightness, contrast, sharpness


def _combined(size_px: Any, sharpness: Any, brightness: Any, contrast: Any, yaw: Any, pitch: Any, scores: Any) -> Any:
    parts = [
        _ramp(size_px, *_SIZE_PX),
        _ramp(sharpness, *_SHARPNESS),
        _ramp(contrast, *_CONTRAST),
        _ramp(brightness, *_DARK),
        _ramp(brightness, *_BRIGHT),
        _ramp(np.hypot(yaw, pitch), *_TURN),
        _ramp(scores, *_SCORE),
    ]
    return np.prod(parts, axis=0) ** (1 / 2)


def _ramp(values: Any, bad: float, good: float) -> Any:
    """From `_LEAST` at `bad` and beyond to 1 at `good` and beyond; `bad` may be the larger one."""
    return _LEAST + (1 - _LEAST) * np.clip((values - bad) / (good - bad), 0, 1)
