"""Is a face's quality worth knowing? Error versus reject: leaving out the pairs of lowest quality must lower the error.

    python -m benchmarks.quality --pairs ../shared/data/lfw/pairs.csv [--degraded 0.5] [--far 1e-3] [--save]

Genuine pairs are the official ones; impostor pairs are all pairs of two people's photos among them, since a false-match
rate of 1e-3 needs more than the list holds. A pair is as good as its worse face, and the threshold is that of all pairs
(Grother and Tabassi, TPAMI 2007). One JSON line per rejected share; then one per single measure, with the error at
20 % rejected, for comparison.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lfw import Pairs, load_pairs
from benchmarks.machine import save, tell
from models_zoo.detection import YuNet
from models_zoo.embedding import open_embedder
from models_zoo.evaluation.verification import error_versus_reject
from models_zoo.specs import spec
from models_zoo.weights import fetch

Floats = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="LFW's pairs.csv, with photos/ beside it")
    parser.add_argument("--degraded", type=float, default=0.5, help="share of the photos to degrade first")
    parser.add_argument("--far", type=float, default=1e-3)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    pairs = load_pairs(options.pairs, YuNet(fetch(spec("yunet"), directory=options.weights)), degraded=options.degraded)
    vectors = open_embedder(fetch(spec("sface"), directory=options.weights)).embed(pairs.crops)
    results = []
    for result in curves(pairs, vectors, options.far):
        result |= {"degraded": options.degraded, "far": options.far}
        tell(result)
        results.append(result)
    if options.save:
        command = f"python -m benchmarks.quality --pairs lfw/pairs.csv --degraded {options.degraded}"
        save("quality", results, command=command)


def curves(pairs: Pairs, vectors: Floats, far: float) -> Iterator[dict[str, Any]]:
    """The combined score's curve, then each measure's error at one rejected share."""
    rows, same = comparisons(pairs)
    similarity = (vectors[rows[:, 0]] * vectors[rows[:, 1]]).sum(axis=1)

    def curve(values: Floats) -> list[dict[str, float]]:
        return error_versus_reject(similarity, same, values[rows].min(axis=1), far)

    for point in curve(pairs.quality.quality):
        yield {"benchmark": "quality", "measure": "combined"} | {key: round(value, 5) for key, value in point.items()}
    quality = pairs.quality
    singles = {
        "size": quality.size_px,
        "sharpness": quality.sharpness,
        "contrast": quality.contrast,
        "frontal": -np.hypot(quality.yaw, quality.pitch),
    }
    for name, values in singles.items():
        point = curve(values)[4]
        yield {"benchmark": "quality", "measure": name, "reject": point["reject"], "fnmr": round(point["fnmr"], 5)}


def comparisons(pairs: Pairs) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows of the official genuine pairs, then of all impostor pairs."""
    genuine = pairs.rows[pairs.same]
    a, b = np.triu_indices(len(pairs.people), 1)
    others = pairs.people[a] != pairs.people[b]
    rows = np.concatenate([genuine, np.column_stack([a[others], b[others]])])
    return rows, np.arange(len(rows)) < len(genuine)


if __name__ == "__main__":
    main()
