"""Hard light from one side: cheeks and eye sockets go dark, and the nose throws its shadow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE
from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.face_relief import head, height, normals
from synthesis.effects.faces import to_template
from synthesis.effects.head_turn import turn_of, turned
from synthesis.effects.shading import Map, lit, onto_face

# The share of light from everywhere, and the direction of the rest, that photos are taken in, more or less.
_USUAL_AMBIENT: Final = 0.45
_USUAL: Final = np.array([0.0, -0.3, 0.954])
_MOST_UNDONE: Final = 1.25
# Shadows are sought on every second pixel, at these distances in pixels of the template.
_COARSER: Final = 2
# How far round the corner light reaches, as a cosine, and how much more of red, green and blue a lamp has than shadows.
_SOFT: Final = np.float32(0.12)
_LAMP: Final = (0.15, 0.0, -0.17)
_STEPS: Final = (2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0, 25.0)


@dataclass(frozen=True, slots=True)
class DirectionalLight(Effect):
    """Lambert shading, with cast shadows, of a relief of a head that is laid onto the landmarks, over usual shading.

    Attributes:
        slant: degrees between the light and the line of sight; 0 is a flash, 80 from the very side.
        ambient: the share of light that comes from everywhere.
    """

    slant: Annotated[Range, Within(0, 89)] = (30.0, 75.0)
    ambient: Shares = (0.08, 0.4)

    def sample(self, rng: Generator) -> Params:
        # From above more often than from below, as lamps and the sun are.
        return {
            "slant_deg": between(rng, self.slant),
            "from_deg": between(rng, (-200.0, 20.0)),
            "ambient": between(rng, self.ambient),
            "warmth": between(rng, (-0.2, 1.0)),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        slant, side = np.deg2rad(params["slant_deg"]), np.deg2rad(params["from_deg"])
        light = np.array([np.sin(slant) * np.cos(side), np.sin(slant) * np.sin(side), np.cos(slant)])
        ambient = params["ambient"]
        turn = 0.0 if landmarks is None else turn_of(landmarks)
        shade = (np.float32(ambient) + np.float32(1 - ambient) * _direct(_from_head(light, turn))) * _usual()
        # The lit part of the face stays as bright as it was; what is beside the head gets the face's light on average.
        face = cv2.resize(shade[28:100, 24:88], (16, 18), interpolation=cv2.INTER_AREA)
        level, around = float(np.partition(face, -72, axis=None)[-72]), float(face.mean())
        shade = (around + (shade - around) * head()) * np.float32(1 / level)
        size = (image.shape[0], image.shape[1])
        laid = onto_face(turned(np.minimum(shade, np.float32(1.5)), turn), landmarks, size)
        laid = laid * (1 + np.float32(1 - ambient) * _texture(image, light, landmarks))
        # Lamps are warmer than the sky or the walls that light the shadows.
        warm = (np.clip(laid, 0, 1) - np.float32(0.7)) * np.float32(params["warmth"])
        return lit(image, laid, [1 + np.float32(tint) * warm for tint in _LAMP])


def _from_head(light: Any, turn: float) -> Any:
    """The direction as a head sees it that is turned by the angle of this sine."""
    cos = float(np.sqrt(1 - turn * turn))
    return np.array([light[0] * cos - light[2] * turn, light[1], light[0] * turn + light[2] * cos])


def _direct(light: Any) -> Map:
    """float32 (112, 112), the direct light that each point of the relief gets, 0..1."""
    facing: Any = cv2.transform(normals(), light[None].astype(np.float32))
    # Skin lets light through, so that it ends softly.
    facing = np.clip((facing + _SOFT) * np.float32(1 / (1 + _SOFT)), 0, 1)
    reach = float(np.hypot(light[0], light[1]))
    if reach < 0.05:
        return facing  # type: ignore[no-any-return]
    small = _coarse_height()
    blocked: Any = np.zeros_like(small)
    for far in _STEPS:
        shift = np.array([[1, 0, -far * light[0] / reach / _COARSER], [0, 1, -far * light[1] / reach / _COARSER]])
        towards = cv2.warpAffine(small, shift, small.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        # The further away what throws the shadow, the softer its rim.
        above = towards - small - np.float32(far * light[2] / reach)
        blocked = cv2.max(blocked, above * np.float32(1 / (1 + 0.1 * far)))
    seen = cv2.resize(cv2.blur(1 - np.minimum(blocked * np.float32(0.42), 1), (3, 3)), facing.shape[::-1])
    return facing * seen  # type: ignore[no-any-return]


def _texture(image: Image, light: Any, landmarks: Landmarks | None) -> Map:
    """float32 (h, w), about 0: how skin and hair stand out in slanting light, as if what is pale stood higher."""
    grey: Any = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (3, 3), 0.8)
    turned = to_template(landmarks)[:, :2].T @ light[:2] if landmarks is not None else light[:2]
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    slope = across * np.float32(-0.02 * turned[0]) - down * np.float32(0.02 * turned[1])
    found: Map = np.clip(slope, -0.22, 0.22)
    return found


@cache
def _coarse_height() -> Map:
    side = CROP_SIZE // _COARSER
    small: Any = cv2.resize(height(), (side, side), interpolation=cv2.INTER_AREA)
    return small  # type: ignore[no-any-return]


@cache
def _usual() -> Map:
    """float32 (112, 112): what undoes the shading that photos have anyway, by which light must be multiplied."""
    shading = _USUAL_AMBIENT + (1 - _USUAL_AMBIENT) * _direct(_USUAL)
    # Heads are turned: on one side the rim of this one may be a wall, which had no such shading.
    undone: Map = np.minimum(1 / shading, _MOST_UNDONE).astype(np.float32)
    return undone
