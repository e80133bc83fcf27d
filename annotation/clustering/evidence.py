"""Second stage: cores of one person, too wide for complete linkage, merge on the evidence of all their faces.

Complete linkage asks that the two least alike faces match; cores are pure but a person with many photos has several.
Averaging takes the noise of single photos out of a core's centroid, while two strangers' centroids stay about as far
apart as two of their photos: one threshold serves all sizes, and mean linkage over centroids finds the cores' persons.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

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
    """The middle of each cluster of the labels. Opposite vectors may cancel out; such a cluster gets its first member's
    direction, and length 1."""
    sizes = np.bincount(labels)
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    sums = np.add.reduceat(vectors[order], starts, dtype=np.float64) if len(sizes) else vectors.astype(np.float64)
    norms = np.linalg.norm(sums, axis=1)
    lengths = norms / np.maximum(sizes, 1)
    void = norms < 1e-6
    sums[void], norms[void], lengths[void] = vectors[order[starts[void]]], 1, 1
    return Centroids((sums / norms[:, None]).astype(np.float32), sizes, lengths)


def merge_cores(
    vectors: Vectors,
    core_labels: Indexes,
    resolution: Resolution,
    *,
    min_similarity: float,
    stranger_similarity: float = 0.0,
    memory_bytes: int = DEFAULT_MEMORY,
    progress: Progress = silent,
) -> Indexes:
    """Mean linkage between cores down to `min_similarity`, obeying the constraints exactly.

    The similarity of two groups is the mean cosine similarity of their cores' normalised centroids, each pair of cores
    weighted by the product of their sizes. Strangers are a little alike on average (`stranger_similarity`), and means
    of many faces more so, by 1 / (product of the means' lengths); the surplus is taken off. Such a mean reaches the
    threshold only where some pair of centroids does, so a range graph of these holds all that can merge. Ties go to the
    smallest core.

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
    cores = centroids(vectors, core_labels)
    reach = min(2.0, 1 - min_similarity + 2**-20)
    graph = range_graph(cores.directions, reach, memory_bytes=memory_bytes, progress=progress)
    merging = _MeanLinkage(cores, Apartness(core_labels, resolution), min_similarity, stranger_similarity)
    return number_clusters(merging.run(graph.rows, graph.columns)[core_labels])


class _MeanLinkage:
    """Greedy mean linkage on a sparse graph; a group is known by its smallest core."""

    def __init__(self, cores: Centroids, apart: Apartness, min_similarity: float, stranger_similarity: float) -> None:
        self._sums = cores.directions.astype(np.float64) * cores.sizes[:, None]
        self._weights = cores.sizes.astype(np.float64)
        self._leans = cores.sizes / cores.lengths  # times the same of another group: how much strangers are amplified
        self._stranger = stranger_similarity
        self._apart = apart
        self._min = min_similarity
        self._near: list[set[int]] = [set() for _ in range(len(cores.sizes))]
        self._version = [0] * len(cores.sizes)  # -1 once dissolved
        self._heap: list[tuple[float, int, int, int, int]] = []
        self._parent = np.arange(len(cores.sizes))

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
        dots -= self._stranger * self._leans[others] * self._leans[group]
        similarities = self._stranger + dots / (self._weights[others] * self._weights[group])
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
        self._leans[kept] += self._leans[dissolved]
        self._apart.merge(kept, dissolved)
        self._version[kept] += 1
        self._version[dissolved] = -1
        self._parent[dissolved] = kept
        self._offer(kept, sorted(others))
