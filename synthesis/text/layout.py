"""Flat text: where each glyph goes, its coverage drawn, and the boxes of its characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthesis.samples import Rejected
from synthesis.text.glyphs import Glyph, glyph, kerning, load_font

Boxes = NDArray[np.float64]  # (n, 4): left, top, right, bottom in pixels; pixel i covers i..i+1


@dataclass(frozen=True, slots=True)
class Style:
    """How text is set.

    Attributes:
        path: of the font file.
        tracking: extra room between characters, in ems.
        kern: whether the font's pair kerning is used.
        vertical: one character under the other, lines as columns from left to right.
    """

    path: str
    tracking: float = 0.0
    kern: bool = True
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Flat text.

    Attributes:
        coverage: uint8 (h, w), 255 is full ink, with `border` pixels of room on every side of the text.
        border: pixels.
        boxes: (n, 4) ink boxes of the characters that are no spaces, in reading order.
        words: (n,) the number of each character's word.
        pitch: pixels from one line to the next.
    """

    coverage: NDArray[np.uint8]
    border: int
    boxes: Boxes
    words: NDArray[np.int64]
    pitch: float


class _Placed(NamedTuple):
    mask: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    word: int


def lay_out(style: Style, size: int, text: str, beside: tuple[str, str] = ("", "")) -> Block:
    """Set `text`, lines parted by newlines, at `size` pixels per em.

    Args:
        beside: distractor lines above and below, mostly outside the block, in the same style. Not for vertical text.

    Raises:
        Rejected: the font draws nothing for a character.
    """
    ascent, descent = load_font(style.path, size).getmetrics()
    pitch = 1.3 * size if style.vertical else 1.1 * (ascent + descent)
    placed: list[_Placed] = []
    word = 0
    for row, line in enumerate(text.split("\n")):
        placed += _set_line(style, size, line, row * pitch, word)
        word += len(line.split())
    if not placed:
        raise Rejected("There is nothing to write.")
    boxes = np.array([item.box for item in placed], dtype=np.float64)
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    border = round(0.6 * size)
    canvas = np.zeros((int(bottom - top) + 2 * border, int(right - left) + 2 * border), np.uint8)
    shift = np.array([border - left, border - top])
    for item in placed:
        _stamp(canvas, item, shift)
    for line, direction in zip(beside, (-1, 1), strict=True):
        if line and not style.vertical:
            _stamp_beside(canvas, _set_line(style, size, line, 0.0, 0), shift, (top, bottom)[direction > 0], direction)
    return Block(canvas, border, boxes + np.tile(shift, 2), np.array([item.word for item in placed]), pitch)


def _set_line(style: Style, size: int, line: str, across: float, word: int) -> list[_Placed]:
    """One line with its inked glyphs; `across` is the baseline's y, or a column's middle."""
    placed: list[_Placed] = []
    pen, before = 0.0, " "
    for char in line:
        drawn = glyph(style.path, size, char)
        if char.isspace():
            word += not before.isspace()
        if style.vertical:
            pen += (1.1 + style.tracking) * size if not char.isspace() else 0.6 * size
            if drawn.mask.size:
                middle = drawn.left + drawn.mask.shape[1] / 2
                placed.append(_place(drawn, round(across - middle), round(pen), word))
        else:
            pen += kerning(style.path, before + char) * size if style.kern and placed else 0.0
            if drawn.mask.size:
                placed.append(_place(drawn, round(pen), round(across), word))
            pen += drawn.advance + style.tracking * size
        before = char
    return placed


def _place(drawn: Glyph, x: int, y: int, word: int) -> _Placed:
    left, top = x + drawn.left, y + drawn.top
    return _Placed(drawn.mask, (left, top, left + drawn.mask.shape[1], top + drawn.mask.shape[0]), word)


def _stamp(canvas: NDArray[np.uint8], item: _Placed, shift: NDArray[np.float64]) -> None:
    """Ink laid over ink; what lies outside the canvas is cut off."""
    height, width = canvas.shape
    dx, dy = int(shift[0]), int(shift[1])
    left, top, right, bottom = item.box
    left, top, right, bottom = left + dx, top + dy, right + dx, bottom + dy
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 >= x1 or y0 >= y1:
        return
    target = canvas[y0:y1, x0:x1]
    np.maximum(target, item.mask[y0 - top : y1 - top, x0 - left : x1 - left], out=target)


def _stamp_beside(
    canvas: NDArray[np.uint8], line: list[_Placed], shift: NDArray[np.float64], edge: float, direction: int
) -> None:
    """A line a third of its height away from the text's edge; the canvas cuts off what is too far."""
    if not line:
        return
    boxes = np.array([item.box for item in line])
    gap = 0.3 * float(boxes[:, 3].max() - boxes[:, 1].min())
    y = edge - gap - boxes[:, 3].max() if direction < 0 else edge + gap - boxes[:, 1].min()
    for item in line:
        _stamp(canvas, item, shift + np.array([0.0, round(float(y))]))
