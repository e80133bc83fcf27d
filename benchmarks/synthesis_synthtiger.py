"""Horizontal text lines by SynthTIGER's own components, as a peer of `benchmarks.synthesis`.

`PYTHON benchmarks/synthesis_synthtiger.py COUNT WORDS FONTS`, with an interpreter that has synthtiger (and numpy < 2);
WORDS is a file with a word a line, FONTS a folder of fonts with, beside each, its characters as text.

The order of its steps and their ranges are those of SynthTIGER's published horizontal recipe, as far as the package
has what they need: its colour maps and textures are no part of it, so colours are drawn apart by at least 60 grey
levels, and grounds are plain. Its flood-fill check of legibility, which is slow, is left out, too.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import cv2
import numpy as np
from synthtiger import _version, components, layers, utils  # type: ignore[import-not-found, unused-ignore]

SIZE = (32, 48)  # pixels per em, for images about as high as the others'


class Lines:
    def __init__(self, words: str, fonts: str) -> None:
        self.corpus = components.LengthAugmentableCorpus(
            paths=[words],
            weights=[1],
            min_length=1,
            max_length=25,
            textcase=["lower", "upper", "capitalize"],
            augmentation=0.1,
            augmentation_length=(1, 25),
        )
        self.font = components.BaseFont(paths=[fonts], weights=[1], size=SIZE, bold=0.5)
        self.color = components.Gray(gray=(0, 255), alpha=(1, 1), colorize=1)
        self.shape = components.Selector(
            [
                components.ElasticDistortion(alpha=(15, 30), sigma=(4, 12)),
                components.ElasticDistortion(alpha=(0, 2), sigma=(0, 0.6)),
            ]
        )
        self.layout = components.Selector(
            [
                components.FlowLayout(space=(-2, 5), line_align=("middle",)),
                components.CurveLayout(curve=(20, 40), space=(-2, 5), convex=0.5, upward=0.5),
            ],
            weights=[4, 1],
        )
        self.style = components.Switch(
            components.Selector(
                [
                    components.TextBorder(size=(1, 12), alpha=(1, 1)),
                    components.TextShadow(distance=(1, 6), angle=(0, 360), alpha=(0.3, 0.7)),
                    components.TextExtrusion(length=(1, 12), angle=(0, 360), alpha=(1, 1)),
                ],
                weights=[1, 2, 2],
            ),
            prob=0.25,
        )
        self.transform = components.Selector(
            [
                components.Perspective(percents=((0.5, 1), (1, 1)), aligns=((0, 0), (0, 0))),
                components.Perspective(percents=((1, 1), (0.5, 1)), aligns=((0, 0), (0, 0))),
                components.Trapezoidate(weights=(1, 0, 1, 0), percent=(0.75, 1), align=(-1, 1)),
                components.Trapezoidate(weights=(0, 1, 0, 1), percent=(0.5, 1), align=(-1, 1)),
                components.Skew(weights=(1, 0), angle=(0, 30), ccw=0.5),
                components.Skew(weights=(0, 1), angle=(0, 10), ccw=0.5),
                components.Rotate(angle=(0, 10), ccw=0.5),
            ],
            weights=[1, 1, 1, 1, 1, 1, 2],
        )
        self.fit = components.Fit()
        self.pad = components.Pad(pxs=((0, 10),) * 4)
        self.offset = components.Translate(percents=((-0.5, 0.5), (-0.5, 0.5)))
        self.after = components.Iterator(
            [
                components.AdditiveGaussianNoise(scale=(4, 8)),
                components.Switch(components.GaussianBlur(sigma=(0, 2)), prob=0.9),
                components.Switch(components.Resample(size=(0.4, 0.4)), prob=0.1),
                components.MedianBlur(k=(1, 1)),
            ]
        )

    def generate(self) -> Any:
        """One image, float32 (h, w, 4)."""
        ink, ground, style_color = self._colors()
        style = self.style.sample()
        if style["state"]:
            style["meta"]["meta"]["rgb"] = style_color["rgb"]
        text, letters = self._text(ink, style)
        self.fit.apply(letters)
        for letter in letters:
            letter.topleft -= text.topleft
        image = text.output()
        plain = layers.RectLayer(image.shape[1::-1])
        self.color.apply([plain], ground)
        under = plain.output()
        if np.random.rand() < 0.25:  # noqa: NPY002 what synthtiger draws from
            beside, _ = self._text(self.color.sample(), self.style.sample())
            beside = layers.Layer(beside.output())
            beside.bbox = (0, 0, *image.shape[1::-1])
            self.offset.apply([beside])
            under = utils.blend_image(beside.output(bbox=(0, 0, *image.shape[1::-1])), under)
        done = layers.Layer(utils.blend_image(image, under))
        self.after.apply([done])
        return done.output()

    def _colors(self) -> Any:
        while True:
            drawn = [self.color.sample() for _ in range(3)]
            first, second = (np.mean(color["rgb"]) for color in drawn[:2])
            if abs(first - second) >= 60:
                return drawn

    def _text(self, color: Any, style: Any) -> Any:
        """A line and its letters, as layers."""
        chars = utils.split_text(self.corpus.data(self.corpus.sample()), reorder=True)
        font = self.font.sample({"text": "".join(chars), "vertical": False})
        letters = [layers.TextLayer(char, **font) for char in chars]
        self.shape.apply(letters)
        self.layout.apply(letters, {"meta": {"vertical": False}})
        text = layers.Group(letters).merge()
        transform = self.transform.sample()
        self.color.apply([text], color)
        self.style.apply([text], style)
        self.transform.apply([text], transform)
        self.transform.apply(letters, transform)
        self.fit.apply([text])
        self.pad.apply([text])
        return text, letters


def main() -> None:
    count, words, fonts = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    cv2.setNumThreads(1)
    np.random.seed(7)  # noqa: NPY002 as above
    lines = Lines(words, fonts)
    heights: list[int] = []
    again = 0
    for first in (True, False):  # once to warm up
        begin = time.process_time()
        heights.clear()
        again = 0
        while len(heights) < (count if not first else min(count, 100)):
            try:
                heights.append(lines.generate().shape[0])
            except Exception:  # as its own command does: another draw
                again += 1
                if again > 10 * count:
                    raise
        seconds = time.process_time() - begin
    about = {"images_per_s": round(count / seconds, 1), "median_height": statistics.median(heights)}
    print(json.dumps(about | {"version": _version.__version__, "draws_that_failed": again}))


if __name__ == "__main__":
    main()
