"""Two parts of each cluster, and the faces that best show what a group looks like."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotation.clustering.centroids import Centroids
from annotation.clustering.vectors import Indexes, Vectors

Float64 = npt.NDArray[np.float64]

BLOCK = 1 << 16
EQUAL = (
    1e-5  # scores less apart are equal: two faces are equally like their centroid, but for what rounding makes of it
)


def two_parts(vectors: Vectors, labels: Indexes, middles: Centroids) -> npt.NDArray[np.bool_]:
    """(n,) True for the part of each cluster that is nearer to its weakest face than to the face least like that one.

    The weakest is the one least like the centroid. Both parts of a cluster of two faces or more have a face; one of a
    single face is all False. Linear in n.
    """
    weakest = best_of_each(-_dots(vectors, middles.directions, labels), labels)
    to_weakest = _dots(vectors, vectors[weakest], labels)
    to_weakest[weakest] = 2.0
    opposite = best_of_each(-to_weakest, labels)
    second = to_weakest > _dots(vectors, vectors[opposite], labels)
    second[opposite] = False
    second[weakest] = weakest != opposite
    return np.asarray(second)


def typical(
    vectors: Vectors, of: Indexes, middles: Centroids, quality: npt.NDArray[np.floating] | None = None
) -> Indexes:
    """(k,) the face most like the centroid of each group `of` (n,) 0..k-1; where quality (n,) 0 to 1 is known, the one
    with the highest product of the two."""
    like = _dots(vectors, middles.directions, of)
    return best_of_each(like if quality is None else np.maximum(like, 0) * np.asarray(quality, np.float64), of)


def _dots(vectors: Vectors, centres: Vectors, of: Indexes) -> Float64:
    """(n,) similarity of each row to centre number of[row]."""
    like = np.empty(len(of))
    for at in range(0, len(of), BLOCK):
        rows = slice(at, at + BLOCK)
        like[rows] = np.einsum("ij,ij->i", vectors[rows], centres[of[rows]])
    return like


def best_of_each(score: npt.NDArray[np.floating], of: npt.NDArray[np.integer]) -> Indexes:
    """The row with the highest score of each group in `of` (n,) >= 0, in the groups' order; of equal ones the first."""
    best = np.full(int(of.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, of, score)
    near = np.flatnonzero(score >= best[of] - EQUAL)
    first: Indexes = near[np.unique(of[near], return_index=True)[1]]
    return first
