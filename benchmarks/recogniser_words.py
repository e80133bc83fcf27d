"""The real words that the recogniser is tried on: boxes in photos and in pictures of Debian's packages, typed by eye.

`recogniser_words.csv` has one word a row: `source`, a path below the test data (`lfw/...`, `groups/...`) or below a
folder of unpacked packages (its first part is the package's name); `kind`, `photo` or `screen` (screenshots, drawings,
scans); the box in pixels; `turns`, quarter turns clockwise that make the word upright; `text` as printed. What a person
couldn't read, hidden or cut words and those lower than about 9 pixels were left out; all were chosen
before any recogniser had been trained.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

WORDS: Final = Path(__file__).with_suffix(".csv")
TEST_DATA: Final = ("lfw", "groups")  # first folders of what lies in the test data
HEIGHT: Final = 32
WIDTHS: Final = (16, 320)


@dataclass(frozen=True, slots=True)
class Word:
    """Where a word is seen, and what it says."""

    source: str
    kind: str
    box: tuple[int, int, int, int]
    turns: int
    text: str

    @property
    def half(self) -> str:
        """`choosing` or `reporting`, by the picture that the word is in."""
        return "choosing" if hashlib.sha256(self.source.encode()).digest()[0] % 2 else "reporting"


def read_words(path: Path = WORDS) -> list[Word]:
    """Every row of the list.

    Raises:
        ValueError: a row has no text, no area or an unknown kind.
    """
    words = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            box = (int(row["x"]), int(row["y"]), int(row["width"]), int(row["height"]))
            if not row["text"] or min(box[:2]) < 0 or min(box[2:]) < 1 or row["kind"] not in ("photo", "screen"):
                raise ValueError(f"{path.name}, line {number}: {row}")
            words.append(Word(row["source"], row["kind"], box, int(row["turns"]), row["text"]))
    return words


def cut(picture: NDArray[np.uint8], word: Word) -> NDArray[np.uint8]:
    """The word, upright, of the same channels as the picture.

    Raises:
        ValueError: the box isn't inside the picture.
    """
    x, y, width, height = word.box
    if x + width > picture.shape[1] or y + height > picture.shape[0]:
        raise ValueError(f"{word.source}: the box {word.box} leaves the picture of {picture.shape[1::-1]}")
    return np.ascontiguousarray(np.rot90(picture[y : y + height, x : x + width], -word.turns))


def line(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of a word, RGB or grey, as grey uint8 (32, w): how every recogniser sees it."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    width = int(np.clip(round(grey.shape[1] * HEIGHT / grey.shape[0]), *WIDTHS))
    shrinks = grey.shape[0] > HEIGHT
    resized = cv2.resize(grey, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(resized, dtype=np.uint8)


def locate(word: Word, data: Path, packages: Path) -> Path:
    """The file that the word is in."""
    return (data if word.source.split("/", 1)[0] in TEST_DATA else packages) / word.source


def cut_all(words: list[Word], data: Path, packages: Path) -> list[NDArray[np.uint8]]:
    """Every word as `line` gives it.

    Raises:
        FileNotFoundError: a photo or a package is missing.
    """
    lines = []
    for word in words:
        path = locate(word, data, packages)
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise FileNotFoundError(f"{word.source} is neither in {data} nor in {packages}")
        lines.append(line(cut(np.asarray(picture, dtype=np.uint8), word)))
    return lines
