"""Second stage: cores of one person, too wide for complete linkage, merge on the evidence of all their faces.

Complete linkage asks that the two least alike faces match; cores are pure but a person with many photos has several.
Averaging takes the noise of single photos out of a core's centroid, while two strangers' centroids stay about as far
apart as two of their photos: one threshold serves all sizes, and mean linkage over centroids finds the cores' persons.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from annotation.clustering.apartness import Apartness
from annotation.clustering.graph import DEFAULT_MEMORY, range_graph
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, number_clusters
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

Float64 = npt.NDArray[np.float64]

ROUNDING = 1e-9  # a mean of similarities may exceed the largest of them by this much


def centroids(vectors: Vectors, labels: Indexes) -> tuple[Vectors, Indexes]:
    """Normalised centroid float32 (k, d) and size int64 (k,) of each cluster 0..k-1 of the labels.

    Opposite vectors may cancel out; such a cluster gets its first member's vector.
    """
    sizes = np.bincount(labels)
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    sums = np.add.reduceat(vectors[order], starts, dtype=np.float64) if len(sizes) else vectors.astype(np.float64)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    void = lengths[:, 0] < 1e-6
    sums[void], lengths[void] = vectors[order[starts[void]]], 1
    return (sums / lengths).astype(np.float32), sizes


def merge_cores(
    vectors: Vectors,
    core_labels: Indexes,
    resolution: Resolution,
    *,
    min_similarity: float,
    memory_bytes: int = DEFAULT_MEMORY,
    progress: Progress = silent,
) -> Indexes:
    """Mean linkage between cores down to `min_similarity`, obeying the constraints exactly.

    The similarity of two groups is the mean cosine similarity of their cores' normalised centroids, each pair of cores
    weighted by the product of their sizes. A mean reaches the threshold only where some pair
    does, so a range graph of the centroids holds all that can merge. Ties go to the smallest core.

    Args:
        vectors: float32 (n, d), unit rows.
        core_labels: int64 (n,), numbered by smallest member, must-link components whole.

    Returns:
        Labels int64 (n,), numbered by smallest member.
    """
    if not -1 <= min_similarity <= 1:
        raise InvalidInput(f"A cosine similarity lies between -1 and 1, not at {min_similarity}.", code="bad_threshold")
    vectors = check_vectors(vectors)
    core_labels = number_clusters(check_labels(core_labels, len(vectors), "core_labels"))
    if len(resolution.component) != len(vectors):
        raise InvalidInput(f"Constraints for {len(resolution.component)} faces do not fit {len(vectors)} vectors.")
    centres, sizes = centroids(vectors, core_labels)
    reach = min(2.0, 1 - min_similarity + 2**-20)
    graph = range_graph(centres, reach, memory_bytes=memory_bytes, progress=progress)
    merging = _MeanLinkage(centres, sizes, Apartness(core_labels, resolution), min_similarity)
    return number_clusters(merging.run(graph.rows, graph.columns)[core_labels])


class _MeanLinkage:
    """Greedy mean linkage on a sparse graph; a group is known by its smallest core."""

    def __init__(self, centres: Vectors, sizes: Indexes, apart: Apartness, min_similarity: float) -> None:
        self._sums = centres.astype(np.float64) * sizes[:, None]
        self._weights = sizes.astype(np.float64)
        self._apart = apart
        self._min = min_similarity
        self._near: list[set[int]] = [set() for _ in range(len(centres))]
        self._version = [0] * len(centres)  # -1 once dissolved
        self._heap: list[tuple[float, int, int, int, int]] = []
        self._parent = np.arange(len(centres))

    def run(self, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32]) -> Indexes:
        """Merges until no allowed pair reaches the threshold; the group of every core, int64 (k,)."""
        for group in np.unique(rows).tolist():
            first, last = np.searchsorted(rows, [group, group + 1])
            self._offer(group, columns[first:last].tolist())
        while self._heap:
            _, a, b, version_a, version_b = heapq.heappop(self._heap)
            if self._version[a] == version_a and self._version[b] == version_b:
                self._merge(a, b)
        for group in range(len(self._parent)):
            self._parent[group] = self._parent[self._parent[group]]
        return self._parent

    def _offer(self, group: int, others: list[int]) -> None:
        """Puts the pairs of a group that may merge into the queue."""
        others = [other for other in others if not self._apart.forbids(group, other)]
        if not others:
            return
        dots = np.einsum("ij,j->i", self._sums[others], self._sums[group])
        similarities = dots / (self._weights[others] * self._weights[group])
        for other, similarity in zip(others, similarities.tolist(), strict=True):
            if similarity >= self._min - ROUNDING:
                self._near[group].add(other)
                self._near[other].add(group)
            if similarity >= self._min:
                a, b = min(group, other), max(group, other)
                heapq.heappush(self._heap, (-similarity, a, b, self._version[a], self._version[b]))

    def _merge(self, kept: int, dissolved: int) -> None:
        others = (self._near[kept] | self._near[dissolved]) - {kept, dissolved}
        for other in others:
            self._near[other] -= {kept, dissolved}
        self._near[kept], self._near[dissolved] = set(), set()
        self._sums[kept] += self._sums[dissolved]
        self._weights[kept] += self._weights[dissolved]
        self._apart.merge(kept, dissolved)
        self._version[kept] += 1
        self._version[dissolved] = -1
        self._parent[dissolved] = kept
        self._offer(kept, sorted(others))
