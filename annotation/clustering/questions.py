"""Which two faces a person should be asked about first: "same or different?"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.evidence import Centroids, centroids
from annotation.clustering.explanation import Explanation, explain, near_clusters
from annotation.clustering.thresholds import Thresholds
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, number_clusters

Float64 = npt.NDArray[np.float64]

BAND = 0.5  # of the way from strangers' similarity to the threshold: how far from it there still is doubt


@dataclass(frozen=True)
class Questions:
    """Pairs of faces, the most valuable first.

    Attributes:
        faces: int64 (m, 2), smaller index first.
        value: float64 (m,), the faces that the answer may move times the doubt.
    """

    faces: Indexes
    value: Float64


def worthwhile_questions(vectors: Vectors, labels: Indexes, thresholds: Thresholds, asked: Indexes) -> Questions:
    """Two clusters that nearly merged, by the faces at their hearts; a cluster that nearly came apart, by its medoid
    and its weakest face. An answer moves the faces of the smaller side; near the threshold and with few faces there is
    most doubt.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: int64 (n,), as `cluster` gives them.
        asked: int64 (m, 2), pairs that were answered; what they say of two clusters is not asked again.
    """
    vectors = check_vectors(vectors)
    labels = number_clusters(check_labels(labels, len(vectors)))
    threshold = 1 - thresholds.core_distance if thresholds.merge_similarity is None else thresholds.merge_similarity
    strangers = thresholds.stranger_similarity
    band = max(BAND * (threshold - strangers), 1e-6)
    explanation, middles = explain(vectors, labels), centroids(vectors, labels)
    near = near_clusters(vectors, labels, min_similarity=threshold - band)
    lengths = middles.lengths[near.clusters].prod(axis=1)
    alike = near.centroid_similarity - strangers * (1 / lengths - 1)
    apart = explanation.medoid[near.clusters].reshape(-1, 2), alike, near.settles
    wide = np.flatnonzero(explanation.sizes > 1)
    ends = np.stack([explanation.medoid[wide], explanation.weakest[wide]], axis=1).astype(np.int64)
    tied = ends[:, 0] == ends[:, 1]  # as in every pair
    ends[tied] = explanation.widest[wide[tied]]
    left_out = _to_the_others(explanation, middles, wide, strangers)
    together = ends, left_out, np.ones(len(wide), np.int64)
    faces, similarity, moved = (np.concatenate(both) for both in zip(apart, together, strict=True))
    doubt = np.clip(1 - np.abs(similarity - threshold) / band, 0, 1)
    value = moved * doubt**moved  # every face of the smaller side bears witness
    faces = np.sort(faces, axis=1)
    order = np.lexsort((faces[:, 1], faces[:, 0], -value))
    order = order[(value[order] > 0) & ~_told(faces[order], labels, asked)]
    return Questions(faces[order], value[order])


def _to_the_others(explanation: Explanation, middles: Centroids, which: Indexes, strangers: float) -> Float64:
    """Similarity of the weakest face of each of these clusters to the others' centroid, as in `join_small`."""
    others = middles.sizes[which] - 1
    dots = explanation.weakest_similarity[which].astype(np.float64) * others
    square = (middles.lengths[which] * middles.sizes[which]) ** 2 - 2 * dots - 1
    norms = np.sqrt(np.maximum(square, 1e-12))
    similarity: Float64 = dots / norms - strangers * (others / norms - 1)
    return similarity


def _told(faces: Indexes, labels: Indexes, asked: Indexes) -> npt.NDArray[np.bool_]:
    """Whether the very pair was answered, or some pair of the same two clusters."""
    pairs = {tuple(sorted(pair)) for pair in asked.tolist()}
    sides = {tuple(sorted(pair)) for pair in labels[asked].tolist()}
    told = [
        tuple(pair) in pairs or (side[0] != side[1] and tuple(sorted(side)) in sides)
        for pair, side in zip(faces.tolist(), labels[faces].tolist(), strict=True)
    ]
    return np.array(told, np.bool_)
