"""The picture seen at a slant, as a poster or a face from a little aside or above; the landmarks move along.

A plane's perspective: it foreshortens, but can't show what a turned head would show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.borders import moved

# Distance of the eye, in sides of the image: near enough that the slant shows.
_DISTANCE = 2.0


@dataclass(frozen=True, slots=True)
class Viewpoint(Effect):
    """Attributes: yaw and pitch in degrees, about the upright and the level axis through the image's centre."""

    yaw: Annotated[Range, Within(-75, 75)] = (-35.0, 35.0)
    pitch: Annotated[Range, Within(-75, 75)] = (-20.0, 20.0)

    def sample(self, rng: Generator) -> Params:
        return {"yaw": between(rng, self.yaw), "pitch": between(rng, self.pitch)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        return moved(image, _homography((image.shape[0], image.shape[1]), params))

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        seen = np.column_stack([points, np.ones(len(points))]) @ _homography(size, params).T
        slanted: Landmarks = seen[:, :2] / seen[:, 2:]
        return slanted


def _homography(size: tuple[int, int], params: Params) -> Any:
    """(3, 3) float64 from the image to the slanted one; the centre stays."""
    height, width = size
    yaw, pitch = np.deg2rad(params["yaw"]), np.deg2rad(params["pitch"])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turned = (about_x @ about_y)[:, :2]
    focal = _DISTANCE * max(height, width)
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1.0]])
    away = np.linalg.inv(centre)
    # Points of the plane, turned and `focal` away, projected with that focal length.
    projected = np.diag([focal, focal, 1.0]) @ np.column_stack([turned, [0.0, 0.0, focal]])
    return centre @ projected @ away
