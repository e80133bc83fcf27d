"""What a face detector is, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Detections:
    """The faces of one photo, highest score first.

    Attributes:
        boxes: float32 (k, 4): x, y, width, height in pixels of the photo; may reach beyond its edges.
        landmarks: float32 (k, 5, 2): eyes, nose tip, mouth corners, left before right as seen, in pixels.
        scores: float32 (k,), 0..1.
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if (self.boxes.shape, self.landmarks.shape, self.scores.shape) != ((count, 4), (count, 5, 2), (count,)):
            raise InvalidInput("Boxes, landmarks and scores of detections do not fit together.", code="bad_detections")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> Detections:
        """No face."""
        empty = np.empty((0, 4), dtype=np.float32)
        return cls(empty, np.empty((0, 5, 2), dtype=np.float32), np.empty(0, dtype=np.float32))

    def subset(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """The faces in `rows`, in that order."""
        return Detections(self.boxes[rows], self.landmarks[rows], self.scores[rows])

    def scaled(self, x: float, y: float) -> Detections:
        """The same faces in a photo that is `x` times as wide and `y` times as high."""
        factors = np.array([x, y], dtype=np.float32)
        return Detections(self.boxes * np.tile(factors, 2), self.landmarks * factors, self.scores)


class Detector(Protocol):
    """Finds faces in photos."""

    @property
    def name(self) -> str:
        """Architecture and settings, for provenance."""
        ...

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[Detections]:
        """One `Detections` per image, in order; images are uint8 RGB (h, w, 3) of any sizes.

        Raises:
            InvalidInput: an image has another type or shape.
        """
        ...
