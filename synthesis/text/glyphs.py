"""Glyphs as small masks, drawn once per font, size and character."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from foundation.errors import InvalidInput
from synthesis.samples import Rejected

_KERNING_SIZE: Final = 64
# Sizes that glyphs are drawn at, a quarter apart; what lies between is reached by the warp that comes anyway.
_SIZES: Final = (10, 12, 15, 19, 24, 30, 38, 47, 59, 73, 92, 114, 143, 179, 224, 280)


@dataclass(frozen=True, slots=True)
class Glyph:
    """Ink of one character: `mask` uint8 (h, w) coverage, its left and top from pen and baseline, and the advance."""

    mask: NDArray[np.uint8]
    left: int
    top: int
    advance: float


@lru_cache(maxsize=512)
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels per em. Raises InvalidInput: FreeType can't read the file."""
    try:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise InvalidInput(f"The font file {path} can't be read: {error}.", code="font_broken") from error


@lru_cache(maxsize=65_536)
def glyph(path: str, size: int, char: str) -> Glyph:
    """One character, spaces without ink, though fonts of keys or frames have some for them.

    Raises:
        Rejected: the font has the character on its list but draws nothing for it.
    """
    font = load_font(path, size)
    if char.isspace():
        return Glyph(np.zeros((0, 0), np.uint8), 0, 0, font.getlength(char))
    core, (left, top) = font.getmask2(char, mode="L", anchor="ls")
    width, height = core.size
    mask = np.frombuffer(bytes(core), np.uint8).reshape(height, width)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise Rejected(f"{path} draws nothing for {char!r}.")
    ink = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Glyph(ink, int(left) + int(columns[0]), int(top) + int(rows[0]), font.getlength(char))


@lru_cache(maxsize=131_072)
def kerning(path: str, pair: str) -> float:
    """By how much the second character of the pair moves away from the first, in ems; mostly negative."""
    apart = _advance(path, pair[0]) + _advance(path, pair[1])
    return (load_font(path, _KERNING_SIZE).getlength(pair) - apart) / _KERNING_SIZE


@lru_cache(maxsize=65_536)
def _advance(path: str, char: str) -> float:
    return float(load_font(path, _KERNING_SIZE).getlength(char))


def drawing_size(wanted: float) -> int:
    """The size in pixels per em to draw at for text to be seen at `wanted`: the same or a little more."""
    return next((size for size in _SIZES if size >= wanted), _SIZES[-1])
