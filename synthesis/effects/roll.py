"""A head or a camera held at an angle: the picture turns in its plane, and the landmarks with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.borders import moved


@dataclass(frozen=True, slots=True)
class Roll(Effect):
    """Attributes: degrees about the image's centre, positive is counter-clockwise. What comes in is `borders`'."""

    degrees: Annotated[Range, Within(-180, 180)] = (-30.0, 30.0)

    def sample(self, rng: Generator) -> Params:
        return {"degrees": between(rng, self.degrees)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        return moved(image, _matrix((image.shape[0], image.shape[1]), params))

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        matrix = _matrix(size, params)
        turned: Landmarks = points @ matrix[:, :2].T + matrix[:, 2]
        return turned


def _matrix(size: tuple[int, int], params: Params) -> Any:
    height, width = size
    return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), params["degrees"], 1.0)
