"""Is the clustering exact, how fast is it, and how good untuned?

    python -m benchmarks.clustering exact --n 20000 [--seeds 10] [--photos DIR]
    python -m benchmarks.clustering speed --n 20000 [--against fastcluster]
    python -m benchmarks.clustering scale --n 200000 [--sizes 25000,50000,100000,200000,400000]
    python -m benchmarks.clustering quality [--photos DIR] [--degraded 0.5] [--least-photos 1] [--tuning]

`quality` is told in `benchmarks.clustering_quality`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.clustering import (
    Constraints,
    complete_linkage,
    range_graph,
    resolve,
)
from annotation.clustering.graph import LEAST_FILTERED
from annotation.clustering.vectors import Indexes, Vectors, number_clusters
from benchmarks.album import embed_folder
from benchmarks.clustering_quality import quality
from benchmarks.clustering_scale import scale
from benchmarks.machine import save, tell

THRESHOLDS = (0.3, 0.45, 0.6, 0.75, 0.9)
BLOCK = 2048


def made_up(seed: int, n: int) -> tuple[Vectors, Indexes]:
    """128-d vectors of people with ten faces on average, 64 effective dimensions, mean genuine similarity 0.67."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, max(1, n // 10), n)
    people = rng.normal(size=(max(1, n // 10), 64))
    faces = np.sqrt(0.67) * people[truth] + np.sqrt(0.33) * rng.normal(size=(n, 64))
    basis = np.linalg.qr(rng.normal(size=(128, 64)))[0]
    vectors = faces @ basis.T
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def condensed(vectors: Vectors) -> npt.NDArray[np.float64]:
    """The distance matrix as fastcluster wants it, rounded to float32 as ours are."""
    n, exact = len(vectors), vectors.astype(np.float64)
    distances, at = np.empty(n * (n - 1) // 2), 0
    for row in range(0, n, BLOCK):
        block = (1 - exact[row : row + BLOCK] @ exact[row:].T).astype(np.float32)
        for i in range(len(block)):
            upper = block[i, i + 1 :]
            distances[at : at + len(upper)] = np.maximum(upper, 0)
            at += len(upper)
    return distances


def exact(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Our partition against fastcluster's on the full matrix."""
    import fastcluster
    from scipy.cluster.hierarchy import fcluster

    sets: list[tuple[str, Vectors]] = [("photos", embed_folder(arguments.photos, arguments).vectors[: arguments.n])]
    sets += [(f"made up, seed {seed}", made_up(seed, arguments.n)[0]) for seed in range(arguments.seeds)]
    for name, vectors in sets:
        tree = fastcluster.linkage(condensed(vectors), "complete")
        none = resolve(Constraints.none(len(vectors)))
        for threshold in THRESHOLDS:
            start = time.perf_counter()
            linkage = complete_linkage(range_graph(vectors, threshold), none)
            seconds = time.perf_counter() - start
            peer = number_clusters(fcluster(tree, float(np.float32(threshold)), "distance"))
            yield {
                "benchmark": "exact",
                "data": name,
                "n": len(vectors),
                "threshold": threshold,
                "clusters": int(peer.max()) + 1,
                "same_partition": bool(np.array_equal(linkage.labels, peer)),
                "seconds": round(seconds, 3),
            }


def speed(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Seconds and peak memory of both, each in a process of its own."""
    threshold = arguments.threshold
    ours = _alone(_ours, arguments.n, threshold)
    result = {
        "benchmark": "speed",
        "n": arguments.n,
        "threshold": threshold,
        "clusters": int(ours["labels"].max()) + 1,
        "edges": ours["edges"],
        "seconds": round(ours["seconds"], 3),
        "merge_share": round(ours["merge"] / ours["seconds"], 4),
        "peak_mb": ours["peak_mb"],
    }
    if arguments.against == "fastcluster":
        peer = _alone(_fastcluster, arguments.n, threshold)
        result |= {
            "peer": "fastcluster",
            "peer_seconds": round(peer["seconds"], 3),
            "ratio": round(peer["seconds"] / ours["seconds"], 1),
            "same_partition": bool(np.array_equal(ours["labels"], peer["labels"])),
            "peer_peak_mb": peer["peak_mb"],
        }
    yield result


def _scale(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    sizes = [int(size) for size in arguments.sizes.split(",")] if arguments.sizes else [arguments.n]
    yield from scale(made_up, sizes)


def _alone(run: Callable[[int, float], dict[str, Any]], n: int, threshold: float) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run, (n, threshold))


def _ours(n: int, threshold: float) -> dict[str, Any]:
    warm = made_up(1, LEAST_FILTERED)[0]  # Numba compiles once, then caches; torch is loaded once
    complete_linkage(range_graph(warm, threshold), resolve(Constraints.none(len(warm))))
    vectors = made_up(0, n)[0]
    start = time.perf_counter()
    graph = range_graph(vectors, threshold)
    merging = time.perf_counter()
    labels = complete_linkage(graph, resolve(Constraints.none(n))).labels
    end = time.perf_counter()
    return _measured(labels, end - start) | {"merge": end - merging, "edges": len(graph)}


def _fastcluster(n: int, threshold: float) -> dict[str, Any]:
    import fastcluster
    from scipy.cluster.hierarchy import fcluster

    vectors = made_up(0, n)[0]
    start = time.perf_counter()
    tree = fastcluster.linkage(condensed(vectors), "complete", preserve_input=False)
    labels = number_clusters(fcluster(tree, float(np.float32(threshold)), "distance"))
    return _measured(labels, time.perf_counter() - start)


def _measured(labels: Indexes, seconds: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"labels": labels, "seconds": seconds, "peak_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=("exact", "speed", "scale", "quality"))
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=10, help="of `exact`: made-up data sets")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--sizes", help="of `scale`: several n, comma-separated; then tells how the time grows")
    parser.add_argument("--against", choices=("fastcluster",))
    parser.add_argument("--photos", type=Path, help="a folder per person; LOUPE_TEST_DATA/lfw/photos if there is one")
    parser.add_argument("--degraded", type=float, default=0.0)
    parser.add_argument("--least-photos", type=int, default=1)
    parser.add_argument("--tuning", action="store_true", help="of `quality`: without the people kept for judging")
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", help="name of a file under benchmarks/results to keep the results in")
    arguments = parser.parse_args()
    if arguments.photos is None and arguments.question in ("exact", "quality"):
        arguments.photos = Path(os.environ.get("LOUPE_TEST_DATA", "../shared/data")) / "lfw/photos"
        if not arguments.photos.is_dir():
            parser.error(f"{arguments.photos} is missing; give --photos or set LOUPE_TEST_DATA")
    results = []
    for result in {"exact": exact, "speed": speed, "scale": _scale, "quality": quality}[arguments.question](arguments):
        tell(result)
        results.append(result)
    if arguments.save:
        options = {name: value for name, value in vars(arguments).items() if name not in ("question", "save")}
        settings = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items() if value)
        save(arguments.save, results, command=f"python -m benchmarks.clustering {arguments.question} {settings}")


if __name__ == "__main__":
    main()
