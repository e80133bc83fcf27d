"""A head or a camera held at an angle: the picture turns in its plane, and the landmarks with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Roll(Effect):
    """Attributes: degrees about the image's centre, positive is counter-clockwise. The rim's pixels go on outside."""

    degrees: Annotated[Range, Within(-180, 180)] = (-30.0, 30.0)

    def sample(self, rng: Generator) -> Params:
        return {"degrees": between(rng, self.degrees)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        height, width = image.shape[:2]
        turned: Any = cv2.warpAffine(
            image, _matrix((height, width), params), (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        return turned  # type: ignore[no-any-return]

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        matrix = _matrix(size, params)
        moved: Landmarks = points @ matrix[:, :2].T + matrix[:, 2]
        return moved


def _matrix(size: tuple[int, int], params: Params) -> Any:
    height, width = size
    return cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), params["degrees"], 1.0)
