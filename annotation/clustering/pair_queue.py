"""A queue of pairs of groups for Numba: a binary heap by (similarity falling, smaller group, larger group).

An entry holds while neither group has changed its version. Functions take the arrays and how many entries they hold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]
Heap = tuple[Float64, Int32, Int32, Int32, Int32]  # similarities, smaller and larger groups, the versions of both


@njit(cache=True)
def empty_heap(room: int) -> Heap:
    """Arrays for so many entries."""
    return (
        np.empty(room, np.float64),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
    )


@njit(cache=True, inline="always")
def put(heap: Heap, at: int, similarity: float, a: int, b: int, version_a: int, version_b: int) -> None:
    """Writes an entry."""
    heap[0][at], heap[1][at], heap[2][at], heap[3][at], heap[4][at] = similarity, a, b, version_a, version_b


@njit(cache=True, inline="always")
def _move(heap: Heap, source: int, target: int) -> None:
    heap[0][target], heap[1][target], heap[2][target] = heap[0][source], heap[1][source], heap[2][source]
    heap[3][target], heap[4][target] = heap[3][source], heap[4][source]


@njit(cache=True, inline="always")
def _first(heap: Heap, i: int, j: int) -> bool:
    """Whether entry i comes before entry j."""
    if heap[0][i] != heap[0][j]:
        return bool(heap[0][i] > heap[0][j])
    if heap[1][i] != heap[1][j]:
        return bool(heap[1][i] < heap[1][j])
    return bool(heap[2][i] < heap[2][j])


@njit(cache=True)
def _swap(heap: Heap, i: int, j: int) -> None:
    similarity, a, b, version_a, version_b = heap[0][i], heap[1][i], heap[2][i], heap[3][i], heap[4][i]
    _move(heap, j, i)
    put(heap, j, similarity, a, b, version_a, version_b)


@njit(cache=True)
def _sink(heap: Heap, at: int, size: int) -> None:
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        if child + 1 < size and _first(heap, child + 1, child):
            child += 1
        if not _first(heap, child, at):
            return
        _swap(heap, at, child)
        at = child


@njit(cache=True)
def push(heap: Heap, size: int, similarity: float, a: int, b: int, version: Int32) -> int:
    """Adds a pair, after letting go of those that hold no more if there is no room; the new size."""
    if size == len(heap[0]):
        size = drop_stale(heap, size, version)
    put(heap, size, similarity, a, b, version[a], version[b])
    _rise(heap, size)
    return size + 1


@njit(cache=True)
def drop_first(heap: Heap, size: int) -> int:
    """Takes the first entry off; the new size."""
    _move(heap, size - 1, 0)
    _sink(heap, 0, size - 1)
    return size - 1


@njit(cache=True)
def _rise(heap: Heap, at: int) -> None:
    while at > 0:
        above = (at - 1) // 2
        if not _first(heap, at, above):
            return
        _swap(heap, at, above)
        at = above


@njit(cache=True)
def heapify(heap: Heap, size: int) -> None:
    """Puts entries in any order in the order of a heap."""
    for at in range(size // 2 - 1, -1, -1):
        _sink(heap, at, size)


@njit(cache=True)
def drop_stale(heap: Heap, size: int, version: Int32) -> int:
    """Lets go of the entries that hold no more; how many are left."""
    live = 0
    for at in range(size):
        if version[heap[1][at]] == heap[3][at] and version[heap[2][at]] == heap[4][at]:
            _move(heap, at, live)
            live += 1
    heapify(heap, live)
    return live
