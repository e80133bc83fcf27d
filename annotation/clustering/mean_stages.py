"""Mean linkage in stages where the graph of all near cores would not fit the memory; the same merges as in one.

Each stage keeps of every group the first few pairs of the order (similarity falling, smaller group, larger group). A
pair that is missing comes after the last pair kept of both its groups, so all pairs up to the first of these last pairs
are known. As merges never rise, they can be carried out up to there; what is left begins the next stage. That a mean is
never more than the larger of two similarities holds but for rounding in float64, and so does it
that stages change nothing.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.apartness import Facts
from annotation.clustering.mean_linkage import (
    ANY,
    Bodies,
    Merges,
    meets,
    merge_down_to,
    no_stamps,
    put_stamps,
    similarity_of,
)
from annotation.clustering.vectors import Indexes, dot_error
from foundation.progress import Progress, silent

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

LARGEST_TILE = 1024  # groups by groups at a time; larger tiles are no faster
BYTES_PER_PAIR = 160  # kept in a stage: in a list, as an edge while edges are sorted, in the merges; tiles of products


def merge_in_stages(bodies: Bodies, facts: Facts, least: float, *, pairs: int, progress: Progress = silent) -> Merges:
    """All merges down to the similarity `least`.

    About so many `pairs` are kept at a time, one of each group at least; tiles have up to ten times as many entries.
    `bodies` and `facts` are kept up to date, as in `merge_down_to`. Each stage compares all groups that are left.
    """
    tile = min(LARGEST_TILE, max(64, math.isqrt(10 * pairs)))
    live = np.arange(len(bodies.weights))
    stages = []
    while True:
        kept = _Nearest(len(live), max(1, min(len(live), pairs // max(1, len(live)))))
        _search(bodies, facts, live, least, kept, tile, progress)
        last = kept.horizon(live, least)
        rows, columns = kept.edges(live)
        stages.append(merge_down_to(bodies, facts, rows, columns, last))
        live = np.setdiff1d(live, stages[-1].dissolved, assume_unique=True)
        if last == (least, ANY, ANY):
            break
    return Merges(
        np.concatenate([stage.kept for stage in stages]),
        np.concatenate([stage.dissolved for stage in stages]),
        np.concatenate([stage.similarities for stage in stages]),
    )


class _Nearest:
    """The first `room` pairs of each live group: heaps with the last on top, and whether any had to give way."""

    def __init__(self, groups: int, room: int) -> None:
        self.others = np.empty((groups, room), np.int32)
        self.similarities = np.empty((groups, room), np.float64)
        self.count = np.zeros(groups, np.int64)
        self.dropped = np.zeros(groups, np.bool_)

    def horizon(self, live: Indexes, least: float) -> tuple[float, int, int]:
        """The pair up to which all are known."""
        cut = np.flatnonzero(self.dropped)
        if not len(cut):
            return least, ANY, ANY
        similarities, others = self.similarities[cut, 0], self.others[cut, 0].astype(np.int64)
        low, high = np.minimum(live[cut], others), np.maximum(live[cut], others)
        first = np.lexsort((high, low, -similarities))[0]
        return float(similarities[first]), int(low[first]), int(high[first])

    def edges(self, live: Indexes) -> tuple[Int32, Int32]:
        """All pairs kept, once, by row."""
        used = np.arange(self.others.shape[1]) < self.count[:, None]
        others, own = self.others[used].astype(np.int64), np.repeat(live, self.count)
        keys = np.unique(np.minimum(own, others) << 32 | np.maximum(own, others))
        return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def _search(
    bodies: Bodies, facts: Facts, live: Indexes, least: float, kept: _Nearest, tile: int, progress: Progress
) -> None:
    """Fills the lists: float32 products of the means, never less than the similarities but for their error, propose."""
    slack = dot_error(bodies.sums.shape[1]) + 2**-20
    stamps = no_stamps(facts.token)
    for row in range(0, len(live), tile):
        progress(row, len(live))
        rows = live[row : row + tile]
        means = _means(bodies, rows)
        for column in range(0, len(live), tile):
            columns = live[column : column + tile]
            _keep(
                means @ _means(bodies, columns).T, rows, columns, row, np.float32(slack), least,
                bodies.sums, bodies.weights, bodies.leans, bodies.stranger,
                facts.identity, facts.head, facts.after, facts.token, stamps,
                kept.others, kept.similarities, kept.count, kept.dropped,
            )  # fmt: skip
    progress(len(live), len(live))


def _means(bodies: Bodies, groups: Indexes) -> Float32:
    means: Float32 = (bodies.sums[groups] / bodies.weights[groups, None]).astype(np.float32)
    return means


@njit(cache=True)
def _keep(
    products: Float32, rows: Int64, columns: Int64, begin: int, slack: np.float32, least: float,
    sums: Float64, weights: Float64, leans: Float64, stranger: float,
    identity: Int64, head: Int64, after: Int64, token: Int64, stamps: Int64,
    others: Int32, similarities: Float64, count: Int64, dropped: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    room = others.shape[1]
    for i, group in enumerate(rows):
        at = begin + i
        put_stamps(group, group, stamps, head, after, token)
        bound = similarities[at, 0] if count[at] == room else least
        for j, other in enumerate(columns):
            if products[i, j] < bound - slack or other == group:
                continue
            similarity = similarity_of(group, other, sums, weights, leans, stranger)
            if similarity < least or meets(group, other, group, stamps, identity, head, after, token):
                continue
            if count[at] < room:
                _rise(others[at], similarities[at], count[at], other, similarity)
                count[at] += 1
            else:
                dropped[at] = True
                if _later(similarities[at, 0], others[at, 0], similarity, other):
                    _sink(others[at], similarities[at], other, similarity)
            bound = similarities[at, 0] if count[at] == room else least


@njit(cache=True, inline="always")
def _later(similarity: float, other: int, than: float, than_other: int) -> bool:
    """Whether one pair of a group comes after another: with the same group in both, the other's number decides ties."""
    return bool(similarity < than or (similarity == than and other > than_other))


@njit(cache=True)
def _rise(others: Int32, similarities: Float64, at: int, other: int, similarity: float) -> None:
    while at > 0:
        above = (at - 1) // 2
        if not _later(similarity, other, similarities[above], others[above]):
            break
        others[at], similarities[at] = others[above], similarities[above]
        at = above
    others[at], similarities[at] = other, similarity


@njit(cache=True)
def _sink(others: Int32, similarities: Float64, other: int, similarity: float) -> None:
    """Puts a pair in the place of the last."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= len(others):
            break
        if child + 1 < len(others) and _later(
            similarities[child + 1], others[child + 1], similarities[child], others[child]
        ):
            child += 1
        if not _later(similarities[child], others[child], similarity, other):
            break
        others[at], similarities[at] = others[child], similarities[child]
        at = child
    others[at], similarities[at] = other, similarity
