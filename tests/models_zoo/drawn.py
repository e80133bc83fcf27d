"""A drawn face that the detector finds, for tests that need no photo: the same pixels everywhere."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
SKINS: tuple[Colour, ...] = ((224, 182, 150), (141, 98, 70), (250, 215, 190), (190, 140, 100))
# Eyes, nose tip and mouth corners as drawn, pixels of the 320x320 picture.
LANDMARKS = np.array([[134, 148], [186, 148], [160, 186], [138, 214], [182, 214]], dtype=np.float32)


def drawn_face(skin: Colour = SKINS[0], hair: Colour = (60, 40, 30), ground: Colour = (96, 120, 140)) -> NDArray[Any]:
    """uint8 RGB (320, 320, 3)."""
    picture = np.full((320, 320, 3), ground, np.uint8)
    cv2.ellipse(picture, (160, 150), (78, 100), 0, 0, 360, hair, -1)
    cv2.ellipse(picture, (160, 165), (66, 86), 0, 0, 360, skin, -1)
    shade = tuple(int(part * 0.8) for part in skin)
    for x in (134, 186):
        cv2.ellipse(picture, (x, 148), (14, 7), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(picture, (x, 148), 6, (50, 30, 20), -1)
        cv2.ellipse(picture, (x, 130), (17, 4), 0, 180, 360, hair, 3)
    cv2.line(picture, (160, 150), (156, 184), shade, 3)
    cv2.ellipse(picture, (160, 186), (12, 6), 0, 0, 180, shade, 3)
    cv2.ellipse(picture, (160, 214), (24, 8), 0, 0, 360, (180, 70, 70), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.5)


def crowd(columns: int, rows: int, side: int) -> NDArray[Any]:
    """columns x rows drawn faces, each tile `side` pixels."""
    tiles = [cv2.resize(drawn_face(skin), (side, side), interpolation=cv2.INTER_AREA) for skin in SKINS]
    lines = [np.hstack([tiles[(row + column) % len(tiles)] for column in range(columns)]) for row in range(rows)]
    return np.vstack(lines)
