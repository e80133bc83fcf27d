"""The least similar pair between two groups of vectors, exact, for many groups at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from annotation.clustering.vectors import Indexes, Vectors, dot_error, pair_distance, pair_distances

SMALL = 4096  # pairs of a group that the plain kernel handles; more go through matrix products
BLOCK = 2048  # rows of a matrix product


def farthest_pairs(
    vectors: Vectors, order: Indexes, starts: Indexes, groups: npt.NDArray[np.int64]
) -> tuple[Indexes, npt.NDArray[np.float32]]:
    """For each (a, b) of groups (m, 2), the farthest pair of a face of a and a face of b; a == b means inside a.

    Group g holds the faces order[starts[g]:starts[g + 1]], ascending. On ties the first pair in index order.

    Returns:
        Faces int64 (m, 2) and distances float32 (m,). A group of one face is paired with itself, at distance 0.
    """
    sizes = np.diff(starts)
    small = sizes[groups[:, 0]] * sizes[groups[:, 1]] <= SMALL
    faces, distances = _small_groups(vectors, order, starts, groups, small)
    for at in np.flatnonzero(~small):
        a, b = (order[starts[g] : starts[g + 1]] for g in groups[at])
        faces[at], distances[at] = _large_group(vectors, a, b)
    return faces, distances


@njit(cache=True, parallel=True)
def _small_groups(
    vectors: Vectors, order: Indexes, starts: Indexes, groups: Indexes, small: npt.NDArray[np.bool_]
) -> tuple[Indexes, npt.NDArray[np.float32]]:
    faces = np.empty((len(groups), 2), np.int64)
    distances = np.zeros(len(groups), np.float32)
    for at in prange(len(groups)):
        if not small[at]:
            continue
        a, b = groups[at]
        faces[at, 0], faces[at, 1] = order[starts[a]], order[starts[b]]
        widest = np.float32(-1)
        for p in range(starts[a], starts[a + 1]):
            for q in range(p + 1 if a == b else starts[b], starts[b + 1]):
                distance = pair_distance(vectors, order[p], order[q])
                if distance > widest:
                    widest = distance
                    faces[at, 0], faces[at, 1] = order[p], order[q]
        distances[at] = max(widest, np.float32(0))
    return faces, distances


def _large_group(vectors: Vectors, a: Indexes, b: Indexes) -> tuple[tuple[int, int], float]:
    """Matrix products find what may be the farthest pair; `pair_distance` settles it."""
    slack = 2 * dot_error(vectors.shape[1]) + 2**-22
    others = vectors[b]
    best, widest = (int(a[0]), int(b[0])), -1.0
    for block in range(0, len(a), BLOCK):
        similarities = vectors[a[block : block + BLOCK]] @ others.T
        limit = min(float(similarities.min()), 1 - widest) + slack
        row, column = np.nonzero(similarities <= limit)
        rows, columns = a[block + row], b[column]
        distances = pair_distances(vectors, rows, columns)
        for at in np.flatnonzero(distances == distances.max(initial=-1)):
            pair = (int(rows[at]), int(columns[at]))
            if pair[0] != pair[1] and float(distances[at]) > widest:
                best, widest = pair, float(distances[at])
    return best, max(widest, 0.0)
