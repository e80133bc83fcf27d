"""From flat text to the image: warps one after the other, fitted into the image, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.effects.base import Params
from synthesis.samples import Rejected
from synthesis.text.layout import Block
from synthesis.text.warps import Points, Projective, Size, Warp

Quads = NDArray[np.float32]  # (n, 4, 2): upper left, upper right, lower right, lower left, as the text is read
_STEP = 4  # the map is computed at every fourth pixel and enlarged; warps are smooth


@dataclass(frozen=True, slots=True)
class Mapping:
    """Pixels of a block to pixels of the image; in both, pixel i covers i..i+1."""

    steps: tuple[tuple[Warp, Params], ...]
    size: Size
    origin: Points  # of the block's middle, in its pixels
    unit: float  # block pixels per line height
    scale: float  # image pixels per line height
    offset: Points  # image pixels

    def forward(self, points: Points) -> Points:
        """Where points (n, 2) of the block are in the image."""
        return self.bend(points) * self.scale + self.offset

    def bend(self, points: Points) -> Points:
        """The warps alone, in line heights."""
        points = (points - self.origin) / self.unit
        for warp, params in self.steps:
            points = warp.forward(points, params, self.size)
        return points

    def backward(self, points: Points) -> Points:
        """Which points of the block are at these of the image."""
        points = (points - self.offset) / self.scale
        for warp, params in reversed(self.steps):
            points = warp.backward(points, params, self.size)
        return points * self.unit + self.origin


def fit(
    block: Block, warps: Sequence[tuple[Warp, Params]], across: float, margin: tuple[float, float], vertical: bool
) -> tuple[Mapping, tuple[int, int], Points, Points]:
    """A mapping that brings the warped text, with its margins, to `across` pixels across the line.

    Args:
        margin: room at the ends and at the sides of the text, in image pixels.

    Returns:
        The mapping, the image's height and width, character quads (n, 4, 2) and word quads (m, 4, 2).

    Raises:
        Rejected: the warps fold the text, or leave hardly any pixels for it.
    """
    height, width = block.coverage.shape
    size = (width - 2 * block.border) / block.pitch, (height - 2 * block.border) / block.pitch
    origin = np.array([width / 2, height / 2])
    free = Mapping(tuple(warps), size, origin, block.pitch, 1.0, np.zeros(2))
    boxes = np.concatenate([block.boxes, _word_boxes(block)])
    bent = free.bend(corners(boxes).reshape(-1, 2)).reshape(-1, 4, 2)
    characters = bent[: len(block.boxes)]
    words = word_quads(characters, bent[len(block.boxes) :], block.words)
    everything = np.concatenate([characters.reshape(-1, 2), words.reshape(-1, 2)])
    if not np.isfinite(everything).all():
        raise Rejected("The warps fold the text.")
    least, most = everything.min(axis=0), everything.max(axis=0)
    extent = most - least
    along, side = margin
    room = np.array([side, along] if vertical else [along, side])
    line = 0 if vertical else 1
    scale = (across - 2 * side) / max(extent[line], 1e-6)
    shape = np.ceil(extent * scale + 2 * room).astype(int)
    shape[line] = round(across)
    if scale <= 0 or shape.max() > 40 * across:
        raise Rejected("The warps leave no room for the text.")
    offset = (shape - extent * scale) / 2 - least * scale
    mapping = Mapping(free.steps, size, origin, block.pitch, scale, offset)
    return mapping, (int(shape[1]), int(shape[0])), characters * scale + offset, words * scale + offset


def corners(boxes: NDArray[np.float64]) -> Points:
    """(n, 4) boxes as (n, 4, 2) points, clockwise from the upper left."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _word_boxes(block: Block) -> NDArray[np.float64]:
    starts = np.flatnonzero(np.diff(block.words, prepend=-1))
    least = np.minimum.reduceat(block.boxes[:, :2], starts)
    return np.concatenate([least, np.maximum.reduceat(block.boxes[:, 2:], starts)], axis=1)


def word_quads(characters: Points, boxes: Points, words: NDArray[np.int64]) -> Points:
    """Quads (m, 4, 2) around each word's characters.

    A word's flat box, warped (`boxes`); where a curve leaves characters outside of it, the box along the word.
    """
    quads = boxes.copy()
    edges = np.roll(boxes, -1, axis=1) - boxes
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    own = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(words)))
    reach = characters[:, :, None] - boxes[own][:, None]  # (n, corner of the character, corner of the word, 2)
    along = edges[own][:, None]
    side = along[..., 0] * reach[..., 1] - along[..., 1] * reach[..., 0]
    outside = (side < -0.02 * np.hypot(along[..., 0], along[..., 1])).any(axis=(1, 2))
    for word in set(own[outside].tolist()):
        quads[word] = _oriented(characters[own == word])
    return quads


def _oriented(characters: Points) -> Points:
    """The box (4, 2) around the characters, along the line from the first one's left to the last one's right."""
    begin, end = characters[0, [0, 3]].mean(axis=0), characters[-1, [1, 2]].mean(axis=0)
    along = (end - begin) / max(float(np.hypot(*(end - begin))), 1e-9)
    axes = np.array([along, [-along[1], along[0]]])
    turned = characters.reshape(-1, 2) @ axes.T
    box = np.concatenate([turned.min(axis=0), turned.max(axis=0)])[None]
    turned_back: Points = corners(box)[0] @ axes
    return turned_back


def draw(coverage: NDArray[np.uint8], mapping: Mapping, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The block's coverage, or any (h, w) or (h, w, c) laid out like it, as the image shows it."""
    height, width = shape
    if all(isinstance(warp, Projective) for warp, _ in mapping.steps):
        # Four points say it all.
        square = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        matrix = cv2.getPerspectiveTransform(
            (square - 0.5).astype(np.float32), (mapping.backward(square) - 0.5).astype(np.float32)
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        flat: Any = cv2.warpPerspective(coverage, matrix, (width, height), flags=flags)
        return flat  # type: ignore[no-any-return]
    rows, columns = height // _STEP + 3, width // _STEP + 3
    y, x = np.mgrid[-1 : rows - 1, -1 : columns - 1] * _STEP + _STEP / 2
    coarse = mapping.backward(np.stack([x.ravel(), y.ravel()], axis=1)) - 0.5
    nodes = coarse.reshape(rows, columns, 2).astype(np.float32)
    fine: Any = cv2.resize(nodes, (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR)
    fine = fine[_STEP : _STEP + height, _STEP : _STEP + width]
    bent: Any = cv2.remap(coverage, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR)
    return bent  # type: ignore[no-any-return]
