"""Identical vectors in numbers whose pairs would not fit the memory: they merge first, without edges between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.apartness import Apartness
from annotation.clustering.group_graph import Budget, group_graph
from annotation.clustering.groups import Groups, unconstrained
from annotation.clustering.linkage import Linkage
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors, number_clusters, pair_distances
from foundation.progress import Progress, silent

FEW = 8  # copies whose pairs take less than an eighth of the budget may as well be edges


def copies(vectors: Vectors) -> Indexes:
    """Which faces have the same vector: int64 (n,), numbered by smallest face."""
    digests = _digests(vectors)
    return number_clusters(_same(vectors, digests, np.argsort(digests, kind="stable")))


def merge_copies(
    vectors: Vectors, same: Indexes, resolution: Resolution, max_distance: float, budget: Budget,
    progress: Progress = silent,
) -> Linkage:  # fmt: skip
    """The merges of must-link components that hold copies of one vector only, where nothing else can come before.

    A vector's distance to its own copy is 0 but for rounding. Where every other vector is farther, its copies merge
    among themselves before any merges with another; as all their distances are equal, the first two that may link are
    always next. Copies with such a near neighbour are left as they are.
    """
    nodes, vector = _pure(same, resolution.component)
    count = np.bincount(vector, minlength=int(same.max(initial=-1)) + 1)
    merges: list[tuple[int, int]] = []
    heights: list[npt.NDArray[np.float32]] = [np.empty(0, np.float32)]
    if np.sum(count * (count - 1) // 2) > budget.edges // FEW:
        first = np.unique(same, return_index=True)[1]
        own = pair_distances(vectors, first, first)
        many = (count > 1) & (own <= np.float32(max_distance))
        if many.any():
            many &= _isolated(vectors, same, own, float(own[many].max()), budget, progress)
        concerned = replace(resolution, photo=np.where(many[same], resolution.photo, -1))
        apart = Apartness(resolution.component, concerned)
        order = np.argsort(vector, kind="stable")
        ends = np.cumsum(count)
        for at in np.flatnonzero(many):
            found = list(_first_fit(nodes[order[ends[at] - count[at] : ends[at]]].tolist(), apart))
            merges += found
            heights.append(np.full(len(found), own[at], np.float32))
    pairs = np.array(merges, np.int64).reshape(-1, 2)
    return Linkage(max_distance, resolution.component, pairs, np.concatenate(heights))


def _pure(same: Indexes, component: Indexes) -> tuple[Indexes, Indexes]:
    """Components all of whose faces have one vector, ascending, and which."""
    smallest = np.full(int(component.max(initial=-1)) + 1, len(same))
    largest = np.full(len(smallest), -1)
    np.minimum.at(smallest, component, same)
    np.maximum.at(largest, component, same)
    nodes = np.flatnonzero(smallest == largest)
    return nodes, smallest[nodes]


def _isolated(
    vectors: Vectors, same: Indexes, own: npt.NDArray[np.float32], reach: float, budget: Budget, progress: Progress
) -> npt.NDArray[np.bool_]:
    """Which distinct vectors have no other as near as their own copy, `own`. Only those up to `reach` are sure."""
    groups = Groups.of(vectors, same, same, unconstrained(len(vectors)))
    graph = group_graph(vectors, groups, reach, budget, progress)
    nearest = np.full(len(own), np.inf, np.float32)
    np.minimum.at(nearest, graph.rows, graph.distances)
    np.minimum.at(nearest, graph.columns, graph.distances)
    return (own <= np.float32(graph.max_distance)) & (nearest > own)


def _first_fit(nodes: list[int], apart: Apartness) -> Iterator[tuple[int, int]]:
    """Merges (kept, dissolved) of nodes at equal distances, in the order of complete linkage."""
    while nodes:
        kept, left = nodes[0], []
        for node in nodes[1:]:
            if apart.forbids(kept, node):
                left.append(node)
            else:
                apart.merge(kept, node)
                yield kept, node
        nodes = left


@njit(cache=True)
def _digests(vectors: Vectors) -> npt.NDArray[np.float64]:
    """A number for each vector, the same for the same vectors and hardly for others."""
    digests = np.empty(len(vectors))
    for i in range(len(vectors)):
        digest = 0.0
        for k in range(vectors.shape[1]):
            digest = digest * 0.7548776662466927 + np.float64(vectors[i, k])
        digests[i] = digest
    return digests


@njit(cache=True)
def _same(vectors: Vectors, digests: npt.NDArray[np.float64], order: Indexes) -> Indexes:
    """For each face the first with its vector, as far as digests tell: a run of one digest is compared to its first."""
    first = np.arange(len(order))
    head = 0
    for at in range(1, len(order)):
        if digests[order[at]] != digests[order[head]] or not np.all(vectors[order[at]] == vectors[order[head]]):
            head = at
        first[order[at]] = order[head]
    return first
