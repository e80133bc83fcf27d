"""What a photo of a face tells of its light and of its lens, so that what is drawn on it can look the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import CROP_SIZE
from synthesis.effects.base import Image, Landmarks
from synthesis.effects.canvas import Canvas
from synthesis.effects.faces import from_template, to_template
from synthesis.effects.head_turn import turn_of
from synthesis.effects.shading import Map

LUMA: Final = np.array([0.299, 0.587, 0.114])
# Pixels of the template in a cell of the light's fall.
CELL: Final = 16
# Larger faces show the same canvas, magnified.
_DENSEST: Final = 4
# Pixels of the template around the photo: what lies outside throws shadows and is blurred into it, too.
_MORE: Final = 6
# Pixels of the template by which a turned head may show more of a cheek.
_WIDER: Final = 14
# Places on the template that are skin on nearly every face: cheeks and the bridge of the nose.
_SKIN: Final = [(36.0, 72.0), (76.0, 72.0), (56.0, 58.0), (40.0, 78.0), (72.0, 78.0)]
# Skin's red, green and blue over its luma in neutral light, about the middle of people's.
_SKIN_HUE: Final = np.array([1.26, 0.94, 0.78])
# Grey level of the brightest tenth of a face and its surroundings in usual light.
_USUAL_BRIGHT: Final = 205.0
# Finest detail over the next coarser one, and the deviation in pixels of the blur that it means; from crops of LFW
# blurred by known amounts.
_DETAIL: Final = ([0.26, 0.285, 0.31, 0.35, 0.41, 0.46], [2.5, 1.6, 1.25, 0.95, 0.7, 0.45])


@dataclass(frozen=True, slots=True)
class Look:
    """What a photo tells of its light and its lens.

    Attributes:
        to_template: (2, 3), from the photo's pixels to the template.
        turn: how far the head is turned about the upright axis, as `head_turn.turn_of` tells it.
        seen: left, top, right and bottom of what the photo shows of the template's plane.
        skin: median colour (3,) of the face's skin.
        white: colour (3,) over 255 of something white that lies in the face's light.
        light: float32 (7, 7), the light's fall over the template, about 1.
        blur: deviation in pixels of the photo's softness.
        grain: deviation in grey levels of its noise.
    """

    to_template: NDArray[np.float64]
    turn: float
    seen: tuple[int, int, int, int]
    skin: NDArray[np.float64]
    white: NDArray[np.float64]
    light: Map
    blur: float
    grain: float

    @property
    def scale(self) -> float:
        """Pixels of the photo for one of the template, each way."""
        return 1.0 / float(np.hypot(self.to_template[0, 0], self.to_template[1, 0]))

    def to_image(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (n, 2) on the template to the photo's pixels."""
        back: Any = cv2.invertAffineTransform(self.to_template)
        moved: NDArray[np.float64] = np.asarray(points, np.float64) @ back[:, :2].T + back[:, 2]
        return moved

    def canvas(self, left: int, top: int, right: int, bottom: int) -> Canvas:
        """A canvas for this part of the template's plane, as far as the photo shows it."""
        low_x, low_y, high_x, high_y = self.seen
        if self.turn:  # the near cheek is wider than from before
            left, right = left - _WIDER, right + _WIDER
        left, top = min(max(left, low_x), high_x), min(max(top, low_y), high_y)
        return Canvas(left, top, max(min(right, high_x), left + 1), max(min(bottom, high_y), top + 1), self.density)

    @property
    def density(self) -> int:
        """Pixels of a canvas for one of the template, so that it is as sharp as the photo; within limits."""
        return int(np.clip(round(self.scale), 1, _DENSEST))


def look_of(image: Image, landmarks: Landmarks | None) -> Look:
    """Read off the face.

    Raises:
        InvalidInput: the landmarks are not known.
    """
    if landmarks is None:
        raise InvalidInput("An occluder needs the face's landmarks.", code="landmarks_needed")
    matrix = to_template(landmarks)
    skin = _skin(image, landmarks)
    grey: Any = cv2.cvtColor(_face(image, matrix), cv2.COLOR_RGB2GRAY)
    cells = cv2.resize(grey, (14, 14), interpolation=cv2.INTER_AREA)
    level = min(max(float(np.partition(cells, -20, axis=None)[-20]) / _USUAL_BRIGHT, 0.12), 1.1)
    # Half of the skin's hue is the person's own, for all that one photo tells.
    cast = np.sqrt(np.clip(skin / max(float(LUMA @ skin), 1.0) / _SKIN_HUE, 0.5, 2.0))
    halves: Any = cv2.resize(cells, (7, 7), interpolation=cv2.INTER_AREA).astype(np.float32)
    light = cv2.GaussianBlur(halves, (3, 3), 0.9) / max(float(halves[1:6, 1:6].mean()), 1.0)
    blur, grain = _sharpness(grey)
    return Look(
        to_template=matrix,
        turn=turn_of(landmarks),
        seen=_seen(image, matrix),
        skin=skin,
        white=cast * level,
        light=np.clip(light, 0.55, 1.3),
        blur=blur / float(np.hypot(matrix[0, 0], matrix[1, 0])),
        grain=grain,
    )


def _sharpness(grey: Any) -> tuple[float, float]:
    """The blur, deviation in pixels, and the noise, deviation in grey levels, of a face on the template."""
    soft = cv2.blur(grey, (3, 3))
    fine = cv2.absdiff(grey, soft)
    coarse = cv2.mean(cv2.absdiff(soft, cv2.blur(soft, (7, 7))))[0]
    blur = np.interp(cv2.mean(fine)[0] / max(coarse, 0.3), *_DETAIL)
    # Where there is least detail, what is left is noise.
    quiet = np.partition(cv2.resize(fine, (14, 14), interpolation=cv2.INTER_AREA), 60, axis=None)[60]
    return float(blur), min(max(0.8 * float(quiet), 0.3), 6.0)


def _seen(image: Image, matrix: Any) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the photo on the template, and a little more."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    corners = corners.round(2)  # a crop's own landmarks are the template's but for rounding
    left, top = (np.floor(corners.min(axis=0)).astype(int) - _MORE).tolist()
    right, bottom = (np.ceil(corners.max(axis=0)).astype(int) + _MORE).tolist()
    return left, top, right, bottom


def _face(image: Image, matrix: Any) -> Image:
    """The face on the template: uint8 (112, 112, 3)."""
    if image.shape[:2] == (CROP_SIZE, CROP_SIZE) and float(np.abs(matrix - np.eye(2, 3)).max()) < 1e-3:
        return image
    face: Any = cv2.warpAffine(image, matrix, (CROP_SIZE, CROP_SIZE), borderMode=cv2.BORDER_REPLICATE)
    return face  # type: ignore[no-any-return]


def _skin(image: Image, landmarks: Landmarks) -> Any:
    """Median colour (3,) of the face's skin; of the whole picture where the face lies outside."""
    points = np.rint(from_template(_SKIN, landmarks)).astype(int)
    height, width = image.shape[:2]
    seen = points[(points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)]
    sampled = [image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3) for x, y in seen.tolist()]
    colours = np.concatenate(sampled) if sampled else image.reshape(-1, 3)
    middle: Any = np.sort(colours, axis=0)[len(colours) // 2].astype(np.float64)
    return middle
