"""Nearest-neighbour chains for complete linkage on a sparse graph, in Numba (Murtagh 1983; Muellner 2011).

A pair without an edge can never merge. When A and B merge, the neighbours of A+B are the intersection of theirs, each
with the larger of the two distances, so lists only shrink and the whole costs little more than reading the edges.

Ties: pairs are ordered by (distance, smaller node, larger node), where a merged cluster keeps its smaller node. This
order is total and complete linkage is reducible under it, so the chains give the very merges that the textbook
algorithm, which always takes the first pair of that order, would give.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

GONE = np.float32(np.inf)  # the distance of a list entry whose cluster is no neighbour any more


@njit(cache=True)
def adjacency(n: int, rows: Int32, columns: Int32, distances: Float32) -> tuple[Int64, Int32, Float32]:
    """Each node's neighbours in ascending order, from edges sorted by (row, column) with row < column."""
    starts = np.zeros(n + 1, np.int64)
    for e in range(len(rows)):
        starts[rows[e] + 1] += 1
        starts[columns[e] + 1] += 1
    starts = np.cumsum(starts)
    ends = starts[:-1].copy()
    neighbours = np.empty(2 * len(rows), np.int32)
    lengths = np.empty(2 * len(rows), np.float32)
    for e in range(len(rows)):  # smaller neighbours first, ascending because the rows are
        at = ends[columns[e]]
        neighbours[at], lengths[at] = rows[e], distances[e]
        ends[columns[e]] = at + 1
    for e in range(len(rows)):
        at = ends[rows[e]]
        neighbours[at], lengths[at] = columns[e], distances[e]
        ends[rows[e]] = at + 1
    return starts, neighbours, lengths


@njit(cache=True, parallel=True)
def merge_components(
    starts: Int64, neighbours: Int32, lengths: Float32, order: Int64, bounds: Int64
) -> tuple[Int64, Float32]:
    """Complete linkage inside each connected component; the lists are used up.

    Args:
        starts, neighbours, lengths: from `adjacency`.
        order: nodes grouped by component, ascending inside each; component c is order[bounds[c]:bounds[c + 1]].

    Returns:
        For every node the node that it was merged into (-1 for the smallest of each final cluster), and at what
        distance. A node is always merged into a smaller one.
    """
    n = len(starts) - 1
    ends = starts[1:].copy()
    parent = np.full(n, -1, np.int64)
    height = np.zeros(n, np.float32)
    for component in prange(len(bounds) - 1):
        if bounds[component + 1] - bounds[component] > 1:
            members = order[bounds[component] : bounds[component + 1]]
            _merge_one(members, starts, ends, neighbours, lengths, parent, height)
    return parent, height


@njit(cache=True)
def _merge_one(
    members: Int64, starts: Int64, ends: Int64, neighbours: Int32, lengths: Float32, parent: Int64, height: Float32
) -> None:
    chain = np.empty(len(members), np.int64)
    for first in members:
        if parent[first] >= 0:
            continue
        top = 0
        chain[0] = first
        while True:
            if top < 0:  # all of the chain has merged; the smallest live node starts the next one
                top = 0
                chain[0] = first
            a = chain[top]
            b, distance = _nearest(a, starts, ends, neighbours, lengths)
            if b < 0:  # only the first of a chain can be without neighbours
                break
            if top > 0 and chain[top - 1] == b:
                small, large = min(a, b), max(a, b)
                _intersect(small, large, starts, ends, neighbours, lengths)
                parent[large] = small
                height[large] = distance
                top -= 2
            else:
                top += 1
                chain[top] = b


@njit(cache=True)
def _nearest(node: int, starts: Int64, ends: Int64, neighbours: Int32, lengths: Float32) -> tuple[int, np.float32]:
    """The nearest neighbour, the smaller on ties, -1 if none; drops dead entries on the way."""
    best, shortest, write = -1, GONE, starts[node]
    for read in range(starts[node], ends[node]):
        length = lengths[read]
        if length == GONE:
            continue
        neighbours[write], lengths[write] = neighbours[read], length
        write += 1
        if length < shortest:
            best, shortest = int(neighbours[read]), length
    ends[node] = write
    return best, shortest


@njit(cache=True)
def _intersect(a: int, b: int, starts: Int64, ends: Int64, neighbours: Int32, lengths: Float32) -> None:
    """Merges b's list into a's; every neighbour's own list learns of it."""
    i, j, write = starts[a], starts[b], starts[a]
    while i < ends[a] or j < ends[b]:
        in_a = neighbours[i] if i < ends[a] else np.int32(2**31 - 1)
        in_b = neighbours[j] if j < ends[b] else np.int32(2**31 - 1)
        from_a, from_b = in_a <= in_b, in_b <= in_a
        node = int(min(in_a, in_b))
        length_a = lengths[i] if from_a else GONE
        length_b = lengths[j] if from_b else GONE
        i, j = i + from_a, j + from_b
        if node in (a, b):
            continue
        joint = max(length_a, length_b)
        if length_a != GONE:
            _set_length(node, a, joint, starts, ends, neighbours, lengths)
        if length_b != GONE:
            _set_length(node, b, GONE, starts, ends, neighbours, lengths)
        if joint != GONE:
            neighbours[write], lengths[write] = node, joint
            write += 1
    ends[a] = write
    ends[b] = starts[b]


@njit(cache=True)
def _set_length(
    node: int, neighbour: int, length: np.float32, starts: Int64, ends: Int64, neighbours: Int32, lengths: Float32
) -> None:
    low, high = starts[node], ends[node]
    while low < high:
        middle = (low + high) // 2
        if neighbours[middle] < neighbour:
            low = middle + 1
        else:
            high = middle
    lengths[low] = length
