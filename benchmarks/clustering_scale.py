"""Does clustering a million faces take less time than the float32 products of its upper triangle alone?

    python -m benchmarks.clustering scale --n 200000 [--sizes 25000,50000,100000,200000,400000]

Made-up embeddings, ten faces a person (`benchmarks.clustering.made_up`). The threshold is the one at which a random
pair of two people matches with probability 1e-5. The floor is what bare float32 NumPy products of all tiles of the
upper triangle would take on the same cores, from samples of tiles before and after the search, the faster one.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from annotation.clustering import Constraints, complete_linkage, range_graph, resolve
from annotation.clustering.graph import LEAST_FILTERED
from annotation.clustering.vectors import Indexes, Vectors, pair_distances

FALSE_MATCH_RATE = 1e-5
IMPOSTOR_PAIRS = 20_000_000
FLOOR_TILE = 4096  # rows; NumPy's products are no faster in larger tiles
FLOOR_SECONDS = 5.0  # of products, each sample

MadeUp = Callable[[int, int], tuple[Vectors, Indexes]]


def scale(made_up: MadeUp, sizes: list[int]) -> Iterator[dict[str, Any]]:
    """One result for each size, each in a process of its own; then, from several sizes, how time grows with n."""
    results = []
    for n in sizes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            results.append(pool.apply(_measure, (made_up, n)))
        yield results[-1]
    if len(results) > 2:
        logs = np.log([[result["n"], result["seconds"]] for result in results])
        exponent = np.polyfit(logs[:, 0], logs[:, 1], 1)[0]
        yield {"benchmark": "scale", "sizes": sizes, "growth_exponent": round(float(exponent), 3)}


def _measure(made_up: MadeUp, n: int) -> dict[str, Any]:
    warm, _ = made_up(1, LEAST_FILTERED)  # Numba compiles once, then caches; torch is loaded once
    complete_linkage(range_graph(warm, 0.5), resolve(Constraints.none(len(warm))))
    vectors, people = made_up(0, n)
    threshold = impostor_threshold(vectors, people)
    floor = floor_seconds(vectors)
    start = time.perf_counter()
    graph = range_graph(vectors, threshold)
    merging = time.perf_counter()
    labels = complete_linkage(graph, resolve(Constraints.none(n))).labels
    end = time.perf_counter()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    floor = min(floor, floor_seconds(vectors))
    return {
        "benchmark": "scale",
        "n": n,
        "seconds": round(end - start, 2),
        "floor_seconds": round(floor, 2),
        "floor_gflops": round(n * (n + 1) * vectors.shape[1] / floor / 1e9, 1),
        "ratio": round((end - start) / floor, 4),
        "merge_share": round((end - merging) / (end - start), 4),
        "peak_mb": peak_mb,
        "edges": len(graph),
        "clusters": int(labels.max()) + 1,
        "threshold": round(threshold, 4),
        "false_match_rate": FALSE_MATCH_RATE,
    }


def impostor_threshold(vectors: Vectors, people: Indexes) -> float:
    """The cosine distance below which random pairs of two people fall at the false-match rate."""
    rng = np.random.default_rng(0)
    kept: list[np.ndarray] = []
    for _ in range(10):
        rows, columns = rng.integers(0, len(vectors), (2, IMPOSTOR_PAIRS // 10), dtype=np.int32)
        apart = people[rows] != people[columns]
        kept.append(pair_distances(vectors, rows[apart], columns[apart]))
    return float(np.quantile(np.concatenate(kept), FALSE_MATCH_RATE))


def floor_seconds(vectors: Vectors) -> float:
    """Seconds of bare float32 NumPy products of the upper triangle, from the median of random tiles."""
    n, tile = len(vectors), min(FLOOR_TILE, len(vectors))
    rng = np.random.default_rng(0)
    out = np.empty((tile, tile), np.float32)
    np.matmul(vectors[:tile], vectors[:tile].T, out=out)
    seconds: list[float] = []
    while sum(seconds) < FLOOR_SECONDS:
        row, column = rng.integers(0, n - tile + 1, 2)
        start = time.perf_counter()
        np.matmul(vectors[row : row + tile], vectors[column : column + tile].T, out=out)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * (n * (n + 1) / 2) / tile**2
