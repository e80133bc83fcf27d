"""The face as few pixels as a far or cheap camera would give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between, pick
from synthesis.effects.faces import face_height

_ENLARGE = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True, slots=True)
class LowResolution(Effect):
    """Shrinks the image until the face is so tall, applies `inside` there, and enlarges it back.

    Attributes:
        height_px: the face's height in the small image. Where no landmarks are known, faces are taken to be 100
            pixels tall in the full one. An image is never enlarged first.
        inside: what happens to the small image, as a camera's noise and its file's compression would.
    """

    height_px: Annotated[Range, Within(1, 1024)] = (14.0, 25.0)
    inside: Effect | None = None

    def sample(self, rng: Generator) -> Params:
        return {
            "height_px": between(rng, self.height_px),
            "enlarge": pick(rng, list(_ENLARGE)),
            "inside": self.inside.sample(rng) if self.inside else None,
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        scale = _scale(landmarks, params)
        small: Any = cv2.resize(image, _shrunk(width, height, scale), interpolation=cv2.INTER_AREA)
        if self.inside and params["inside"] is not None:
            small = self.inside.apply(small, None if landmarks is None else landmarks * scale, params["inside"])
        large: Any = cv2.resize(small, (width, height), interpolation=_ENLARGE[params["enlarge"]])
        return large  # type: ignore[no-any-return]

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        if self.inside is None or params["inside"] is None:
            return points
        # Points of another shape than five landmarks don't tell the face's height.
        scale = _scale(points if points.shape == (5, 2) else None, params)
        width, height = _shrunk(size[1], size[0], scale)
        return self.inside.move(points * scale, (height, width), params["inside"]) / scale


def _scale(landmarks: Landmarks | None, params: Params) -> float:
    return min(1.0, float(params["height_px"]) / face_height(landmarks))


def _shrunk(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))
