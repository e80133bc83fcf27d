"""Flat text: where each glyph goes, its coverage drawn, and the boxes of its characters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synthesis.samples import Rejected
from synthesis.text.glyphs import Glyph, advance, glyph, kerning, load_font

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


def flat_size(style: Style, size: int, text: str) -> tuple[float, float, float]:
    """How wide and high `text` is at `size` pixels per em, and how far its lines are apart, in ems.

    Raises:
        Rejected: the font draws nothing for a character.
    """
    placed, pitch = _set_lines(style, size, text)
    left, top, right, bottom = zip(*(item.box for item in placed), strict=True)
    return (max(right) - min(left)) / size, (max(bottom) - min(top)) / size, pitch / size


def lay_out(style: Style, size: int, text: str, beside: tuple[str, str] = ("", "")) -> Block:
    """Set `text`, lines parted by newlines, at `size` pixels per em.

    Args:
        beside: distractor lines above and below, mostly outside the block, in the same style. Not for vertical text.

    Raises:
        Rejected: the font draws nothing for a character.
    """
    placed, pitch = _set_lines(style, size, text)
    boxes = np.array([item.box for item in placed], dtype=np.float64)
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    border = round(0.6 * size)
    canvas = np.zeros((int(bottom - top) + 2 * border, int(right - left) + 2 * border), np.uint8)
    shift = int(border - left), int(border - top)
    for item in placed:
        _stamp(canvas, item, *shift)
    for line, direction in zip(beside, (-1, 1), strict=True):
        if line and not style.vertical:
            beyond = _set_line(style, size, line, 0.0, 0)
            _stamp_beside(canvas, beyond, shift, (top, bottom)[direction > 0], direction)
    return Block(canvas, border, boxes + np.tile(shift, 2), np.array([item.word for item in placed]), pitch)


@lru_cache(maxsize=2)  # texts are measured first, and mostly drawn at the same size then
def _set_lines(style: Style, size: int, text: str) -> tuple[list[_Placed], float]:
    """All inked glyphs, at least one, and the pixels from one line to the next."""
    ascent, descent = load_font(style.path, size).getmetrics()
    pitch = 1.3 * size if style.vertical else 1.1 * (ascent + descent)
    placed: list[_Placed] = []
    word = 0
    for row, line in enumerate(text.split("\n")):
        placed += _set_line(style, size, line, row * pitch, word)
        word += len(line.split())
    if not placed:
        raise Rejected("There is nothing to write.")
    return placed, pitch


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
            pen += (advance(style.path, char) + style.tracking) * size
        before = char
    return placed


def _place(drawn: Glyph, x: int, y: int, word: int) -> _Placed:
    left, top = x + drawn.left, y + drawn.top
    return _Placed(drawn.mask, (left, top, left + drawn.mask.shape[1], top + drawn.mask.shape[0]), word)


def _stamp(canvas: NDArray[np.uint8], item: _Placed, dx: int, dy: int) -> None:
    """Ink laid over ink; what lies outside the canvas is cut off."""
    height, width = canvas.shape
    left, top, right, bottom = item.box
    left, top, right, bottom = left + dx, top + dy, right + dx, bottom + dy
    mask = item.mask
    if left < 0 or top < 0 or right > width or bottom > height:
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if x0 >= x1 or y0 >= y1:
            return
        mask = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        left, top, right, bottom = x0, y0, x1, y1
    target = canvas[top:bottom, left:right]
    np.maximum(target, mask, out=target)


def _stamp_beside(
    canvas: NDArray[np.uint8], line: list[_Placed], shift: tuple[int, int], edge: float, direction: int
) -> None:
    """A line a third of its height away from the text's edge; the canvas cuts off what is too far."""
    if not line:
        return
    highest, lowest = min(item.box[1] for item in line), max(item.box[3] for item in line)
    gap = 0.3 * (lowest - highest)
    y = edge - gap - lowest if direction < 0 else edge + gap - highest
    for item in line:
        _stamp(canvas, item, shift[0], shift[1] + round(float(y)))
