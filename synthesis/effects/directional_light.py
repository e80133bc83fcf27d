"""Hard light from one side: cheeks and eye sockets go dark, and the nose throws its shadow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator

from models_zoo.alignment import CROP_SIZE, TEMPLATE
from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.shading import Map, lit, onto_face

# A head on the template: an ellipsoid about the middle of the face, radii across, down and deep.
_CENTRE, _RADII = (56.0, 66.0), (47.0, 62.0, 50.0)
_NOSE_HEIGHT, _SOCKET_DEPTH = 13.0, 4.0
_SHADOW_STEPS = 10


@dataclass(frozen=True, slots=True)
class DirectionalLight(Effect):
    """Lambert shading of a coarse relief of a head that is laid onto the landmarks, with cast shadows.

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
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        slant, side = np.deg2rad(params["slant_deg"]), np.deg2rad(params["from_deg"])
        light = np.array([np.sin(slant) * np.cos(side), np.sin(slant) * np.sin(side), np.cos(slant)])
        shade = params["ambient"] + (1 - params["ambient"]) * _direct(light)
        # The photo's own light came from the front, more or less; the middle of the face stays as bright as it was.
        face = shade[30:100, 25:87]
        level, around = float(np.quantile(face, 0.7)), float(face.mean())
        shade = around + (shade - around) * _head()
        return lit(image, onto_face(np.minimum(shade / level, 1.4), landmarks, (image.shape[0], image.shape[1])))


@cache
def _head() -> Map:
    """float32 (112, 112), 1 on the face, falling to 0 where the head ends and other things begin."""
    y, x = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    out = np.hypot((x - _CENTRE[0]) / _RADII[0], (y - _CENTRE[1]) / _RADII[1])
    ramp = np.clip((0.98 - out) / 0.28, 0.0, 1.0)
    smooth: Map = ramp * ramp * (3 - 2 * ramp)
    return smooth


def _direct(light: Any) -> Map:
    """float32 (112, 112), the direct light that each point of the relief gets, 0..1."""
    height, normals = _relief()
    facing = np.clip(normals @ light.astype(np.float32), 0.0, 1.0)
    reach = np.hypot(light[0], light[1])
    if reach < 1e-3:
        lit_everywhere: Map = facing
        return lit_everywhere
    blocked = np.zeros_like(height)
    for step in range(1, _SHADOW_STEPS + 1):
        far = 2.5 * step
        shift = np.array([[1, 0, -far * light[0] / reach], [0, 1, -far * light[1] / reach]], np.float32)
        towards = cv2.warpAffine(height, shift, height.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        blocked = np.maximum(blocked, towards - height - far * light[2] / reach)
    seen = 1.0 - np.clip(blocked / 2.0, 0.0, 1.0)
    soft: Any = cv2.GaussianBlur(facing * seen, (0, 0), 1.5)
    return soft  # type: ignore[no-any-return]


@cache
def _relief() -> tuple[Map, Any]:
    """Height towards the camera, float32 (112, 112), and unit normals (112, 112, 3), of a face on the template."""
    y, x = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    inside = 1 - ((x - _CENTRE[0]) / _RADII[0]) ** 2 - ((y - _CENTRE[1]) / _RADII[1]) ** 2
    height = _RADII[2] * np.sqrt(np.clip(inside, 0.04, None))
    (left, right, tip, *_), eyes = TEMPLATE, float(TEMPLATE[:2, 1].mean())
    along = np.clip((y - eyes) / (float(tip[1]) - eyes), 0.0, 1.0)
    below = np.exp(-(np.clip(y - float(tip[1]), 0.0, None) ** 2) / 12.0)
    height += _NOSE_HEIGHT * along * below * np.exp(-((x - float(tip[0])) ** 2) / (2 * (3.0 + 3.0 * along) ** 2))
    for eye in (left, right):
        height -= _SOCKET_DEPTH * np.exp(-((x - eye[0]) ** 2) / 120.0 - (y - eye[1]) ** 2 / 40.0)
    height = cv2.GaussianBlur(height, (0, 0), 1.5)
    down, across = np.gradient(height)
    normals = np.dstack([-across, -down, np.ones_like(height)])
    return height, (normals / np.linalg.norm(normals, axis=2, keepdims=True)).astype(np.float32)
