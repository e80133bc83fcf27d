"""From flat text to the image: warps one after the other, fitted into the image, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.effects.base import Params
from synthesis.samples import Rejected
from synthesis.text.layout import Block
from synthesis.text.warps import Points, Projective, Size, Warp, join

Quads = NDArray[np.float32]  # (n, 4, 2): upper left, upper right, lower right, lower left, as the text is read
_STEP = 4  # the map is computed at every fourth pixel and enlarged; warps are smooth
_OUTLINE: Final = np.array([(x, y) for x in np.linspace(-0.5, 0.5, 9) for y in (-0.5, 0.5)])


@dataclass(frozen=True, slots=True)
class Mapping:
    """Pixels of a block to pixels of the image; in both, pixel i covers i..i+1."""

    steps: tuple[tuple[Warp, Params], ...]
    size: Size
    origin: Points  # of the block's middle, in its pixels
    unit: float  # block pixels per line height
    scale: float  # image pixels per line height
    offset: Points  # image pixels

    @property
    def flat(self) -> bool:
        """Whether straight lines stay straight."""
        return all(isinstance(warp, Projective) for warp, _ in self.steps)

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
    free = Mapping(tuple(join(warps, size)), size, origin, block.pitch, 1.0, np.zeros(2))
    starts = np.flatnonzero(np.concatenate([[True], block.words[1:] != block.words[:-1]]))
    boxes = np.concatenate([block.boxes, _word_boxes(block.boxes, starts)])
    bent = free.bend(corners(boxes).reshape(-1, 2)).reshape(-1, 4, 2)
    characters, words = bent[: len(block.boxes)], bent[len(block.boxes) :]
    if not free.flat:
        words = _around(characters, words, starts)
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


def expected_scale(
    size: Size, warps: Sequence[tuple[Warp, Params]], across: float, side: float, vertical: bool
) -> float:
    """About how many image pixels a line's height of a text of this flat size gets when `fit` is done with it."""
    points = _OUTLINE * size
    for warp, params in join(((warp, params) for warp, params in warps if not warp.slight), size):
        points = warp.forward(points, params, size)
    across_line = points[:, 0 if vertical else 1]
    return (across - 2 * side) / max(float(across_line.max() - across_line.min()), 1e-6)


def corners(boxes: NDArray[np.float64]) -> Points:
    """(n, 4) boxes as (n, 4, 2) points, clockwise from the upper left."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _word_boxes(boxes: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    least = np.minimum.reduceat(boxes[:, :2], starts)
    return np.concatenate([least, np.maximum.reduceat(boxes[:, 2:], starts)], axis=1)


def _around(characters: Points, words: Points, starts: NDArray[np.int64]) -> Points:
    """The words' quads (m, 4, 2), or the boxes along the words where a curve leaves characters outside of them."""
    own = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(characters)))
    edges = words[:, [1, 2, 3, 0]] - words
    reach = characters[:, :, None] - words[own][:, None]  # (n, corner of the character, corner of the word, 2)
    along = edges[own][:, None]
    side = along[..., 0] * reach[..., 1] - along[..., 1] * reach[..., 0]
    outside = (side < -0.02 * np.hypot(along[..., 0], along[..., 1])).any(axis=(1, 2))
    if not outside.any():
        return words
    left_out = np.logical_or.reduceat(outside, starts)
    return np.where(left_out[:, None, None], _oriented(characters, starts, own), words)


def _oriented(characters: Points, starts: NDArray[np.int64], own: NDArray[np.int64]) -> Points:
    """Boxes (m, 4, 2) around the words' characters, along the lines from their first one's left to the last's right."""
    first, last = characters[starts], characters[np.append(starts[1:], len(characters)) - 1]
    along = last[:, 1] + last[:, 2] - first[:, 0] - first[:, 3]
    along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    axes = np.stack([along, along[:, ::-1] * [-1.0, 1.0]], axis=1)
    turned = characters @ axes[own].transpose(0, 2, 1)
    least, most = np.minimum.reduceat(turned.min(axis=1), starts), np.maximum.reduceat(turned.max(axis=1), starts)
    boxes: Points = corners(np.concatenate([least, most], axis=1)) @ axes
    return boxes


def draw(coverage: NDArray[np.uint8], mapping: Mapping, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The block's coverage, or any (h, w) or (h, w, c) laid out like it, as the image shows it."""
    height, width = shape
    if mapping.flat:
        # Four points say it all.
        square = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
        matrix = cv2.getPerspectiveTransform(
            (square - 0.5).astype(np.float32), (mapping.backward(square) - 0.5).astype(np.float32)
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        flat: Any = cv2.warpPerspective(coverage, matrix, (width, height), flags=flags)
        return flat  # type: ignore[no-any-return]
    rows, columns = height // _STEP + 3, width // _STEP + 3
    coarse = mapping.backward(_nodes(rows, columns)) - 0.5
    nodes = coarse.reshape(rows, columns, 2).astype(np.float32)
    fine: Any = cv2.resize(nodes, (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR)
    one_map: Any = None  # x and y are together in the first
    bent: Any = cv2.remap(coverage, fine[_STEP : _STEP + height, _STEP : _STEP + width], one_map, cv2.INTER_LINEAR)
    return bent  # type: ignore[no-any-return]


@lru_cache(maxsize=1024)
def _nodes(rows: int, columns: int) -> Points:
    """(rows * columns, 2): middles of the map's cells, the first one's outside the image."""
    y, x = np.mgrid[-1 : rows - 1, -1 : columns - 1] * _STEP + _STEP / 2
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    points.flags.writeable = False
    return points
