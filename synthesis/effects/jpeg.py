"""The blocks and the lost colour of strong JPEG compression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import cv2
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between


@dataclass(frozen=True, slots=True)
class Jpeg(Effect):
    """Attributes: quality, on libjpeg's scale of 1..100."""

    quality: Annotated[Range, Within(1, 100)] = (25.0, 75.0)

    def sample(self, rng: Generator) -> Params:
        return {"quality": round(between(rng, self.quality))}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, params["quality"]])
        decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]
