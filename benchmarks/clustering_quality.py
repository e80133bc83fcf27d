"""How good is the clustering untuned, beside peers that are tuned on the truth?

    python -m benchmarks.clustering quality --photos DIR [--degraded 0.5] [--least-photos 4] [--tuning] [--save NAME]

All people's photos are mixed into one album. Ours takes its thresholds from the label-free calibration; each peer gets
the setting with the highest BCubed F out of a grid, which nobody has without the truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.clustering import (
    Agreement,
    Constraints,
    JoinRule,
    Score,
    Thresholds,
    agreement,
    calibrate,
    cluster,
    complete_linkage,
    range_graph,
    resolve,
)
from annotation.clustering.vectors import Indexes, Vectors, number_clusters
from benchmarks.album import Album, embed_folder

Matrix = npt.NDArray[np.float64]
Partitions = Iterator[tuple[dict[str, Any], Indexes]]

RADII = tuple(round(0.30 + 0.02 * step, 2) for step in range(28))  # cosine distances, 0.30 to 0.84
LINKING = RADII[:19]  # to 0.66, for those whom one edge can join: far beyond that all faces are one
WHISPERS = 30  # rounds; it settles within ten or so


def quality(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Ours, then each peer at its best."""
    album = embed_folder(arguments.photos, arguments)
    setting = {"n": len(album.vectors), "degraded": arguments.degraded, "least_photos": arguments.least_photos}
    yield {"benchmark": "quality", "method": "ours, untuned"} | setting | _ours(album)
    distances = np.clip(1 - album.vectors @ album.vectors.T, 0, 2).astype(np.float64)
    for name, partitions in _peers(album.vectors, distances).items():
        yield {"benchmark": "quality", "method": f"{name}, tuned on the truth"} | setting | _best(partitions, album)


def _ours(album: Album) -> dict[str, Any]:
    start = time.perf_counter()
    calibration = calibrate(album.vectors)
    calibrated = time.perf_counter()
    clustering = cluster(album.vectors, thresholds=calibration.thresholds, quality=album.quality)
    seconds = time.perf_counter() - calibrated
    cores = cluster(album.vectors, thresholds=Thresholds(calibration.thresholds.core_distance, None))
    return {
        "photos_without_face": album.missed,
        "core_similarity": asdict(calibration.core),
        "merge_similarity": asdict(calibration.merge),
        "merge_false_neighbours": round(calibration.merge_false_neighbours, 5),
        **_joins(clustering.thresholds.joins),
        **_told(agreement(clustering.labels, album.truth)),
        "threshold": round(calibration.thresholds.core_distance, 4),
        "cores_bcubed": _score(agreement(cores.labels, album.truth).bcubed),
        "calibration_seconds": round(calibrated - start, 3),
        "seconds": round(seconds, 3),
    }


def _joins(rule: JoinRule | None) -> dict[str, Any]:
    assert rule is not None
    return {
        "false_joins": round(rule.false_joins, 5),
        "poor_joins": round(rule.poor_joins, 5),
        "poor_below": round(rule.poor_below, 3),
    }


def _peers(vectors: Vectors, distances: Matrix) -> dict[str, Partitions]:
    return {
        "DBSCAN": _dbscan(distances),
        "HDBSCAN": _hdbscan(distances),
        "Chinese whispers": _chinese_whispers(vectors),
        "complete linkage": _complete_linkage(vectors),
    }


def _best(partitions: Partitions, album: Album) -> dict[str, Any]:
    """Of the partition with the highest BCubed F."""
    tried = [(setting, agreement(labels, album.truth)) for setting, labels in partitions]
    setting, found = max(tried, key=lambda one: one[1].bcubed.f)
    return _told(found) | {"threshold": None} | setting | {"settings_tried": len(tried)}


def _dbscan(distances: Matrix) -> Partitions:
    from sklearn.cluster import DBSCAN

    for radius in LINKING:
        labels = DBSCAN(eps=radius, min_samples=2, metric="precomputed").fit(distances).labels_
        yield {"threshold": radius}, _noise_alone(labels)


def _hdbscan(distances: Matrix) -> Partitions:
    """Without `cluster_selection_epsilon`: scikit-learn 1.9.1 raises TypeError there with this NumPy."""
    from sklearn.cluster import HDBSCAN

    for selection in ("eom", "leaf"):
        for least in (2, 3):
            for neighbours in (1, 2, 3):
                peer = HDBSCAN(
                    min_cluster_size=least,
                    min_samples=neighbours,
                    cluster_selection_method=selection,
                    metric="precomputed",
                    copy=True,
                )
                labels = _noise_alone(peer.fit(distances).labels_)
                yield {"min_cluster_size": least, "min_samples": neighbours, "selection": selection}, labels


def _complete_linkage(vectors: Vectors) -> Partitions:
    none = resolve(Constraints.none(len(vectors)))
    for radius in RADII:
        yield {"threshold": radius}, complete_linkage(range_graph(vectors, radius), none).labels


def _chinese_whispers(vectors: Vectors) -> Partitions:
    """Each face takes the label that weighs most among its neighbours, in a random order (Biemann 2006); edges weigh
    their similarity, as dlib and OpenFace users have it."""
    for radius in LINKING:
        graph = range_graph(vectors, radius)
        rows, columns = (np.concatenate(ends) for ends in ((graph.rows, graph.columns), (graph.columns, graph.rows)))
        weights = 1 - np.concatenate([graph.distances, graph.distances]).astype(np.float64)
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(len(vectors) + 1))
        yield {"threshold": radius}, _whisper(starts, columns[order].astype(np.int64), weights[order])


def _whisper(starts: Indexes, columns: Indexes, weights: Matrix) -> Indexes:
    labels, rng = np.arange(len(starts) - 1), np.random.default_rng(0)
    for _ in range(WHISPERS):
        before = labels.copy()
        for face in rng.permutation(np.flatnonzero(np.diff(starts))).tolist():
            among = slice(starts[face], starts[face + 1])
            heard, place = np.unique(labels[columns[among]], return_inverse=True)
            labels[face] = heard[np.argmax(np.bincount(place, weights[among]))]
        if np.array_equal(before, labels):
            break
    return number_clusters(labels)


def _noise_alone(labels: npt.NDArray[np.integer]) -> Indexes:
    """What a peer calls noise (below 0) makes clusters of one."""
    alone = labels < 0
    found = labels.astype(np.int64)
    found[alone] = found.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return number_clusters(found)


def _told(found: Agreement) -> dict[str, Any]:
    return {
        "people": found.identities,
        "clusters": found.clusters,
        "bcubed": _score(found.bcubed),
        "pairwise": _score(found.pairwise),
        "bcubed_f": round(found.bcubed.f, 5),
        "pairwise_f": round(found.pairwise.f, 4),
        "nmi": round(found.nmi, 4),
        "purity": round(found.purity, 4),
    }


def _score(score: Score) -> dict[str, float]:
    return {"precision": round(score.precision, 4), "recall": round(score.recall, 4), "f": round(score.f, 4)}
