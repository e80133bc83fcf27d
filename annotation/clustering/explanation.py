"""Why clusters are as they are: what is widest, most typical and weakest in each, and what keeps two of them apart."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from annotation.clustering.centroids import centroids
from annotation.clustering.farthest import farthest_pairs
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, number_clusters

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Explanation:
    """One entry per cluster 0..k-1; faces are indexes into the vectors. Clusters of one face name that face.

    Attributes:
        sizes: int64 (k,).
        widest: int64 (k, 2), the two least similar faces.
        widest_similarity: float32 (k,), their cosine similarity; 1 in a cluster of one.
        medoid: int64 (k,), the face with the highest mean similarity to the others.
        weakest: int64 (k,), the face with the lowest mean similarity to the others.
        weakest_similarity: float32 (k,), that mean; 1 in a cluster of one.
        cohesion: float32 (n,), every face's mean similarity to the others of its cluster.
    """

    sizes: Indexes
    widest: Indexes
    widest_similarity: Float32
    medoid: Indexes
    weakest: Indexes
    weakest_similarity: Float32
    cohesion: Float32


@dataclass(frozen=True)
class NearClusters:
    """Pairs of clusters whose centroids are near, most similar first.

    Attributes:
        clusters: int64 (m, 2), smaller label first.
        centroid_similarity: float32 (m,).
        separating: int64 (m, 2), their two least similar faces, one of each: the pair that keeps them apart.
        separating_similarity: float32 (m,).
        settles: int64 (m,), faces that change their cluster if a person says that the pair is the same.
    """

    clusters: Indexes
    centroid_similarity: Float32
    separating: Indexes
    separating_similarity: Float32
    settles: Indexes


def explain(vectors: Vectors, labels: Indexes) -> Explanation:
    """Explains the clusters of labels (n,), which must be numbered by smallest member as `cluster` gives them."""
    vectors = check_vectors(vectors)
    labels = number_clusters(check_labels(labels, len(vectors)))
    sizes, order, starts = _groups(labels)
    k = len(sizes)
    widest, distance = farthest_pairs(vectors, order, starts, np.repeat(np.arange(k), 2).reshape(k, 2))
    cohesion = _cohesion(vectors, labels, sizes, order, starts)
    medoid = _first_by(-cohesion, labels, starts)
    weakest = _first_by(cohesion, labels, starts)
    return Explanation(
        sizes=sizes,
        widest=widest,
        widest_similarity=(1 - distance).astype(np.float32),
        medoid=medoid,
        weakest=weakest,
        weakest_similarity=cohesion[weakest],
        cohesion=cohesion,
    )


def near_clusters(vectors: Vectors, labels: Indexes, *, min_similarity: float, neighbours: int = 5) -> NearClusters:
    """For each cluster up to `neighbours` others whose centroids reach `min_similarity`, and what keeps them apart."""
    vectors = check_vectors(vectors)
    labels = number_clusters(check_labels(labels, len(vectors)))
    middles = centroids(vectors, labels)
    pairs, similarity = _near_pairs(middles.directions, min_similarity, neighbours)
    _, order, starts = _groups(labels)
    separating, distance = farthest_pairs(vectors, order, starts, pairs)
    return NearClusters(
        clusters=pairs,
        centroid_similarity=similarity,
        separating=separating,
        separating_similarity=(1 - distance).astype(np.float32),
        settles=middles.sizes[pairs].min(axis=1),
    )


def _groups(labels: Indexes) -> tuple[Indexes, Indexes, Indexes]:
    sizes = np.bincount(labels)
    return sizes, np.argsort(labels, kind="stable"), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _cohesion(vectors: Vectors, labels: Indexes, sizes: Indexes, order: Indexes, starts: Indexes) -> Float32:
    """A face's mean similarity to the others of its cluster, from the cluster's sum: linear in n."""
    if not len(vectors):
        return np.empty(0, np.float32)
    sums = np.add.reduceat(vectors[order], starts[:-1], dtype=np.float64)
    own = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    total = np.empty(len(vectors))
    for at in range(0, len(vectors), 1 << 16):  # in blocks, so that no second float64 copy of all vectors exists
        rows = slice(at, at + (1 << 16))
        total[rows] = np.einsum("ij,ij->i", vectors[rows], sums[labels[rows]])
    others = sizes[labels] - 1
    return np.where(others > 0, (total - own) / np.maximum(others, 1), 1.0).astype(np.float32)


def _first_by(value: Float32, labels: Indexes, starts: Indexes) -> Indexes:
    """The member with the smallest value of each cluster, the first on ties."""
    first: Indexes = np.lexsort((value, labels))[starts[:-1]]
    return first


def _near_pairs(centres: Vectors, min_similarity: float, neighbours: int) -> tuple[Indexes, Float32]:
    wanted = min(neighbours + 1, len(centres))
    if wanted < 2:
        return np.empty((0, 2), np.int64), np.empty(0, np.float32)
    index = faiss.IndexFlatIP(centres.shape[1])
    index.add(centres)
    similarity, other = index.search(centres, wanted)
    own = np.repeat(np.arange(len(centres)), wanted)
    pairs = np.sort(np.stack([own, other.ravel()], axis=1), axis=1)
    keep = (pairs[:, 0] != pairs[:, 1]) & (similarity.ravel() >= min_similarity)
    pairs, first = np.unique(pairs[keep], axis=0, return_index=True)
    found = similarity.ravel()[keep][first]
    order = np.argsort(-found, kind="stable")
    return pairs[order], found[order]
