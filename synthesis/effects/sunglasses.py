"""Dark glasses: two lenses, a bridge and two arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from numpy.random import Generator
from numpy.typing import ArrayLike

from models_zoo.alignment import TEMPLATE
from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.painting import ellipse, paint


@dataclass(frozen=True, slots=True)
class Sunglasses(Effect):
    """Attributes: size, of a lens relative to one that just covers the eye and its brow."""

    size: Annotated[Range, Within(0.3, 3)] = (0.85, 1.25)

    def sample(self, rng: Generator) -> Params:
        shade = int(rng.integers(5, 60))
        return {
            "size": between(rng, self.size),
            "roundness": between(rng, (0.7, 1.0)),
            "colour": [shade, int(shade * between(rng, (0.8, 1.0))), int(shade * between(rng, (0.7, 1.1)))],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        across, down = 15.0 * params["size"], 13.0 * params["size"] * params["roundness"]
        shapes: list[ArrayLike] = [ellipse((float(x), float(y) + 1), (across, down)) for x, y in TEMPLATE[:2]]
        (left, eye_y), (right, _) = TEMPLATE[:2].tolist()
        shapes.append([(left, eye_y - 5), (right, eye_y - 5), (right, eye_y - 2), (left, eye_y - 2)])
        shapes.append([(left - across, eye_y - 3), (6, eye_y - 5), (6, eye_y - 3), (left - across, eye_y)])
        shapes.append([(right + across, eye_y - 3), (106, eye_y - 5), (106, eye_y - 3), (right + across, eye_y)])
        return paint(image, landmarks, shapes, params["colour"])
