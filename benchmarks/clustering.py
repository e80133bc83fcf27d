"""Is the clustering exact, how fast is it, and how good untuned?

    python -m benchmarks.clustering exact --n 5000 [--seeds 3] [--photos DIR]
    python -m benchmarks.clustering speed --n 20000 [--against fastcluster]
    python -m benchmarks.clustering scale --n 200000 [--sizes 25000,50000,100000,200000,400000]
    python -m benchmarks.clustering quality --photos DIR [--degraded 0.5] [--least-photos 1] [--weights DIR]

`quality` takes a folder with one sub-folder per person, mixes all photos into one album, calibrates without labels and
clusters; folder names only measure. People whose sha256(name) % 10 is below 4 stay held out, here as in training.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.clustering import (
    Constraints,
    Score,
    Thresholds,
    agreement,
    calibrate,
    cluster,
    complete_linkage,
    range_graph,
    resolve,
)
from annotation.clustering.graph import LEAST_FILTERED
from annotation.clustering.vectors import Indexes, Vectors, number_clusters
from annotation.imaging.decode import decode
from benchmarks.clustering_scale import scale
from benchmarks.machine import save, tell
from models_zoo.alignment import align
from models_zoo.detection import YuNet
from models_zoo.embedding import open_embedder
from models_zoo.specs import spec
from models_zoo.weights import fetch
from synthesis.effects.recipes import degrade
from synthesis.effects.seeds import digest_rng

HELD_OUT_BELOW = 4  # of sha256(name) % 10
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

    sets: list[tuple[str, Vectors]] = [
        (f"made up, seed {seed}", made_up(seed, arguments.n)[0]) for seed in range(arguments.seeds)
    ]
    if arguments.photos:
        sets.append(("photos", embed_folder(arguments.photos, arguments)[0][: arguments.n]))
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


def quality(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Label-free thresholds, then agreement with the folder names."""
    vectors, truth, missed = embed_folder(arguments.photos, arguments)
    start = time.perf_counter()
    calibration = calibrate(vectors)
    calibrated = time.perf_counter()
    clustering = cluster(vectors, thresholds=calibration.thresholds)
    seconds = time.perf_counter() - calibrated
    cores = cluster(vectors, thresholds=Thresholds(calibration.thresholds.core_distance, None))
    found = agreement(clustering.labels, truth)
    yield {
        "benchmark": "quality",
        "n": len(vectors),
        "photos_without_face": missed,
        "people": found.identities,
        "clusters": found.clusters,
        "degraded": arguments.degraded,
        "least_photos": arguments.least_photos,
        "core_similarity": asdict(calibration.core),
        "merge_similarity": asdict(calibration.merge),
        "bcubed": _score(found.bcubed),
        "pairwise": _score(found.pairwise),
        "bcubed_f": round(found.bcubed.f, 4),
        "pairwise_f": round(found.pairwise.f, 4),
        "nmi": round(found.nmi, 4),
        "purity": round(found.purity, 4),
        "cores_bcubed": _score(agreement(cores.labels, truth).bcubed),
        "calibration_seconds": round(calibrated - start, 3),
        "seconds": round(seconds, 3),
    }


def _scale(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    sizes = [int(size) for size in arguments.sizes.split(",")] if arguments.sizes else [arguments.n]
    yield from scale(made_up, sizes)


def embed_folder(folder: Path, arguments: argparse.Namespace) -> tuple[Vectors, Indexes, int]:
    """The middle face of every photo: vectors, person of each, and in how many photos none was found."""
    photos = [photo for person in sorted(folder.iterdir()) for photo in _of_person(person, arguments.least_photos)]
    detector = YuNet(fetch(spec("yunet"), directory=arguments.weights))
    embedder = open_embedder(fetch(spec("sface"), directory=arguments.weights))
    crops, names = [], []
    for photo in photos:
        data = photo.read_bytes()
        image = decode(data).image
        landmarks = _middle_face(detector, image)
        chance = digest_rng(0, hashlib.sha256(data).hexdigest())
        if landmarks is not None and chance.random() < arguments.degraded:
            image = degrade(image, chance, landmarks)
            landmarks = _middle_face(detector, image)
        if landmarks is not None:
            crops.append(align(image, landmarks))
            names.append(photo.parent.name)
    _, truth = np.unique(names, return_inverse=True)
    return embedder.embed(np.stack(crops)), truth, len(photos) - len(crops)


def _of_person(person: Path, least: int) -> list[Path]:
    held_out = int(hashlib.sha256(person.name.encode()).hexdigest(), 16) % 10 < HELD_OUT_BELOW
    photos = sorted(person.glob("*.jpg"))
    return photos if len(photos) >= least and not held_out else []


def _middle_face(detector: YuNet, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64] | None:
    found = detector.detect([image])[0]
    if not len(found):
        return None
    height, width = image.shape[:2]
    away = np.hypot(*(found.boxes[:, :2] + found.boxes[:, 2:] / 2 - np.array([width, height]) / 2).T)
    landmarks: npt.NDArray[np.float64] = found.landmarks[int(np.argmin(away))].astype(np.float64)
    return landmarks


def _score(score: Score) -> dict[str, float]:
    return {"precision": round(score.precision, 4), "recall": round(score.recall, 4), "f": round(score.f, 4)}


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
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--sizes", help="of `scale`: several n, comma-separated; then tells how the time grows")
    parser.add_argument("--against", choices=("fastcluster",))
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--degraded", type=float, default=0.0)
    parser.add_argument("--least-photos", type=int, default=1)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", help="name of a file under benchmarks/results to keep the results in")
    arguments = parser.parse_args()
    if arguments.question == "quality" and arguments.photos is None:
        parser.error("quality needs --photos")
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
