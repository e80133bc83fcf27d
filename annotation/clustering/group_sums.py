"""Sums of the vectors of many groups, in one pass and without a sorted copy of all vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.evidence import Centroids
from annotation.clustering.vectors import Indexes, Vectors

VOID = 1e-6  # a sum shorter than this has no direction


def group_centroids(vectors: Vectors, of: Indexes, first: Indexes) -> Centroids:
    """What `centroids` gives for the groups `of` (n,), whose first faces are `first` (k,), to the last bit."""
    sizes, sums = np.bincount(of, minlength=len(first)), _sums(vectors, of, len(first))
    norms = np.linalg.norm(sums, axis=1)
    lengths = norms / np.maximum(sizes, 1)
    void = norms < VOID
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
