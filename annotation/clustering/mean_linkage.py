"""Greedy mean linkage of cores on a sparse graph, in Numba.

A mean of two similarities is never more than the larger of them, and what may not link never may after a merge. So
merges never rise, a pair of groups can merge only if some pair of their cores has an edge, and lists only shrink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from annotation.clustering.apartness import Facts
from annotation.clustering.pair_queue import Heap, drop_first, empty_heap, heapify, push, put
from annotation.clustering.vectors import Indexes

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

ROUNDING = 1e-9  # a mean of similarities may exceed the largest of them by this much
BYTES_PER_EDGE = 80  # its ends, its similarity, two places in lists and two in the queue
ANY = 2**31 - 1  # as the last pair at a similarity: all of them


@dataclass(frozen=True)
class Bodies:
    """What mean linkage knows of groups 0..k-1; the arrays change as groups merge.

    Attributes:
        sums: float64 (k, d), sums of normalised centroids, each times its core's faces.
        weights: float64 (k,), faces.
        leans: float64 (k,), sums of faces / length of their mean: how much likeness of strangers is amplified.
        stranger: the mean cosine similarity of strangers.
    """

    sums: Float64
    weights: Float64
    leans: Float64
    stranger: float


@dataclass(frozen=True)
class Merges:
    """Merges of groups in their order: the smaller group is kept, the larger dissolved in it.

    Attributes:
        kept, dissolved: int64 (m,).
        similarities: float64 (m,), falling but for rounding.
    """

    kept: Indexes
    dissolved: Indexes
    similarities: Float64


def merge_down_to(bodies: Bodies, facts: Facts, rows: Int32, columns: Int32, last: tuple[float, int, int]) -> Merges:
    """Merges the first pair by (similarity falling, smaller group, larger group) until it comes after `last`.

    Args:
        bodies, facts: of the groups; both are kept up to date, with a merged group in its smaller one's place.
        rows, columns: int32 (e,), pairs (row < column), by row, that hold all as near as `last`.
    """
    near = similarities_of(rows, columns, bodies.sums, bodies.weights, bodies.leans, bodies.stranger)
    edges = _allowed(rows, columns, near, last[0] - ROUNDING, facts.identity, facts.head, facts.after, facts.token)
    if not edges.all():
        rows, columns, near = rows[edges], columns[edges], near[edges]
    return Merges(
        *_merge_greedily(
            rows, columns, near, bodies.sums, bodies.weights, bodies.leans, bodies.stranger, last,
            facts.identity, facts.head, facts.tail, facts.after, facts.token,
        )
    )  # fmt: skip


@njit(cache=True, inline="always")
def similarity_of(a: int, b: int, sums: Float64, weights: Float64, leans: Float64, stranger: float) -> float:
    """The mean over pairs of cores, in a fixed order of summation, less what strangers have in common as means."""
    d = sums.shape[1]
    s0 = s1 = s2 = s3 = 0.0
    whole = d - d % 4
    for k in range(0, whole, 4):
        s0 += sums[a, k] * sums[b, k]
        s1 += sums[a, k + 1] * sums[b, k + 1]
        s2 += sums[a, k + 2] * sums[b, k + 2]
        s3 += sums[a, k + 3] * sums[b, k + 3]
    for k in range(whole, d):
        s0 += sums[a, k] * sums[b, k]
    dot = (s0 + s1) + (s2 + s3)
    return float(stranger + (dot - stranger * (leans[a] * leans[b])) / (weights[a] * weights[b]))


@njit(cache=True, parallel=True)
def similarities_of(
    rows: Int32, columns: Int32, sums: Float64, weights: Float64, leans: Float64, stranger: float
) -> Float64:
    """`similarity_of` of many pairs, on all cores."""
    near = np.empty(len(rows), np.float64)
    for e in prange(len(rows)):
        near[e] = similarity_of(rows[e], columns[e], sums, weights, leans, stranger)
    return near


@njit(cache=True)
def _allowed(
    rows: Int32, columns: Int32, near: Float64, least: float, identity: Int64, head: Int64, after: Int64, token: Int64
) -> npt.NDArray[np.bool_]:
    """Which pairs may link and are near enough; rows are sorted."""
    allowed = np.zeros(len(rows), np.bool_)
    stamp, stamped = no_stamps(token), -1
    for e in range(len(rows)):
        row = int(rows[e])
        if row != stamped:
            stamped = row
            put_stamps(row, row, stamp, head, after, token)
        if near[e] >= least:
            allowed[e] = not meets(row, int(columns[e]), row, stamp, identity, head, after, token)
    return allowed


@njit(cache=True)
def no_stamps(token: Int64) -> Int64:
    """No group's mark on any token."""
    return np.full(token.max() + 1 if len(token) else 0, -1, np.int64)


@njit(cache=True)
def put_stamps(group: int, mark: int, stamp: Int64, head: Int64, after: Int64, token: Int64) -> None:
    """Marks the tokens of a group."""
    at = head[group]
    while at >= 0:
        stamp[token[at]] = mark
        at = after[at]


