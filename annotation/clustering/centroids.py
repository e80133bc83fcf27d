"""The middles of many groups of vectors, in one pass and without a sorted copy of all vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.vectors import Indexes, Vectors

Float64 = npt.NDArray[np.float64]

VOID = 1e-6  # a sum shorter than this has no direction


@dataclass(frozen=True)
class Centroids:
    """The middles of clusters 0..k-1.

    Attributes:
        directions: float32 (k, d), normalised means.
        sizes: int64 (k,), faces.
        lengths: float64 (k,), the length of the mean of the unit vectors: 1 for a single face, less for wide clusters.
    """

    directions: Vectors
    sizes: Indexes
    lengths: Float64


def centroids(vectors: Vectors, labels: Indexes) -> Centroids:
    """The middle of each cluster of the labels (n,), 0..k-1, none of them empty. Opposite vectors may cancel out; such
    a cluster gets its first member's direction, and length 1."""
    count = int(labels.max(initial=-1)) + 1
    sizes, sums = np.bincount(labels, minlength=count), _sums(vectors, labels, count)
    norms = np.linalg.norm(sums, axis=1)
    lengths = norms / np.maximum(sizes, 1)
    void = np.flatnonzero(norms < VOID)
    if len(void):
        first = np.full(count, len(labels))
        np.minimum.at(first, labels, np.arange(len(labels)))
        sums[void], norms[void], lengths[void] = vectors[first[void]], 1, 1
    return Centroids((sums / norms[:, None]).astype(np.float32), sizes, lengths)


def group_means(vectors: Vectors, of: Indexes, count: int) -> Vectors:
    """The means of the groups `of` (n,) 0..count-1, float32 (count, d), not normalised."""
    sums = _sums(vectors, of, count)
    sums /= np.bincount(of, minlength=count)[:, None]
    return sums.astype(np.float32)


@njit(cache=True)
def _sums(vectors: Vectors, of: Indexes, count: int) -> npt.NDArray[np.float64]:
    """Row after row, as NumPy's `reduceat` adds."""
    sums = np.zeros((count, vectors.shape[1]))
    for i in range(len(of)):
        group = of[i]
        for k in range(vectors.shape[1]):
            sums[group, k] += vectors[i, k]
    return sums
