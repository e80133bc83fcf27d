"""Glyphs as small masks, drawn once per font, size and character."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import ImageFont

from foundation.errors import InvalidInput
from synthesis.samples import Rejected
from synthesis.text.kerning import PairTable

_METRICS_SIZE: Final = 64
# Sizes that glyphs are drawn at. What lies between is reached by the warp that comes anyway; more sizes would mean more
# glyphs to draw, which takes longer than anything else until most fonts have been met.
_SIZES: Final = (18, 32, 57, 100, 178, 310)


@dataclass(frozen=True, slots=True)
class Glyph:
    """Ink of one character: `mask` uint8 (h, w) coverage, its left and top from pen and baseline."""

    mask: NDArray[np.uint8]
    left: int
    top: int


@lru_cache(maxsize=1024)
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels per em. Raises InvalidInput: FreeType can't read the file."""
    try:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise InvalidInput(f"The font file {path} can't be read: {error}.", code="font_broken") from error


@lru_cache(maxsize=131_072)
def glyph(path: str, size: int, char: str) -> Glyph:
    """One character, spaces without ink, though fonts of keys or frames have some for them.

    Raises:
        Rejected: the font has the character on its list but draws nothing for it.
    """
    if char.isspace():
        return Glyph(np.zeros((0, 0), np.uint8), 0, 0)
    core, (left, top) = load_font(path, size).getmask2(char, mode="L", anchor="ls")
    box = core.getbbox()
    if box is None:
        raise Rejected(f"{path} draws nothing for {char!r}.")
    width, height = core.size
    mask = np.frombuffer(bytes(core), np.uint8).reshape(height, width)
    return Glyph(mask[box[1] : box[3], box[0] : box[2]], int(left) + box[0], int(top) + box[1])


@lru_cache(maxsize=131_072)
def kerning(path: str, pair: str) -> float:
    """By how much the second character of the pair moves away from the first, in ems; mostly negative."""
    pairs, older = _pair_table(path)
    if pairs or not older:
        return pairs.between(pair)
    together = load_font(path, _METRICS_SIZE).getlength(pair) / _METRICS_SIZE
    return together - advance(path, pair[0]) - advance(path, pair[1])


@lru_cache(maxsize=65_536)
def advance(path: str, char: str) -> float:
    """From a character's pen to the next one's, in ems."""
    return load_font(path, _METRICS_SIZE).getlength(char) / _METRICS_SIZE


@lru_cache(maxsize=1024)
def _pair_table(path: str) -> tuple[PairTable, bool]:
    """The pairs of GPOS, which come first, and whether there is the older table `kern`, which FreeType reads."""
    with TTFont(path) as font:
        return PairTable(font), "kern" in font


def forget_fonts() -> None:
    """Files have changed."""
    for known in (load_font, glyph, kerning, advance, _pair_table):
        known.cache_clear()


def drawing_size(wanted: float) -> int:
    """The size in pixels per em to draw at for text to be seen at `wanted`: the same or a little more."""
    return next((size for size in _SIZES if size >= wanted), _SIZES[-1])
