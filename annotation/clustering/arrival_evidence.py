"""Second stage for new faces: mean linkage as in `merge_cores`, in which an old cluster is one core and stays whole."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np

from annotation.clustering.arrival_cores import bridging_pairs
from annotation.clustering.arrival_groups import Bool, Renamed
from annotation.clustering.centroids import Centroids, Float64
from annotation.clustering.cross_search import near_pairs
from annotation.clustering.graph import range_graph
from annotation.clustering.vectors import Indexes
from foundation.progress import Progress

ROUNDING = 1e-9  # a mean of similarities may exceed the largest of them by this much


def merge_arrivals(
    cores: Centroids,
    fixed: Bool,
    apart: Renamed,
    *,
    min_similarity: float,
    stranger_similarity: float,
    memory_bytes: int,
    progress: Progress,
) -> tuple[Indexes, Indexes]:
    """Mean linkage down to `min_similarity` between cores of which one at least is not fixed.

    A mean reaches the threshold only where some pair of centroids does, so pairs of fixed cores, which never merge,
    need not be looked at.

    Returns:
        The core that each was merged into, int64 (k,), and pairs (m, 2) of fixed cores that one other could join
        either of.
    """
    loose, others = np.flatnonzero(~fixed), np.flatnonzero(fixed)
    reach = min(2.0, 1 - min_similarity + 2**-20)
    among = range_graph(cores.directions[loose], reach, memory_bytes=memory_bytes)
    a, b = [loose[among.rows]], [loose[among.columns]]
    for tile in near_pairs(cores.directions, loose, others, reach, memory_bytes=memory_bytes, progress=progress):
        a.append(tile.rows)
        b.append(tile.others)
    ends = np.stack([np.concatenate(a), np.concatenate(b)], axis=1)
    involved, local = np.unique(ends, return_inverse=True)
    local = local.reshape(ends.shape)
    names = Renamed(apart, involved)
    part = Centroids(cores.directions[involved], cores.sizes[involved], cores.lengths[involved])
    merging = _MeanLinkage(part, names, min_similarity, stranger_similarity)
    near, similarities = merging.offer(local)
    mixed = fixed[involved[near[:, 1]]]
    bridges = bridging_pairs(near[mixed, 0], near[mixed, 1], -similarities[mixed], names)
    into = np.arange(len(cores.sizes))
    into[involved] = involved[merging.run()]
    return into, involved[bridges]


class _MeanLinkage:
    """Greedy mean linkage of few cores; a group is known by its smallest. The definition is that of `merge_cores`."""

    def __init__(self, cores: Centroids, apart: Renamed, min_similarity: float, stranger_similarity: float) -> None:
        self._sums = cores.directions.astype(np.float64) * cores.sizes[:, None]
        self._weights = cores.sizes.astype(np.float64)
        self._leans = cores.sizes / cores.lengths
        self._stranger, self._min, self._apart = stranger_similarity, min_similarity, apart
        self._near: list[set[int]] = [set() for _ in cores.sizes]
        self._version = [0] * len(cores.sizes)  # -1 once dissolved
        self._heap: list[tuple[float, int, int, int, int]] = []
        self._parent = np.arange(len(cores.sizes))

    def offer(self, pairs: Indexes) -> tuple[Indexes, Float64]:
        """Puts pairs of groups that may merge into the queue; those of them that are near enough, and how near."""
        may = [not self._apart.forbids(a, b) for a, b in pairs.tolist()]
        pairs = pairs[np.array(may, np.bool_)]
        similarities = self._similarities(pairs)
        for (a, b), similarity in zip(pairs.tolist(), similarities.tolist(), strict=True):
            if similarity >= self._min - ROUNDING:
                self._near[a].add(b)
                self._near[b].add(a)
            if similarity >= self._min:
                low, high = min(a, b), max(a, b)
                heapq.heappush(self._heap, (-similarity, low, high, self._version[low], self._version[high]))
        near = similarities >= self._min
        return pairs[near], similarities[near]

    def run(self) -> Indexes:
        """Merges until no allowed pair reaches the threshold; the group of every core, int64 (k,)."""
        while self._heap:
            _, a, b, version_a, version_b = heapq.heappop(self._heap)
            if self._version[a] == version_a and self._version[b] == version_b:
                self._merge(a, b)
        for group in range(len(self._parent)):
            self._parent[group] = self._parent[self._parent[group]]
        return self._parent

    def _similarities(self, pairs: Indexes) -> Float64:
        a, b = pairs[:, 0], pairs[:, 1]
        dots = np.einsum("ij,ij->i", self._sums[a], self._sums[b])
        dots -= self._stranger * self._leans[a] * self._leans[b]
        similarities: Float64 = self._stranger + dots / (self._weights[a] * self._weights[b])
        return similarities

    def _merge(self, kept: int, dissolved: int) -> None:
        others = (self._near[kept] | self._near[dissolved]) - {kept, dissolved}
        for other in others:
            self._near[other] -= {kept, dissolved}
        self._near[kept], self._near[dissolved] = set(), set()
        self._sums[kept] += self._sums[dissolved]
        self._weights[kept] += self._weights[dissolved]
        self._leans[kept] += self._leans[dissolved]
        self._apart.merge(kept, dissolved)
        self._version[kept] += 1
        self._version[dissolved] = -1
        self._parent[dissolved] = kept
        self.offer(_pairs(kept, sorted(others)))


def _pairs(group: int, others: Iterable[int]) -> Indexes:
    return np.array([(group, other) for other in others], np.int64).reshape(-1, 2)
