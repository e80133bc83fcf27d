"""Do Loupe's text images teach reading better than trdg's? One small recogniser, trained on either, on real words.

`python -m benchmarks.recogniser --trdg PYTHON --packages FOLDER [--data FOLDER] [--keep FOLDER] [--save]`

Same texts (drawn from trdg's English dictionary, see `recogniser_images.draw_texts`), same count, network, steps and
seeds; no augmentation, nothing real in training. The 228 words are cut from the photos of the test data and from the
pictures of these packages of Debian 12, each unpacked into a folder of its name below FOLDER: `apt-get download NAME`,
`dpkg-deb -x NAME_*.deb FOLDER/NAME` for debian-edu-doc-en 2.12.23~deb12u1, debian-handbook 11.20220922,
gimp-help-en 2.10.34-2, gnome-user-docs 43.0-2, inkscape-tutorials 1.2.2-2+deb12u1, opencv-doc 4.6.0+dfsg-12 and
tuxpaint-stamps-default 2022.06.04-1. Half of the pictures may serve for choosing; presets are compared on the other.

With `--keep` made images and finished trainings stay in a folder and are used again. One JSON object per line: each
training, then each source's mean over the seeds, then the difference with its 95% interval (words drawn anew 10,000
times, all of a picture together).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.machine import save, tell
from benchmarks.recogniser_images import draw_texts, from_loupe, from_trdg, trdg_words
from benchmarks.recogniser_network import train, transcribe
from benchmarks.recogniser_words import Word, cut_all, read_words

DATA: Final = Path(os.environ.get("LOUPE_TEST_DATA", "../shared/data"))
SEED: Final = 7
DRAWS: Final = 10_000
MEASURES: Final = ("words_right", "words_right_any_case", "character_error_rate")


def edits(found: str, truth: str) -> int:
    """The least number of characters to insert, remove or replace."""
    row = list(range(len(truth) + 1))
    for down, one in enumerate(found, start=1):
        before, row[0] = row[0], down
        for across, other in enumerate(truth, start=1):
            before, row[across] = row[across], min(row[across] + 1, row[across - 1] + 1, before + (one != other))
    return row[-1]


def judge(found: list[str], words: list[Word]) -> NDArray[np.float64]:
    """Per word: right, right but for capitals, edits, characters; float64 (n, 4)."""
    return np.array(
        [
            (one == word.text, one.lower() == word.text.lower(), edits(one, word.text), len(word.text))
            for one, word in zip(found, words, strict=True)
        ],
        dtype=np.float64,
    )


def redrawn(judged: NDArray[np.float64], pictures: list[str], draws: int) -> NDArray[np.float64]:
    """`MEASURES` (draws, 3) of the words of as many pictures drawn with replacement; the same draws each time."""
    names, index = np.unique(pictures, return_inverse=True)
    sums = np.zeros((len(names), 5))
    np.add.at(sums, index, np.column_stack([judged, np.ones(len(judged))]))
    times = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    right, any_case, wrong, characters, words = (times @ sums).T
    return np.column_stack([right / words, any_case / words, wrong / characters])


def summary(judged: NDArray[np.float64]) -> dict[str, float]:
    """`MEASURES` of judged words (n, 4)."""
    right, any_case, wrong, characters = judged.sum(axis=0)
    values = (right / len(judged), any_case / len(judged), wrong / characters)
    return {name: round(float(value), 4) for name, value in zip(MEASURES, values, strict=True)}


def spread(ends: NDArray[np.float64]) -> dict[str, list[float]]:
    """The 95% interval of each of `MEASURES`, from draws (draws, 3)."""
    low, high = np.quantile(ends, [0.025, 0.975], axis=0).round(4).tolist()
    return {name: list(pair) for name, *pair in zip(MEASURES, low, high, strict=True)}


def report(judged: dict[str, list[NDArray[np.float64]]], words: list[Word]) -> Iterator[dict[str, Any]]:
    """Rows for all words, each kind and each half: each source's mean over its trainings, the first less the others."""
    parts = {"all": np.ones(len(words), bool)}
    parts |= {kind: np.array([word.kind == kind for word in words]) for kind in ("photo", "screen")}
    parts |= {half: np.array([word.half == half for word in words]) for half in ("choosing", "reporting")}
    for part, chosen in parts.items():
        pictures = [word.source for word, here in zip(words, chosen, strict=True) if here]
        means = {source: np.mean(each, axis=0)[chosen] for source, each in judged.items()}
        draws = {source: redrawn(mean, pictures, DRAWS) for source, mean in means.items()}
        about = {"words": part, "count": len(pictures), "pictures": len(set(pictures))}
        for source, mean in means.items():
            yield {"what": "mean", "source": source} | about | summary(mean) | {"interval": spread(draws[source])}
        first, *others = means
        for other in others:
            less = {name: round(summary(means[first])[name] - summary(means[other])[name], 4) for name in MEASURES}
            gap = spread(draws[first] - draws[other])
            yield {"what": "difference", "source": first, "less": other} | about | less | {"interval": gap}


