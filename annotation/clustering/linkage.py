"""Exact complete linkage, cut at a distance, without the matrix of all distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.chain import adjacency, merge_components
from annotation.clustering.connected import connected_groups
from annotation.clustering.contraction import contract
from annotation.clustering.graph import RangeGraph, check_distance
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, number_clusters
from foundation.errors import InvalidInput


@dataclass(frozen=True)
class Linkage:
    """The dendrogram of a complete linkage up to a distance, over the must-link components of n faces.

    Attributes:
        max_distance: merges stop here.
        component: int64 (n,), the component of each face.
        merges: int64 (m, 2), pairs of components that were merged, in order of height; the smaller one stands for
            the merged cluster afterwards.
        heights: float32 (m,), the largest cosine distance between two components of the merged cluster, ascending.
    """

    max_distance: float
    component: Indexes
    merges: Indexes
    heights: npt.NDArray[np.float32]

    def cut(self, distance: float) -> Indexes:
        """Cluster labels int64 (n,) at a distance <= max_distance, numbered by smallest member."""
        if distance > self.max_distance:
            raise InvalidInput(f"This linkage ends at {self.max_distance:g}; it cannot be cut at {distance:g}.")
        kept = self.merges[self.heights <= np.float32(distance)]
        parent = np.arange(self.component.max(initial=-1) + 1)
        parent[kept[:, 1]] = kept[:, 0]
        return number_clusters(roots(parent)[self.component])

    @property
    def labels(self) -> Indexes:
        """Cluster labels int64 (n,) at max_distance."""
        return self.cut(self.max_distance)


def complete_linkage(graph: RangeGraph, resolution: Resolution) -> Linkage:
    """Complete linkage of the graph's vectors up to its max_distance, obeying the constraints exactly.

    Must-link components are merged first and their own width counts for nothing afterwards. Ties go to the smallest
    face. Connected components are worked on independently, on all cores.
    """
    if len(resolution.component) != graph.n:
        raise InvalidInput(f"Constraints for {len(resolution.component)} faces do not fit a graph of {graph.n}.")
    check_distance(graph.max_distance)
    nodes = contract(graph, resolution)
    order, bounds = connected_groups(nodes.n, nodes.rows, nodes.columns)
    parent, height = merge_components(*adjacency(nodes.n, nodes.rows, nodes.columns, nodes.distances), order, bounds)
    merged = np.flatnonzero(parent >= 0)
    # By height, then the smaller node, then the larger: floats that are not negative are ordered as their bits are.
    keys = height[merged].view(np.int32).astype(np.int64) << 32 | parent[merged]
    merged = merged[np.argsort(keys, kind="stable")]
    merges = np.stack([parent[merged], merged], axis=1)
    return Linkage(graph.max_distance, resolution.component, merges, height[merged])


@njit(cache=True)
def roots(parent: Indexes) -> Indexes:
    """The root of every node, in place, where a parent is never larger than its child."""
    for node in range(len(parent)):  # a parent is always smaller, so its own root is already known
        parent[node] = parent[parent[node]]
    return parent
