"""Groups of near-duplicate photos from their hashes: exact, without comparing all pairs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotation.imaging.dhash import hamming

# On 6,449 LFW photos distance <= 3 pairs up 7 photos, all of them truly one picture; at 4 most pairs are chance.
MAX_DISTANCE = 3
_BITS = 64
_BLOCK = 1 << 22


def near_pairs(
    hashes: NDArray[np.int64], fresh: NDArray[np.bool_] | None = None, *, distance: int = MAX_DISTANCE
) -> NDArray[np.int64]:
    """All pairs of rows whose hashes differ in at most `distance` bits.

    Cut into distance + 1 bands, two such hashes agree in at least one band whole (pigeonhole), so only rows that share
    a band's value are compared.

    Args:
        hashes: (n,) int64.
        fresh: (n,) bool; if given, only pairs with at least one fresh row.

    Returns:
        (m, 2) int64 rows i < j, unordered and unique. Equal hashes are chained (each with the next), not all paired.
    """
    unique, inverse = np.unique(hashes, return_inverse=True)
    fresh = np.ones(len(hashes), bool) if fresh is None else fresh
    found = [_equal(inverse, fresh)]
    first = np.full(len(unique), len(hashes), np.int64)
    np.minimum.at(first, inverse, np.arange(len(hashes)))
    fresh_unique = np.zeros(len(unique), bool)
    np.logical_or.at(fresh_unique, inverse, fresh)
    edges = np.linspace(0, _BITS, distance + 2).astype(int)
    for low, high in pairwise(edges.tolist()):
        key = (unique.view(np.uint64) >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        found += _band(unique, key, fresh_unique, distance)
    pairs = np.concatenate([found[0], *(first[rows] for rows in found[1:])])
    return np.unique(np.sort(pairs, axis=1), axis=0)


def groups(ids: NDArray[np.int64], known: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of every photo: the smallest id that it hangs together with.

    Args:
        ids: (n,) photo ids.
        known: (n,) the group so far, an id, or -1 for none; groups only ever grow together.
        pairs: (m, 2) rows of `ids`.
    """
    rows = {int(number): row for row, number in enumerate(ids)}
    parent = list(range(len(ids)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(a: int, b: int) -> None:
        a, b = root(a), root(b)
        low, high = (a, b) if ids[a] < ids[b] else (b, a)
        parent[high] = low

    for row in np.flatnonzero((known >= 0) & (known != ids)).tolist():
        if int(known[row]) in rows:
            join(row, rows[int(known[row])])
    for a, b in pairs.tolist():
        join(a, b)
    return np.array([ids[root(row)] for row in range(len(ids))], dtype=np.int64)


def _equal(inverse: NDArray[np.intp], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    order = np.argsort(inverse, kind="stable")
    same = np.flatnonzero(inverse[order][1:] == inverse[order][:-1])
    pairs = np.stack([order[same], order[same + 1]], axis=1).astype(np.int64)
    return pairs if fresh.all() else pairs[_touched(inverse, fresh)[inverse[pairs[:, 0]]]]


def _touched(inverse: NDArray[np.intp], fresh: NDArray[np.bool_]) -> NDArray[np.bool_]:
    marks = np.zeros(int(inverse.max(initial=-1)) + 1, bool)
    np.logical_or.at(marks, inverse, fresh)
    return marks


def _band(
    unique: NDArray[np.int64], key: NDArray[np.uint64], fresh: NDArray[np.bool_], distance: int
) -> list[NDArray[np.int64]]:
    """Near pairs (rows of `unique`) among rows with equal keys."""
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, key[order][1:] != key[order][:-1]]) if len(key) else np.empty(0, int)
    found: list[NDArray[np.int64]] = []
    for low, high in pairwise([*starts.tolist(), len(key)]):
        rows = order[low:high]
        if len(rows) < 2 or not fresh[rows].any():
            continue
        rows = np.r_[rows[fresh[rows]], rows[~fresh[rows]]]
        new = int(fresh[rows].sum())
        for begin in range(0, new, max(1, _BLOCK // len(rows))):
            end = min(new, begin + max(1, _BLOCK // len(rows)))
            near = hamming(unique[rows[begin:end], None], unique[None, rows]) <= distance
            a, b = np.nonzero(near)
            keep = a + begin < b
            found.append(np.stack([rows[a[keep] + begin], rows[b[keep]]], axis=1).astype(np.int64))
    return found