class Store:
    """Made images and finished trainings, kept in a folder if there is one."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.texts: list[str] = []
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)

    def images(self, source: str) -> tuple[list[NDArray[np.uint8]], list[str]]:
        """The training set of `trdg` or of a preset."""
        count = self.options.count
        path = self.options.keep / f"{source}-{count}.npz" if self.options.keep else None
        if path and path.exists():
            with np.load(path) as kept:
                return np.split(kept["pixels"], kept["ends"][:-1], axis=1), kept["texts"].tolist()
        self.texts = self.texts or draw_texts(trdg_words(self.options.trdg), count, SEED)
        begin = time.perf_counter()
        made = (
            from_trdg(self.options.trdg, self.texts, SEED) if source == "trdg" else from_loupe(source, self.texts, SEED)
        )
        sys.stderr.write(f"{source}: {count} images in {time.perf_counter() - begin:.0f} s\n")
        if path:
            ends = np.cumsum([image.shape[1] for image in made[0]])
            np.savez(path, pixels=np.concatenate(made[0], axis=1), ends=ends, texts=np.array(made[1]))
        return made

    def reading(self, source: str, seed: int, lines: list[NDArray[np.uint8]]) -> dict[str, Any]:
        """What a recogniser trained on the source reads on the lines, and how long its training took."""
        options = self.options
        path = options.keep / f"{source}-{options.count}-{options.steps}-{seed}.json" if options.keep else None
        if path and path.exists():
            return dict(json.loads(path.read_text()))
        images, texts = self.images(source)
        begin = time.process_time()
        model = train(
            images, texts, options.steps, seed, lambda said: print(f"{source} {seed}: {said}", file=sys.stderr)
        )
        read = {"cpu_s": round(time.process_time() - begin), "read": transcribe(model, lines)}
        if path:
            path.write_text(json.dumps(read))
        return read


def measure(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each training, then those of `report`."""
    words, store = read_words(), Store(options)
    lines = cut_all(words, options.data, options.packages)
    judged: dict[str, list[NDArray[np.float64]]] = {}
    for seed in options.seeds:
        for source in options.sources:
            read = store.reading(source, seed, lines)
            judged.setdefault(source, []).append(judge(read["read"], words))
            about = {"source": source, "seed": seed, "images": options.count, "steps": options.steps}
            yield {"what": "training"} | about | {"cpu_s": read["cpu_s"]} | summary(judged[source][-1])
    yield from report(judged, words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trdg", metavar="PYTHON", required=True, help="an interpreter that has trdg 1.8.0")
    parser.add_argument("--packages", type=Path, required=True, help="where Debian's packages are unpacked")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--count", type=int, default=20_000, help="images to train on")
    parser.add_argument("--steps", type=int, default=2_000, help="batches of 64")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sources", nargs="+", default=["text", "trdg"], help="presets of text, and trdg")
    parser.add_argument("--keep", type=Path, help="a folder for made images and finished trainings")
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in measure(options):
        tell(row)
        rows.append(row)
    if options.save:
        save("recogniser", rows, command="python -m benchmarks.recogniser")


if __name__ == "__main__":
    main()
