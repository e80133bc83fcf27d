"""Connected components of a graph in time linear in its edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.vectors import Indexes


@njit(cache=True)
def connected_groups(n: int, rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32]) -> tuple[Indexes, Indexes]:
    """Nodes grouped by connected component, both in ascending order, and where each group begins and ends.

    Returns:
        order: int64 (n,), nodes; component c is order[bounds[c]:bounds[c + 1]].
        bounds: int64 (components + 1,).
    """
    parent = np.arange(n)
    for e in range(len(rows)):
        a, b = _root(parent, rows[e]), _root(parent, columns[e])
        parent[max(a, b)] = min(a, b)
    label, sizes, count = np.empty(n, np.int64), np.zeros(n + 1, np.int64), 0
    for node in range(n):  # a root is the smallest of its component, so it is numbered before the others
        root = _root(parent, node)
        if root == node:
            label[node] = count
            count += 1
        else:
            label[node] = label[root]
        sizes[label[node] + 1] += 1
    bounds = np.cumsum(sizes[: count + 1])
    at, order = bounds.copy(), np.empty(n, np.int64)
    for node in range(n):
        order[at[label[node]]] = node
        at[label[node]] += 1
    return order, bounds


@njit(cache=True, inline="always")
def _root(parent: Indexes, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
