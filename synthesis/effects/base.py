"""What every effect is: `sample` draws parameters, `apply` uses them and draws nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Image = NDArray[np.uint8]
Landmarks = NDArray[np.float64]
# JSON values only, so that a recipe's parameters can be stored beside the image that it made.
Params = dict[str, Any]
Range = tuple[float, float]
Option = TypeVar("Option")


class Effect(ABC):
    """One change to an image. Subclasses are frozen dataclasses whose fields are the ranges to draw from.

    Images are uint8 RGB (h, w, 3), or any three channels where the effect doesn't name a colour. Landmarks are
    float (5, 2) pixels, in the order of `models_zoo.alignment.TEMPLATE`, or None where they are not known.
    """

    @abstractmethod
    def sample(self, rng: Generator) -> Params:
        """Draw parameters. Uses nothing but `rng` and the effect's own ranges."""

    def apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        """A changed copy of `image`, of its size. The same arguments always give the same pixels.

        Raises:
            InvalidInput: the image or the landmarks have another shape or type.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise InvalidInput(f"An image is uint8 (h, w, 3), not {image.dtype} {image.shape}.", code="bad_image")
        if landmarks is not None and (np.shape(landmarks) != (5, 2) or not np.isfinite(landmarks).all()):
            raise InvalidInput("Landmarks are five finite points (5, 2).", code="bad_landmarks")
        return self._apply(image, landmarks, params)

    @abstractmethod
    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        """`apply` after its checks. Never writes into `image`."""

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        """Where points (n, 2) of the image, pixels, lie after `apply`. Only what changes the geometry moves them.

        Args:
            size: height and width of the image.
        """
        return points

    def __call__(self, image: Image, rng: Generator, landmarks: Landmarks | None = None) -> Image:
        """Draw and apply in one go."""
        return self.apply(image, landmarks, self.sample(rng))


def between(rng: Generator, bounds: Range) -> float:
    """A float drawn evenly from [low, high)."""
    return float(rng.uniform(*bounds))


def pick(rng: Generator, options: Sequence[Option]) -> Option:
    """One of the options, all equally likely: what `rng.choice` draws, without making an array of them first."""
    return options[int(rng.integers(len(options)))]
