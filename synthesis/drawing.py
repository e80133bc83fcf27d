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
CELL: Final = 240  # pixels of a sample on a sheet
LEAST_HEIGHT: Final = 96  # small images are enlarged, so that thin lines fit between letters


def draw_labels(image: Image, labels: Labels) -> Image:
    """A larger copy of the image with quads, boxes, masks and landmarks on it.

    Args:
        image: uint8 RGB (h, w, 3).
        labels: `word_quads`, `character_quads` float (n, 4, 2); `landmarks` float (n, 2); `instances`, a list of dicts
            with any of `id` (its value in `instance_map`, integers (h, w)), `box` (x, y, width, height) or None,
            `visibility` 0..1 and `class`. Others are not drawn.

    Returns:
        uint8 RGB, a whole number of times the image's size.
    """
    scale = max(1, -(-LEAST_HEIGHT // image.shape[0])) if image.shape[0] < LEAST_HEIGHT else 1
    drawn: Image = np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)
    instances = labels.get("instances", ())
    if instances and labels.get("instance_map") is not None:
        _paint(drawn, labels["instance_map"], [int(instance["id"]) for instance in instances], scale)
    for instance in instances:
        _outline(drawn, instance, scale)
    for name, colour in _QUADS.items():
        for quad in labels.get(name, ()):
            cv2.polylines(drawn, [_pixels(quad, scale)], True, colour, 1, cv2.LINE_AA)
    if labels.get("landmarks") is not None:
        for x, y in _pixels(labels["landmarks"], scale).tolist():
            cv2.circle(drawn, (x, y), max(1, scale), _POINT, -1, cv2.LINE_AA)
    return drawn


def contact_sheet(images: Sequence[Image], *, columns: int = 4, width: int = CELL, gap: int = 8) -> Image:
    """The images in rows, each scaled to fit `width` x `width`: uint8 RGB, on light grey."""
    cells = [fitted(image, width) for image in images]
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


def fitted(image: Image, width: int = CELL) -> Image:
    """The image scaled so that its longer side has `width` pixels."""
    scale = min(width / image.shape[1], width / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def _paint(drawn: Image, instance_map: NDArray[Any], ids: Sequence[int], scale: int) -> None:
    """A veil of each instance's colour over its pixels."""
    colours = np.zeros((int(instance_map.max()) + 1, 3), np.float32)
    for number in ids:
        if number < len(colours):
            colours[number] = _colour(number)
    large = np.repeat(np.repeat(instance_map, scale, axis=0), scale, axis=1)
    shown = large > 0
    drawn[shown] = (drawn[shown] * 0.6 + colours[large[shown]] * 0.4).astype(np.uint8)


def _outline(drawn: Image, instance: dict[str, Any], scale: int) -> None:
    """Box, class and how much of it can be seen."""
    if instance.get("box") is None:
        return
    x, y, width, height = (np.array(instance["box"], np.float64) * scale).round().astype(int).tolist()
    colour = _colour(int(instance.get("id", 0)))
    cv2.rectangle(drawn, (x, y), (x + width, y + height), colour, 1, cv2.LINE_AA)
    words = str(instance.get("class", ""))
    if instance.get("visibility") is not None:
        words += f" {instance['visibility']:.0%}"
    if width >= 5 * len(words) and height >= 12:
        cv2.putText(drawn, words, (x + 2, y + 10), cv2.FONT_HERSHEY_PLAIN, 0.7, (255, 255, 255), 1, cv2.LINE_AA)


def _pixels(points: NDArray[Any], scale: int) -> NDArray[np.int32]:
    return np.asarray(np.round(np.asarray(points, np.float64) * scale), np.int32)


def _colour(number: int) -> tuple[int, int, int]:
    """One of many colours that neighbours don't share."""
    red, green, blue = (round(channel * 255) for channel in colorsys.hsv_to_rgb(number * 67 % 180 / 180, 0.8, 0.92))
    return red, green, blue
