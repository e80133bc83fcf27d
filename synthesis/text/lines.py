"""Text lines with their transcription and with quads for characters and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.bounds import Share, Within
from synthesis.effects.base import Effect, Image, Params, Range, between
from synthesis.effects.combinators import contained
from synthesis.effects.misalignment import Misalignment
from synthesis.effects.roll import Roll
from synthesis.effects.viewpoint import Viewpoint
from synthesis.samples import Generator, Labels, Rejected
from synthesis.text.corpora import LONGEST_TEXT, Corpus, IntRange
from synthesis.text.fonts import open_shelf, reopen_shelf
from synthesis.text.geometry import Mapping, draw, expected_scale, fit
from synthesis.text.glyphs import drawing_size
from synthesis.text.layout import Block, Style, flat_size, lay_out
from synthesis.text.legibility import stand_out
from synthesis.text.paint import Paint, expected_difference, paint
from synthesis.text.scripts import looks_alike, script_of
from synthesis.text.vocabulary import check_writable
from synthesis.text.warps import Points, Warp

_USUAL_SIZE: Final = 0.6  # of an em in a line's height
_MILD: Final = (0.5, 1.05)  # by how much glyphs may be enlarged by the one resampling
_LEAST_SIZE: Final = 10.0  # pixels per em; below, letters run together
_MOST_PIXELS: Final = 2**25
_MOVING: Final = (Misalignment, Roll, Viewpoint)


@dataclass(frozen=True, slots=True)
class Layout:
    """How text is set. Single numbers are the share of images that have the thing.

    Attributes:
        lines: of text, both ends included.
        tracking: extra room between characters, in ems.
        kerning: pair kerning, where the font has any.
        vertical: one word, one character under the other.
        distractors: parts of other lines above and below.
        margin: room around the text, as a share of the image's height; the ends have up to twice as much.
    """

    lines: Annotated[IntRange, Within(1, 40)] = (1, 1)
    tracking: Annotated[Range, Within(-0.2, 2)] = (0.0, 0.06)
    kerning: Share = 0.9
    vertical: Share = 0.0
    distractors: Share = 0.0
    margin: Annotated[Range, Within(0, 0.35)] = (0.0, 0.15)


@dataclass(frozen=True, slots=True)
class TextLines(Generator):
    """Images of text.

    Labels: `text`, the transcription (lines parted by newlines); `characters`, those that are no spaces, and
    `character_quads` float32 (n, 4, 2); `words` and `word_quads` float32 (m, 4, 2), corners clockwise from the upper
    left as the text is read, in pixels of which pixel i covers i..i+1, all inside the image; `script`, as
    `scripts.script_of` names it; `font`, the file's name;
    `ink_difference`, in grey levels, where the text stands out least; with `mask`, `ink`, its coverage, uint8 of the
    image's height and width.

    Attributes:
        corpus: what is written.
        height: of the image in pixels for each line; for vertical text, its width.
        fonts: family names; all that are found if none are given.
        font_directories: where to look, but not in a recipe; where the system keeps its fonts if none are given.
        bend: a curve along the line, not for vertical text.
        warps: what else bends the text, in this order, after `bend`.
        effects: what the camera did. May not move pixels.
        mask: whether samples say which pixels are ink.
        least_ink_difference: images with a word that stands out less, in grey levels, are drawn anew.
        least_clearness: the same for a letter or digit, in deviations of its ink and ground (see `legibility.py`).
    """

    corpus: Corpus
    height: Annotated[IntRange, Within(16, 512)] = (32, 64)
    fonts: tuple[str, ...] = ()
    font_directories: tuple[str, ...] = field(default=(), metadata={"recipe": False})
    layout: Layout = field(default_factory=Layout)
    bend: Warp | None = None
    warps: tuple[Warp, ...] = ()
    paint: Paint = field(default_factory=Paint)
    effects: Effect | None = None
    least_ink_difference: Annotated[float, Within(0, 255)] = 30.0
    least_clearness: Annotated[float, Within(0, 10)] = 1.1
    mask: bool = False

    def __post_init__(self) -> None:
        moving = [part for part in contained(self.effects) if isinstance(part, _MOVING)] if self.effects else []
        if moving:
            name = type(moving[0]).__name__.lower()
            raise InvalidInput(f"effects: {name} would move pixels away from their labels", code="bad_recipe")

    def sample(self, rng: Rng) -> Params:
        layout = self.layout
        vertical = bool(rng.random() < layout.vertical)
        count = 1 if vertical else int(rng.integers(layout.lines[0], layout.lines[1] + 1))
        text = "\n".join(self.corpus.draw(rng) for _ in range(count))
        if len(text) > LONGEST_TEXT:
            raise _too_large(f"{len(text):,} characters; at most {LONGEST_TEXT:,} fit")
        text = max(text.split(), key=len) if vertical else text
        if looks_alike(text) and len(self.corpus.scripts()) > 1:
            raise Rejected(f"Nobody could tell which script {text!r} is in.")
        beside = [self.corpus.draw(rng) if rng.random() < layout.distractors else "" for _ in range(2)]
        side = between(rng, layout.margin)
        params: Params = {
            "text": text,
            "beside": beside,
            "font": open_shelf(self.font_directories, self.fonts).choose(rng, text + "".join(beside)).name,
            "across": int(rng.integers(self.height[0], self.height[1] + 1)) * count,
            "margin": [side * between(rng, (1.0, 2.0)), side],
            "tracking": between(rng, layout.tracking),
            "kern": bool(rng.random() < layout.kerning),
            "vertical": vertical,
            "bend": self.bend.sample(rng) if self.bend and not vertical else None,
            "warps": [warp.sample(rng) for warp in self.warps],
            "paint": self.paint.sample(rng),
            "effects": self.effects.sample(rng) if self.effects else None,
        }
        if (difference := expected_difference(params["paint"])) < self.least_ink_difference:
            raise Rejected(f"The ink would stand out by {difference:.0f} grey levels only.")
        return params

    def render(self, params: Params) -> tuple[Image, Labels]:
        block, mapping, shape, characters, words = self.place(params)
        coverage = draw(block.coverage, mapping, shape)
        em = mapping.scale / 1.3
        image = paint(coverage, params["paint"], em)
        if self.effects and params["effects"] is not None:
            image = self.effects.apply(image, None, params["effects"])
        difference = self._check_legible(image, coverage, params["text"], characters, words)
        text: str = params["text"]
        return image, {
            "text": text,
            "characters": [char for char in text if not char.isspace()],
            "character_quads": characters.astype(np.float32),
            "words": text.split(),
            "word_quads": words.astype(np.float32),
            "script": script_of(text),
            "font": params["font"],
            "ink_difference": round(difference, 1),
        } | ({"ink": coverage} if self.mask else {})

    def _check_legible(self, image: Image, coverage: Image, text: str, characters: Points, words: Points) -> float:
        """By how much the weakest word stands out, in grey levels. Raises Rejected: a word or character doesn't."""
        letters = [char.isalnum() for char in text if not char.isspace()]
        quads = np.concatenate([words, characters[letters]])
        spans = np.concatenate([np.floor(quads.min(axis=1)), np.ceil(quads.max(axis=1))], axis=1)
        size = coverage.shape[::-1] * 2
        differences, clearness = stand_out(image, coverage, np.clip(spans, 0, size).astype(np.int64))
        difference = float(differences[: len(words)].min())
        if difference < self.least_ink_difference:
            raise Rejected(f"A word stands out by {difference:.0f} grey levels only.")
        if clearness.min() < self.least_clearness:
            raise Rejected(f"A letter stands out by {clearness.min():.1f} deviations only.")
        return difference

    def formats(self) -> tuple[str, ...]:
        return "text_recognition", "webdataset"

    def check(self) -> None:
        characters = self.corpus.characters()
        check_writable("".join(sorted(characters)))
        reopen_shelf(self.font_directories, self.fonts).check(characters)

    def ingredients(self) -> dict[str, str]:
        shelf = reopen_shelf(self.font_directories, self.fonts)
        name = f"fonts ({', '.join(self.fonts)})" if self.fonts else "fonts"
        return {name: f"{shelf}, {shelf.digest[:16]}"} | self.corpus.ingredients()

    def place(self, params: Params) -> tuple[Block, Mapping, tuple[int, int], Points, Points]:
        """The flat text, how it gets into the image, the image's height and width, character and word quads."""
        face = open_shelf(self.font_directories, self.fonts).face(params["font"])
        style = Style(face.path, params["tracking"], params["kern"], params["vertical"])
        bend = self.bend.acting(params["bend"]) if self.bend and params["bend"] is not None else []
        others = [warp.acting(drawn) for warp, drawn in zip(self.warps, params["warps"], strict=True)]
        warps = [*bend, *(step for steps in others for step in steps)]
        across, lines = params["across"], params["text"].count("\n") + 1
        margin = (params["margin"][0] * across / lines, params["margin"][1] * across / lines)
        above, below = params["beside"]
        width, height, pitch = flat_size(style, drawing_size(_USUAL_SIZE * across / lines), params["text"])
        rough = expected_scale((width / pitch, height / pitch), warps, across, margin[1], params["vertical"]) / pitch
        size = drawing_size(rough)
        _check_pixels(width * size, height * size)
        block = lay_out(style, size, params["text"], (above, below))
        fitted = fit(block, warps, across, margin, params["vertical"])
        seen = fitted[0].scale / block.pitch
        if size * seen < _LEAST_SIZE:
            raise Rejected(f"The text would be {size * seen:.1f} pixels per em.")
        if not _MILD[0] <= seen <= _MILD[1]:
            block = lay_out(style, drawing_size(size * seen), params["text"], (above, below))
            fitted = fit(block, warps, across, margin, params["vertical"])
        _check_pixels(*fitted[1])
        return block, *fitted


def _check_pixels(one: float, other: float) -> None:
    if one * other > _MOST_PIXELS:
        raise _too_large(f"{one * other:,.0f} pixels; at most {_MOST_PIXELS:,} fit")


def _too_large(what: str) -> InvalidInput:
    return InvalidInput(f"A text image would have {what}.", code="text_too_large")
