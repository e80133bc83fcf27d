"""Labels drawn on samples, and sheets of samples, for people to look at. No Django here."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.effects.base import Image
from synthesis.samples import Labels

_QUADS: Final = {"word_quads": (230, 60, 60), "character_quads": (40, 150, 255)}
_POINT: Final = (60, 220, 90)
LEAST_HEIGHT: Final = 96  # small images are enlarged, so that thin lines fit between letters


def draw_labels(image: Image, labels: Labels) -> Image:
    """A larger copy of the image with quads, boxes, masks and landmarks on it.

    Args:
        image: uint8 RGB (h, w, 3).
        labels: `word_quads`, `character_quads` float (n, 4, 2); `landmarks` float (n, 2); `instances`, a list of dicts
            with any of `mask` bool (h, w), `box` (x, y, width, height), `visibility` 0..1, `class`.

    Returns:
        uint8 RGB, a whole number of times the image's size.
    """
    scale = max(1, -(-LEAST_HEIGHT // image.shape[0])) if image.shape[0] < LEAST_HEIGHT else 1
    drawn: Image = np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)
    for number, instance in enumerate(labels.get("instances", ())):
        _instance(drawn, instance, scale, _colour(number))
    for name, colour in _QUADS.items():
        for quad in labels.get(name, ()):
            cv2.polylines(drawn, [_pixels(quad, scale)], True, colour, 1, cv2.LINE_AA)
    if labels.get("landmarks") is not None:
        for x, y in _pixels(labels["landmarks"], scale).tolist():
            cv2.circle(drawn, (x, y), max(1, scale), _POINT, -1, cv2.LINE_AA)
    return drawn


def contact_sheet(images: Sequence[Image], *, columns: int = 4, width: int = 240, gap: int = 8) -> Image:
    """The images in rows, each scaled to fit `width` x `width`: uint8 RGB, on light grey."""
    cells = [_fitted(image, width) for image in images]
    rows = []
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        height = max(cell.shape[0] for cell in row)
        strip = np.full((height + gap, columns * (width + gap) + gap, 3), 238, np.uint8)
        for place, cell in enumerate(row):
            left = gap + place * (width + gap) + (width - cell.shape[1]) // 2
            strip[gap // 2 : gap // 2 + cell.shape[0], left : left + cell.shape[1]] = cell
        rows.append(strip)
    return np.concatenate(rows) if rows else np.full((width, width, 3), 238, np.uint8)


def _instance(drawn: Image, instance: dict[str, Any], scale: int, colour: tuple[int, int, int]) -> None:
    mask = instance.get("mask")
    if mask is not None:
        large = cv2.resize(np.asarray(mask, np.uint8), drawn.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
        drawn[large] = (drawn[large] * 0.6 + np.array(colour) * 0.4).astype(np.uint8)
    box = instance.get("box")
    if box is not None:
        x, y, width, height = (np.array(box, np.float64) * scale).round().astype(int).tolist()
        cv2.rectangle(drawn, (x, y), (x + width, y + height), colour, 1, cv2.LINE_AA)
        words = [str(instance.get("class", ""))]
        if instance.get("visibility") is not None:
            words.append(f"{instance['visibility']:.0%}")
        cv2.putText(drawn, " ".join(words), (x + 2, y + 10), cv2.FONT_HERSHEY_PLAIN, 0.7, colour, 1, cv2.LINE_AA)


def _pixels(points: NDArray[Any], scale: int) -> NDArray[np.int32]:
    return np.asarray(np.round(np.asarray(points, np.float64) * scale), np.int32)


def _colour(number: int) -> tuple[int, int, int]:
    """One of many colours that neighbours don't share."""
    red, green, blue = (round(channel * 255) for channel in colorsys.hsv_to_rgb(number * 67 % 180 / 180, 0.8, 0.92))
    return red, green, blue


def _fitted(image: Image, width: int) -> Image:
    scale = min(width / image.shape[1], width / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )
