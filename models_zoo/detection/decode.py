"""From YuNet's raw maps to boxes and landmarks (the arithmetic of OpenCV's FaceDetectorYN), and suppression."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from models_zoo.detection.base import Detections

STRIDES = (8, 16, 32)
Maps = Mapping[str, NDArray[np.float32]]


def decode(maps: Maps, index: int, width: int, *, threshold: float) -> Detections:
    """Candidates of one image of a batch, before suppression.

    Args:
        maps: `cls_s`, `obj_s` (n, cells, 1), `bbox_s` (n, cells, 4), `kps_s` (n, cells, 10) for each stride s.
        index: the image's row in the batch.
        width: pixels of the padded input, a multiple of 32.
        threshold: least score, the geometric mean of class and objectness.
    """
    boxes, landmarks, scores = [], [], []
    for stride in STRIDES:
        certainty = np.clip(maps[f"cls_{stride}"][index, :, 0], 0, 1) * np.clip(
            maps[f"obj_{stride}"][index, :, 0], 0, 1
        )
        cells = np.flatnonzero(certainty >= threshold * threshold)
        corner = np.stack([cells % (width // stride), cells // (width // stride)], axis=1).astype(np.float32)
        raw = maps[f"bbox_{stride}"][index, cells]
        # The exponent is bounded so that a wild cell cannot overflow; no face is wider than e^6 strides.
        sides = np.exp(np.minimum(raw[:, 2:], 6.0)) * stride
        boxes.append(np.concatenate([(corner + raw[:, :2]) * stride - sides / 2, sides], axis=1))
        points = maps[f"kps_{stride}"][index, cells].reshape(-1, 5, 2)
        landmarks.append((points + corner[:, None]) * stride)
        scores.append(np.sqrt(certainty[cells]))
    return Detections(
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(landmarks).astype(np.float32),
        np.concatenate(scores).astype(np.float32),
    )


def joined(a: Detections, b: Detections) -> Detections:
    """The candidates of two looks at one photo, in the photo's pixels."""
    return Detections(
        np.concatenate([a.boxes, b.boxes]),
        np.concatenate([a.landmarks, b.landmarks]),
        np.concatenate([a.scores, b.scores]),
    )


def suppress(found: Detections, *, iou: float, most: int) -> Detections:
    """Keep the best of boxes that overlap by more than `iou`; at most `most` faces, highest score first."""
    if len(found) == 0:
        return found
    kept = cv2.dnn.NMSBoxes(found.boxes.tolist(), found.scores.tolist(), 0.0, iou, top_k=most)
    return found.subset(np.asarray(kept, dtype=np.intp).reshape(-1))
