"""Pictures of words to train a recogniser on: the same texts drawn by Loupe's text generator and by trdg."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from benchmarks.recogniser_words import line
from synthesis.mixture import Mixture
from synthesis.recipes import load_preset
from synthesis.samples import make_sample
from synthesis.text.corpora import Codes, Corpus, Dates, Mix, Prices, Weights
from synthesis.text.lines import TextLines

CHARACTERS: Final = "".join(chr(code) for code in range(33, 127))
LONGEST: Final = 16

# Run by trdg's interpreter: font, ground, distortion, skew, blur, margins, stroke and colour are drawn for each image
# from what trdg 1.8.0 offers. For its good, no light text on its white grounds, and never its quasicrystals, on which
# little can be read. Where it gives nothing, since text and ground are too alike, it is asked anew, as Loupe's
# generator asks itself.
_TRDG: Final = """
import contextlib, json, os, random, sys
import cv2, numpy as np, trdg
from trdg.generators import GeneratorFromStrings
from trdg.utils import load_fonts
request = json.load(open(sys.argv[1]))
random.seed(request["seed"]); np.random.seed(request["seed"]); cv2.setRNGSeed(request["seed"])
fonts = load_fonts("en")
made = []
for text in request["texts"]:
    image = None
    while image is None:
        with contextlib.redirect_stdout(sys.stderr):
            stroke = random.random() < 0.1
            ground = random.choice([0, 1, 3, 3])
            colours = ["#000000,#A0A0A0"] if ground < 2 else ["#000000,#606060", "#000000,#FFFFFF", "#FFFFFF"]
            colours = random.choice(colours)
            generator = GeneratorFromStrings(
                [text], fonts=[random.choice(fonts)], size=random.randint(32, 64),
                skewing_angle=random.choice([0, 3, 6]), random_skew=True,
                blur=random.choice([0, 1, 2]), random_blur=True, image_dir=os.path.join(trdg.__path__[0], "images"),
                background_type=ground, distorsion_type=random.choice([0, 0, 1, 2, 3]),
                distorsion_orientation=random.randint(0, 2), text_color=colours, fit=random.random() < 0.5,
                character_spacing=random.choice([0, 0, 1, 3]), margins=tuple(random.randint(1, 7) for _ in range(4)),
                stroke_width=int(stroke), stroke_fill=colours.split(",")[0])
            with contextlib.suppress(OSError, ValueError):  # some of its fonts fail
                image, _ = next(generator)
    made.append(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2GRAY))
np.savez(sys.argv[2], *made)
"""


@dataclass(frozen=True, slots=True)
class Texts(Corpus):
    """One of the given texts, each as likely."""

    texts: tuple[str, ...]

    def draw(self, rng: Rng) -> str:
        return self.texts[int(rng.integers(len(self.texts)))]

    def characters(self) -> frozenset[str]:
        return frozenset().union(*self.texts)


def draw_texts(words: list[str], count: int, seed: int) -> list[str]:
    """What the images say: seven of ten a word of 2 to 14 letters, all lengths as likely, in small letters, capitals or
    with a capital first one; the others numbers, codes, prices, dates or weights; one of ten ends with a mark."""
    rng = np.random.default_rng(seed)
    lengths: dict[int, list[str]] = {}
    for word in dict.fromkeys(words):
        if word.isascii() and word.isalpha() and 2 <= len(word) <= 14:
            lengths.setdefault(len(word), []).append(word)
    digits = Codes(alphabet="0123456789", length=(1, 5), separators="")
    others = Mix((digits, Codes(length=(2, 8)), Prices(currencies=("$", "")), Dates(), Weights()), (3, 2, 1, 1, 1))
    texts: list[str] = []
    while len(texts) < count:
        if rng.random() < 0.7:
            same = lengths[int(rng.choice(list(lengths)))]
            word = same[int(rng.integers(len(same)))]
            text = (word.lower(), word.upper(), word.capitalize())[int(rng.integers(3))]
        else:
            text = others.draw(rng).split()[0]
        if rng.random() < 0.1:
            text = str(rng.choice(["{}.", "{},", "{}:", "{}!", "[{}]", "({})", "{}-", "{}'s"])).format(text)
        if len(text) <= LONGEST and set(text) <= set(CHARACTERS):
            texts.append(text)
    return texts


def single_words(generator: Any, corpus: Corpus) -> Any:
    """The generator writing upright single words of `corpus`; all else as its preset says."""
    if isinstance(generator, Mixture):
        return replace(generator, generators=tuple(single_words(one, corpus) for one in generator.generators))
    assert isinstance(generator, TextLines)
    return replace(generator, corpus=corpus, layout=replace(generator.layout, lines=(1, 1), vertical=0.0))


def from_loupe(preset: str, texts: list[str], seed: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """As many images as texts, as `line` gives them, and what they say."""
    generator = single_words(load_preset(preset), Texts(tuple(texts)))
    samples = (make_sample(generator, seed, index) for index in range(len(texts)))
    made = [(line(sample.image), str(sample.labels["text"])) for sample in samples]
    return [image for image, _ in made], [text for _, text in made]


def from_trdg(python: str, texts: list[str], seed: int) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """As `from_loupe`; `python` is an interpreter that has trdg."""
    with tempfile.TemporaryDirectory() as folder:
        request, made = Path(folder, "request.json"), Path(folder, "made.npz")
        request.write_text(json.dumps({"seed": seed, "texts": texts}))
        subprocess.run([python, "-c", _TRDG, str(request), str(made)], check=True, stderr=subprocess.DEVNULL)
        with np.load(made) as images:
            return [line(images[name]) for name in images.files], texts


def trdg_words(python: str) -> list[str]:
    """trdg's English dictionary."""
    script = "import trdg; print(trdg.__path__[0])"
    found = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
    return Path(found, "dicts", "en.txt").read_text(encoding="utf-8").split()
