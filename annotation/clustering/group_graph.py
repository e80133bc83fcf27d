"""The graph of groups of faces: which of them lie wholly within a distance of each other, in bounded memory.

Two groups can only merge where all their cross pairs are near enough, and so must be the mean of these: the dot product
of the groups' unnormalised means. FAISS searches the means; what it proposes is settled pair by pair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt
from numba import njit, prange

from annotation.clustering.graph import RangeGraph
from annotation.clustering.groups import Groups
from annotation.clustering.vectors import Indexes, Vectors, dot_error, pair_distance
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

Float32 = npt.NDArray[np.float32]

LARGEST_TILE = 4096  # groups; larger tiles are no faster
BYTES_PER_HIT = 96  # of scratch for one pair of a tile: FAISS's results, our indexes, the edges that remain
BYTES_PER_EDGE = 96  # while edges are collected, sorted and merged
BYTES_PER_FACE = 512  # labels, copies, members, photos
FEW_PAIRS = 8  # of faces of two groups, that are settled sooner than the groups' means are looked at
ROUNDING = 2**-20  # covers float32's of means and thresholds


@dataclass(frozen=True)
class Budget:
    """What a search may keep: `edges` in all, `tile` groups by `tile` groups at a time."""

    edges: int
    tile: int

    @staticmethod
    def within(memory_bytes: int, n: int, dimensions: int) -> Budget:
        """For n vectors, whose means are counted too. Raises InvalidInput, code `memory_too_small`."""
        left = memory_bytes - n * (BYTES_PER_FACE + 4 * dimensions)
        if left < 2 * BYTES_PER_HIT * 64 * 64:
            raise InvalidInput(f"{memory_bytes} bytes are too few to cluster {n} faces in.", code="memory_too_small")
        tile = min(LARGEST_TILE, math.isqrt(left // 2 // BYTES_PER_HIT))
        return Budget((left - BYTES_PER_HIT * tile * tile) // BYTES_PER_EDGE, tile)


def group_graph(
    vectors: Vectors, groups: Groups, max_distance: float, budget: Budget, progress: Progress = silent
) -> RangeGraph:
    """Pairs of groups that may link and whose farthest faces lie within `max_distance`, or less: whenever the edges are
    too many, the search goes on with a smaller distance. The graph is complete up to the max_distance that it tells."""
    kept = _Kept(budget.edges, max_distance)
    blocks = math.ceil(len(groups) / budget.tile)
    done, total = 0, blocks * (blocks + 1) // 2
    progress(0, total)
    for column in range(0, len(groups), budget.tile):
        columns = np.arange(column, min(column + budget.tile, len(groups)))
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(groups.means[columns])
        for row in range(0, column + 1, budget.tile):
            rows = np.arange(row, min(row + budget.tile, len(groups)))
            a, b = near_means(index, groups, rows, columns, kept.max_distance)
            distances = farthest(vectors, groups, a, b, np.float32(kept.max_distance))
            found = np.isfinite(distances)
            kept.add(a[found].astype(np.int32), b[found].astype(np.int32), distances[found])
            done += 1
            progress(done, total)
    return kept.graph(len(groups))


class _Kept:
    """Edges found so far, never many more than `largest`; the farthest give way."""

    def __init__(self, largest: int, max_distance: float) -> None:
        self.max_distance = max_distance
        self._largest, self._count = largest, 0
        self._parts: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Float32]] = []

    def add(self, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32], distances: Float32) -> None:
        self._parts.append((rows, columns, distances))
        self._count += len(rows)
        if self._count > self._largest:
            self._lower()

    def _lower(self) -> None:
        """Halves the edges, or as nearly as ties allow."""
        distances = np.sort(np.concatenate([part[2] for part in self._parts]))
        limit = distances[self._largest // 2]
        if np.searchsorted(distances, limit, "right") > self._largest:
            limit = np.nextafter(limit, np.float32(-1))
        self.max_distance = float(limit)
        for at, (rows, columns, found) in enumerate(self._parts):
            near = found <= limit
            self._parts[at] = rows[near], columns[near], found[near]
        self._count = sum(len(part[0]) for part in self._parts)

    def graph(self, n: int) -> RangeGraph:
        empty = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
        rows, columns, distances = (np.concatenate(arrays) for arrays in zip(empty, *self._parts, strict=True))
        self._parts = []
        order = np.argsort(rows.astype(np.int64) << 32 | columns)
        return RangeGraph(n, self.max_distance, rows[order], columns[order], distances[order])


def near_means(
    index: faiss.IndexFlatIP, groups: Groups, rows: Indexes, columns: Indexes, max_distance: float
) -> tuple[Indexes, Indexes]:
    """Pairs (row < column) of groups that may lie within the distance. The index holds the means of the columns."""
    if not len(rows):
        return rows, rows
    queries = groups.means[rows]
    limits, _, hits = index.range_search(queries, 1 - max_distance - dot_error(queries.shape[1]) - ROUNDING)
    a, b = np.repeat(rows, np.diff(limits).astype(np.int64)), columns[hits]
    near = a < b
    return a[near], b[near]


def farthest(vectors: Vectors, groups: Groups, a: Indexes, b: Indexes, limit: np.float32) -> Float32:
    """The largest cross distance of each pair of groups; infinite beyond the limit or where they cannot link."""
    if len(groups.cannot):
        keys = a * len(groups) + b
        at = np.minimum(np.searchsorted(groups.cannot, keys), len(groups.cannot) - 1)
        free = groups.cannot[at] != keys
    else:
        free = np.ones(len(a), np.bool_)
    return _settle(
        vectors, groups.members, groups.starts, groups.means, groups.identity, groups.photos, groups.photo_starts,
        a, b, free, limit,
    )  # fmt: skip


@njit(cache=True, parallel=True)
def _settle(
    vectors: Vectors, members: Indexes, starts: Indexes, means: Vectors, identity: Indexes, photos: Indexes,
    photo_starts: Indexes, a: Indexes, b: Indexes, free: npt.NDArray[np.bool_], limit: np.float32,
) -> Float32:  # fmt: skip
    distances = np.full(len(a), np.inf, np.float32)
    for e in prange(len(a)):
        i, j = a[e], b[e]
        apart = not free[e] or (identity[i] >= 0 and identity[j] >= 0 and identity[i] != identity[j])
        if apart or _common(photos, photo_starts[i], photo_starts[i + 1], photo_starts[j], photo_starts[j + 1]):
            continue
        of_i, of_j = members[starts[i] : starts[i + 1]], members[starts[j] : starts[j + 1]]
        if len(of_i) * len(of_j) > FEW_PAIRS and (
            _outlying(vectors, of_i, means[j], limit) or _outlying(vectors, of_j, means[i], limit)
        ):
            continue
        distances[e] = widest(vectors, of_i, of_j, limit)
    return distances


@njit(cache=True)
def widest(vectors: Vectors, of_i: Indexes, of_j: Indexes, limit: np.float32) -> np.float32:
    """The largest distance of a face of one to a face of the other; infinite beyond the limit."""
    largest = np.float32(0)
    for p in of_i:
        for q in of_j:
            largest = max(largest, pair_distance(vectors, p, q))
        if largest > limit:
            return np.float32(np.inf)
    return largest


@njit(cache=True)
def _outlying(vectors: Vectors, faces: Indexes, mean: Float32, limit: np.float32) -> bool:
    """Whether some face is too far from the mean of the others to be near enough to each: far cheaper to know."""
    for p in faces:
        similarity = 0.0
        for k in range(len(mean)):
            similarity += np.float64(vectors[p, k]) * np.float64(mean[k])
        if similarity < 1.0 - np.float64(limit) - ROUNDING:
            return True
    return False


@njit(cache=True)
def _common(values: Indexes, i: int, end_i: int, j: int, end_j: int) -> bool:
    while i < end_i and j < end_j:
        if values[i] == values[j]:
            return True
        if values[i] < values[j]:
            i += 1
        else:
            j += 1
    return False
