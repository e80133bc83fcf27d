"""Boxes and landmarks over a photo, as numbers for an SVG whose view box is the photo in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from annotation.models import Face, Photo


@dataclass(frozen=True)
class Box:
    """One face over its photo, in pixels of the upright photo."""

    face: Face
    points: list[tuple[float, float]]
    radius: float


@dataclass(frozen=True)
class Overlay:
    """All faces of a photo whose size is known."""

    width: int
    height: int
    boxes: list[Box]

    @classmethod
    def of(cls, photo: Photo) -> Self | None:
        """None where the photo was never decoded, so that it has no size."""
        if not photo.width or not photo.height:
            return None
        radius = round(max(photo.width, photo.height) / 180, 2)
        boxes = [Box(face, _pairs(face.landmarks), radius) for face in photo.faces.all()]
        return cls(photo.width, photo.height, boxes)


def _pairs(landmarks: list[float]) -> list[tuple[float, float]]:
    return [(round(x, 1), round(y, 1)) for x, y in zip(landmarks[::2], landmarks[1::2], strict=True)]