@njit(cache=True)
def meets(
    group: int, other: int, mark: int, stamp: Int64, identity: Int64, head: Int64, after: Int64, token: Int64
) -> bool:
    """Whether the other may not link to the group whose tokens bear the mark."""
    if identity[group] >= 0 and identity[other] >= 0 and identity[group] != identity[other]:
        return True
    at = head[other]
    while at >= 0:
        if stamp[token[at]] == mark:
            return True
        at = after[at]
    return False


@njit(cache=True)
def _merge_greedily(
    rows: Int32, columns: Int32, near: Float64,
    sums: Float64, weights: Float64, leans: Float64, stranger: float, last: tuple[float, int, int],
    identity: Int64, head: Int64, tail: Int64, after: Int64, token: Int64,
) -> tuple[Int64, Int64, Float64]:  # fmt: skip
    k, merged = len(weights), 0
    kept, dissolved, heights = np.empty(k, np.int64), np.empty(k, np.int64), np.empty(k, np.float64)
    version, parent, seen = np.zeros(k, np.int32), np.arange(k), np.full(k, -1, np.int64)
    stamp = no_stamps(token)
    first, following = _lists(k, rows, columns)
    heap = empty_heap(2 * len(rows) + 1)  # half of it is live at most: no pair comes to life that had no edge
    size = _first_pairs(heap, rows, columns, near, last)
    while size > 0:
        similarity, a, b = heap[0][0], int(heap[1][0]), int(heap[2][0])
        live = version[a] == heap[3][0] and version[b] == heap[4][0]
        size = drop_first(heap, size)
        if not live:
            continue
        kept[merged], dissolved[merged], heights[merged] = a, b, similarity
        merged += 1
        sums[a] += sums[b]
        weights[a] += weights[b]
        leans[a] += leans[b]
        version[a] += 1
        version[b] = -1
        parent[b] = a
        _unite(a, b, identity, head, tail, after)
        put_stamps(a, merged, stamp, head, after, token)
        for half in _neighbours(a, b, merged, seen, parent, rows, columns, first, following):
            other = _root(parent, _end(half, rows, columns))
            if meets(a, other, merged, stamp, identity, head, after, token):
                continue
            similarity = similarity_of(a, other, sums, weights, leans, stranger)
            if similarity < last[0] - ROUNDING:
                continue
            following[half] = first[a]
            first[a] = half
            low, high = min(a, other), max(a, other)
            if _in_time(similarity, low, high, last):
                size = push(heap, size, similarity, low, high, version)
    return kept[:merged].copy(), dissolved[:merged].copy(), heights[:merged].copy()


@njit(cache=True)
def _lists(k: int, rows: Int32, columns: Int32) -> tuple[Int64, Int32]:
    """Each group's edges as a linked list of half edges: half edge h < e is the row's, h + e the column's."""
    first, following = np.full(k, -1, np.int64), np.empty(2 * len(rows), np.int32)
    for e in range(len(rows)):
        following[e], following[len(rows) + e] = first[rows[e]], first[columns[e]]
        first[rows[e]], first[columns[e]] = e, len(rows) + e
    return first, following


@njit(cache=True, inline="always")
def _end(half: int, rows: Int32, columns: Int32) -> int:
    """The core that a half edge leads to."""
    return int(columns[half]) if half < len(rows) else int(rows[half - len(rows)])


@njit(cache=True)
def _first_pairs(heap: Heap, rows: Int32, columns: Int32, near: Float64, last: tuple[float, int, int]) -> int:
    size = 0
    for e in range(len(rows)):
        if _in_time(near[e], int(rows[e]), int(columns[e]), last):
            put(heap, size, near[e], int(rows[e]), int(columns[e]), 0, 0)
            size += 1
    heapify(heap, size)
    return size


@njit(cache=True)
def _neighbours(
    a: int, b: int, mark: int, seen: Int64, parent: Int64, rows: Int32, columns: Int32, first: Int64, following: Int32
) -> Int64:
    """One half edge to every other group that a or b, merged as a, has one to; both lists are emptied."""
    found, count = np.empty(16, np.int64), 0
    for group in (a, b):
        half = first[group]
        while half >= 0:
            other = _root(parent, _end(half, rows, columns))
            if other != a and seen[other] != mark:
                seen[other] = mark
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[count] = half
                count += 1
            half = int(following[half])
        first[group] = -1
    return found[:count]


@njit(cache=True)
def _unite(kept: int, dissolved: int, identity: Int64, head: Int64, tail: Int64, after: Int64) -> None:
    if identity[kept] < 0:
        identity[kept] = identity[dissolved]
    if head[dissolved] >= 0:
        if head[kept] < 0:
            head[kept] = head[dissolved]
        else:
            after[tail[kept]] = head[dissolved]
        tail[kept] = tail[dissolved]


@njit(cache=True)
def _root(parent: Int64, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True, inline="always")
def _in_time(similarity: float, a: int, b: int, last: tuple[float, int, int]) -> bool:
    """Whether a pair is `last` or comes before it."""
    if similarity != last[0]:
        return similarity > last[0]
    return a < last[1] or (a == last[1] and b <= last[2])
