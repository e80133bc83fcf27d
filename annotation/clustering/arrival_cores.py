"""First stage for new faces: complete linkage of new faces and whole old clusters, without old-to-old distances.

An edge joins two groups whose cross pairs all lie within the core distance. Between two old clusters there is none,
and as neighbours only ever shrink to intersections, no merge can bring one: old clusters never meet. All that has to
be searched are pairs with a new face.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotation.clustering.arrival_groups import ArrivalApartness, Bool, Groups, Renamed
from annotation.clustering.cross_search import Tile, near_pairs
from annotation.clustering.edges import BYTES_PER_EDGE, EdgeBudget
from annotation.clustering.graph import RangeGraph, range_graph
from annotation.clustering.tile_search import BYTES_PER_HIT, tile_rows
from annotation.clustering.vectors import Indexes, Vectors
from foundation.progress import Progress

Weighted = tuple[Indexes, Indexes, npt.NDArray[np.float32], Indexes]  # groups, distance, how many pairs it stands for
COPIES = 6  # of the edges, at most, while they are put together


def arrival_graph(
    vectors: Vectors, new: Bool, groups: Groups, max_distance: float, *, memory_bytes: int, progress: Progress
) -> RangeGraph:
    """Pairs of groups, not both fixed, all of whose cross pairs lie within `max_distance`; each has the largest.

    Raises:
        InvalidInput: `graph_too_dense` where the edges would not fit `memory_bytes`, `memory_too_small`.
    """
    among = _among_new(vectors, new, groups, max_distance, memory_bytes // 2)
    scratch = BYTES_PER_HIT * tile_rows(memory_bytes) ** 2 + COPIES * BYTES_PER_EDGE * len(among[0])
    budget = EdgeBudget(memory_bytes, scratch, max_distance)
    loose = np.flatnonzero(new & ~groups.fixed[groups.of])
    old = np.flatnonzero(~new)
    old = old[np.argsort(groups.of[old], kind="stable")]  # of the clusters, few lie in two tiles
    found = [among]
    for tile in near_pairs(vectors, loose, old, max_distance, memory_bytes=memory_bytes, progress=progress):
        found.append(_to_whole_clusters(tile, groups.of))
        budget.spend(COPIES * len(found[-1][0]))
    return _whole(groups, found, max_distance)


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


def _among_new(vectors: Vectors, new: Bool, groups: Groups, max_distance: float, memory_bytes: int) -> Weighted:
    faces = np.flatnonzero(new)
    graph = range_graph(vectors[faces], max_distance, memory_bytes=memory_bytes)
    a, b = groups.of[faces[graph.rows]], groups.of[faces[graph.columns]]
    apart = (a != b) & ~(groups.fixed[a] & groups.fixed[b])
    return a[apart], b[apart], graph.distances[apart], np.ones(int(apart.sum()), np.int64)


def _to_whole_clusters(tile: Tile, of: Indexes) -> Weighted:
    """One edge from a new face to each cluster all of whose old faces in the tile are near."""
    order = np.lexsort((of[tile.others], tile.rows))
    faces, cluster, distances = tile.rows[order], of[tile.others[order]], tile.distances[order]
    begins = np.flatnonzero((np.diff(faces, prepend=-1) != 0) | (np.diff(cluster, prepend=-1) != 0))
    faces, cluster, counts = faces[begins], cluster[begins], np.diff(begins, append=len(faces))
    largest = np.maximum.reduceat(distances, begins) if len(begins) else distances
    searched = of[tile.searched]  # ascending
    there = np.searchsorted(searched, cluster, "right") - np.searchsorted(searched, cluster, "left")
    whole = counts == there
    return of[faces[whole]], cluster[whole], largest[whole], counts[whole]


def _whole(groups: Groups, parts: list[Weighted], max_distance: float) -> RangeGraph:
    """The pairs of groups of which no cross pair is missing."""
    a, b, distances, counts = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    a, b = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((b, a))
    a, b, distances, counts = a[order], b[order], distances[order], counts[order]
    begins = np.flatnonzero((np.diff(a, prepend=-1) != 0) | (np.diff(b, prepend=-1) != 0))
    if len(begins):
        counts, distances = np.add.reduceat(counts, begins), np.maximum.reduceat(distances, begins)
    a, b, sizes = a[begins], b[begins], np.bincount(groups.of, minlength=len(groups))
    whole = counts == sizes[a] * sizes[b]
    a, b = a[whole].astype(np.int32), b[whole].astype(np.int32)
    return RangeGraph(len(groups), max_distance, a, b, distances[whole])
