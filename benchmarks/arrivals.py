"""What do new faces cost and lose that join the clusters of a run, beside a full run over all faces?

    python -m benchmarks.arrivals --n 200000 --new 2000
    python -m benchmarks.arrivals --photos DIR [--tuning] [--batches 10]

Made-up embeddings, ten faces a person: `--new` random faces join a clustering of the others; seconds beside those of a
full run in the same process, in turns, the median of each. With photos, half of them, chosen at random, are clustered,
and the others arrive in batches; BCubed against the folder names beside that of full runs over all photos, one with the
thresholds of the first half and one that calibrates anew. Thresholds come from the label-free calibration.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np

from annotation.clustering import Agreement, Thresholds, agreement, calibrate, cluster, join_arrivals
from annotation.clustering.graph import LEAST_FILTERED
from annotation.clustering.vectors import Indexes, Vectors
from benchmarks.album import embed_folder
from benchmarks.clustering import made_up
from benchmarks.machine import save, tell

T = TypeVar("T")


def speed(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Joining beside a full run."""
    warm, _ = made_up(1, LEAST_FILTERED)  # Numba compiles once, then caches; torch is loaded once
    _join(
        warm, cluster(warm, thresholds=Thresholds(0.5, 0.5)).labels, np.arange(0, len(warm), 20), Thresholds(0.5, 0.5)
    )
    vectors, people = made_up(0, arguments.n)
    new = np.sort(np.random.default_rng(0).permutation(arguments.n)[: arguments.new])
    old = np.setdiff1d(np.arange(arguments.n), new)
    thresholds = calibrate(vectors[old]).thresholds
    before = cluster(vectors[old], thresholds=thresholds)
    thresholds = before.thresholds
    settled = np.zeros(arguments.n, np.int64)
    settled[old] = before.labels
    full_seconds, seconds, bridges = [], [], 0
    full = joined = settled
    for _ in range(arguments.repeats):
        full, spent = _timed(lambda: cluster(vectors, thresholds=thresholds).labels)
        full_seconds.append(spent)
        (joined, bridges), spent = _timed(lambda: _join(vectors, settled, new, thresholds))
        seconds.append(spent)
    yield {
        "benchmark": "arrivals",
        "data": "made up",
        "n": arguments.n,
        "new": arguments.new,
        "seconds": round(float(np.median(seconds)), 3),
        "peer": "full run",
        "peer_seconds": round(float(np.median(full_seconds)), 3),
        "ratio": round(float(np.median(full_seconds) / np.median(seconds)), 1),
        "repeats": arguments.repeats,
        "threads": numba.get_num_threads(),
        "threshold": round(thresholds.core_distance, 4),
        "bridges": bridges,
        **_told("", agreement(joined, people)),
        **_told("peer_", agreement(full, people)),
        "bcubed_f_to_peer": round(agreement(joined, full).bcubed.f, 5),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def quality(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Photos that arrive in batches beside all photos at once."""
    album = embed_folder(arguments.photos, arguments)
    order = np.random.default_rng(arguments.seed).permutation(len(album.vectors))
    vectors, truth = album.vectors[order], album.truth[order]
    first = len(vectors) // 2
    settled = np.full(len(vectors), -1, np.int64)
    run = cluster(vectors[:first], thresholds=calibrate(vectors[:first]).thresholds)
    settled[:first], thresholds = run.labels, run.thresholds
    ends = np.linspace(first, len(vectors), arguments.batches + 1).astype(int)
    bridges, seconds = 0, []
    for begin, end in itertools.pairwise(ends.tolist()):
        start = time.perf_counter()
        settled[:end], bridged = _join(vectors[:end], settled[:end], np.arange(begin, end), thresholds)
        seconds.append(time.perf_counter() - start)
        bridges += bridged
    same, same_seconds = _timed(lambda: cluster(vectors, thresholds=thresholds).labels)
    anew = cluster(vectors, thresholds=calibrate(vectors).thresholds).labels
    yield {
        "benchmark": "arrivals",
        "data": "photos",
        "n": len(vectors),
        "first": first,
        "batches": arguments.batches,
        "seed": arguments.seed,
        "seconds": round(float(np.median(seconds)), 4),
        "peer": "full run",
        "peer_seconds": round(same_seconds, 4),
        "bridges": bridges,
        **_told("", agreement(settled, truth)),
        **_told("first_", agreement(run.labels, truth[:first])),
        **_told("peer_", agreement(same, truth)),
        **_told("recalibrated_", agreement(anew, truth)),
        "bcubed_f_to_peer": round(agreement(settled, same).bcubed.f, 5),
        "threshold": round(thresholds.core_distance, 4),
    }


def _join(vectors: Vectors, settled: Indexes, new: Indexes, thresholds: Thresholds) -> tuple[Indexes, int]:
    before = settled.copy()
    before[new] = -1
    found = join_arrivals(vectors, before, thresholds=thresholds)
    return found.labels, len(found.bridges)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def _told(name: str, found: Agreement) -> dict[str, Any]:
    return {
        f"{name}clusters": found.clusters,
        f"{name}bcubed_f": round(found.bcubed.f, 5),
        f"{name}bcubed_precision": round(found.bcubed.precision, 5),
        f"{name}bcubed_recall": round(found.bcubed.recall, 5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--new", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--photos", type=Path, help="a folder per person: ask about quality, not speed")
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the order of the photos")
    parser.add_argument("--degraded", type=float, default=0.0)
    parser.add_argument("--least-photos", type=int, default=1)
    parser.add_argument("--tuning", action="store_true", help="without the people kept for judging")
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", help="name of a file under benchmarks/results to keep the results in")
    arguments = parser.parse_args()
    results = []
    for result in (quality if arguments.photos else speed)(arguments):
        tell(result)
        results.append(result)
    if arguments.save:
        options = {name: value for name, value in vars(arguments).items() if name != "save"}
        settings = " ".join(
            f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')} {value}"
            for name, value in options.items()
            if value
        )
        save(arguments.save, results, command=f"python -m benchmarks.arrivals {settings}")


if __name__ == "__main__":
    main()
