"""First stage for new faces: complete linkage of new faces and whole old clusters, without old-to-old distances.

An edge joins two groups whose cross pairs all lie within the core distance. Between two old clusters there is none,
and as neighbours only ever shrink to intersections, no merge can bring one: old clusters never meet. Where all cross
pairs are near, so is their mean, which is the dot product of the groups' means: new groups are compared with these, and
with single faces of the few clusters only whose mean is near enough.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from annotation.clustering.arrival_groups import ArrivalApartness, Bool, Groups, Renamed
from annotation.clustering.centroids import group_means
from annotation.clustering.cross_search import near_pairs
from annotation.clustering.edges import BYTES_PER_EDGE, EdgeBudget
from annotation.clustering.graph import RangeGraph, range_graph
from annotation.clustering.group_graph import widest
from annotation.clustering.tile_search import BYTES_PER_HIT, tile_rows
from annotation.clustering.vectors import Indexes, Vectors
from foundation.progress import Progress

Float32 = npt.NDArray[np.float32]
Edges = tuple[Indexes, Indexes, Float32]  # of groups, smaller first, and the largest distance

COPIES = 4  # of the edges, at most, while they are put together
ROUNDING = 2**-18  # covers float32's of means and thresholds


def arrival_graph(
    vectors: Vectors, groups: Groups, max_distance: float, *, memory_bytes: int, progress: Progress
) -> RangeGraph:
    """Pairs of groups, not both fixed, all of whose cross pairs lie within `max_distance`; each has the largest.

    Raises:
        InvalidInput: `graph_too_dense` where the edges would not fit `memory_bytes`, `memory_too_small`.
    """
    found = [_among_loose(vectors, groups, max_distance, memory_bytes // 2)]
    scratch = BYTES_PER_HIT * tile_rows(memory_bytes) ** 2 + COPIES * BYTES_PER_EDGE * len(found[0][0])
    budget = EdgeBudget(memory_bytes, scratch, max_distance)
    loose, fixed = np.flatnonzero(~groups.fixed), np.flatnonzero(groups.fixed)
    means = group_means(vectors, groups.of, len(groups))
    members = np.argsort(groups.of, kind="stable")
    starts = np.searchsorted(groups.of[members], np.arange(len(groups) + 1)).astype(np.int64)
    reach = max_distance + ROUNDING
    for tile in near_pairs(means, loose, fixed, reach, memory_bytes=memory_bytes, progress=progress):
        distances = _farthest(vectors, members, starts, tile.others, tile.rows, np.float32(max_distance))
        near = np.isfinite(distances)
        a, b = tile.rows[near], tile.others[near]
        budget.spend(COPIES * len(a))
        found.append((np.minimum(a, b), np.maximum(a, b), distances[near]))
    a, b, distances = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.lexsort((b, a))
    rows, columns = a[order].astype(np.int32), b[order].astype(np.int32)
    return RangeGraph(len(groups), max_distance, rows, columns, distances[order])


def bridged(graph: RangeGraph, fixed: Bool, apart: ArrivalApartness) -> Indexes:
    """Pairs (m, 2) of old clusters' groups that one new group could join either of."""
    ends = np.stack([graph.rows, graph.columns], axis=1).astype(np.int64)
    mixed = fixed[ends[:, 0]] != fixed[ends[:, 1]]
    ends, distances = ends[mixed], graph.distances[mixed]
    loose = np.where(fixed[ends[:, 0]], ends[:, 1], ends[:, 0])
    return bridging_pairs(loose, ends.sum(axis=1) - loose, distances, apart)


def bridging_pairs(
    loose: Indexes, fixed: Indexes, distances: npt.NDArray[np.floating], apart: ArrivalApartness | Renamed
) -> Indexes:
    """For each loose group the nearest fixed one with each of the others; pairs that are kept apart are left out."""
    order = np.lexsort((fixed, distances, loose))
    loose, fixed = loose[order], fixed[order]
    begins = np.flatnonzero(np.diff(loose, prepend=-1))
    nearest = np.repeat(fixed[begins], np.diff(begins, append=len(loose)))
    pairs = np.unique(np.sort(np.stack([nearest, fixed], axis=1)[nearest != fixed], axis=1), axis=0)
    kept = [not apart.kept_apart(a, b) for a, b in pairs.tolist()]
    found: Indexes = pairs[np.array(kept, np.bool_)]
    return found


def allowed(graph: RangeGraph, apart: ArrivalApartness) -> RangeGraph:
    """The graph without the pairs that may not merge."""
    may = [not apart.forbids(a, b) for a, b in zip(graph.rows.tolist(), graph.columns.tolist(), strict=True)]
    keep = np.array(may, np.bool_)
    return RangeGraph(graph.n, graph.max_distance, graph.rows[keep], graph.columns[keep], graph.distances[keep])


def _among_loose(vectors: Vectors, groups: Groups, max_distance: float, memory_bytes: int) -> Edges:
    """Pairs of loose groups of which no cross pair is missing."""
    faces = np.flatnonzero(~groups.fixed[groups.of])
    graph = range_graph(vectors[faces], max_distance, memory_bytes=memory_bytes)
    a, b = groups.of[faces[graph.rows]], groups.of[faces[graph.columns]]
    a, b = np.minimum(a, b), np.maximum(a, b)
    order = np.flatnonzero(a != b)
    order = order[np.lexsort((b[order], a[order]))]
    a, b, distances = a[order], b[order], graph.distances[order]
    begins = np.flatnonzero((np.diff(a, prepend=-1) != 0) | (np.diff(b, prepend=-1) != 0))
    largest = np.maximum.reduceat(distances, begins) if len(begins) else distances
    counts, sizes = np.diff(begins, append=len(a)), np.bincount(groups.of, minlength=len(groups))
    a, b = a[begins], b[begins]
    whole = counts == sizes[a] * sizes[b]
    return a[whole], b[whole], largest[whole]


@njit(cache=True, parallel=True)
def _farthest(
    vectors: Vectors, members: Indexes, starts: Indexes, fixed: Indexes, loose: Indexes, limit: np.float32
) -> Float32:
    """The largest cross distance of each pair of groups, infinite beyond the limit."""
    distances = np.empty(len(fixed), np.float32)
    for e in prange(len(fixed)):
        i, j = fixed[e], loose[e]
        of_i, of_j = members[starts[i] : starts[i + 1]], members[starts[j] : starts[j + 1]]
        distances[e] = widest(vectors, of_i, of_j, limit)
    return distances
