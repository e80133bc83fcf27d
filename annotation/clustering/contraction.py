"""Applies constraints to a range graph: forbidden edges go, must-link components become single nodes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from annotation.clustering.graph import RangeGraph
from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes


def contract(graph: RangeGraph, resolution: Resolution) -> RangeGraph:
    """The graph of must-link components. An edge stands for all pairs of two components and has the largest distance;
    where one of these pairs is missing (too far, or cannot link), so is the edge."""
    allowed = ~_forbidden(graph, resolution)
    component = resolution.component
    sizes = np.bincount(component)
    a, b = component[graph.rows], component[graph.columns]
    allowed &= a != b
    a, b, distances = a[allowed], b[allowed], graph.distances[allowed]
    if len(sizes) == graph.n:  # no must-link: components are the faces, and the edges still sorted
        return RangeGraph(graph.n, graph.max_distance, a.astype(np.int32), b.astype(np.int32), distances)
    return _reduce(np.minimum(a, b), np.maximum(a, b), distances, sizes, graph.max_distance)


def _reduce(
    a: Indexes, b: Indexes, distances: npt.NDArray[np.float32], sizes: Indexes, max_distance: float
) -> RangeGraph:
    order = np.argsort(a * len(sizes) + b, kind="stable")
    a, b, distances = a[order], b[order], distances[order]
    first = np.flatnonzero(np.diff(a, prepend=-1) | np.diff(b, prepend=-1))
    counts = np.diff(first, append=len(a))
    largest = np.maximum.reduceat(distances, first) if len(first) else distances[:0]
    a, b = a[first], b[first]
    whole = counts == sizes[a] * sizes[b]
    return RangeGraph(len(sizes), max_distance, a[whole].astype(np.int32), b[whole].astype(np.int32), largest[whole])


def _forbidden(graph: RangeGraph, resolution: Resolution) -> npt.NDArray[np.bool_]:
    """Edges between two identities, inside one photo, or named by a cannot pair. Must-linked pairs may be among them;
    they lie inside one component, where edges no longer count."""
    identity, photo = resolution.identity, resolution.photo
    rows, columns = graph.rows, graph.columns
    forbidden: npt.NDArray[np.bool_] = np.zeros(len(graph), np.bool_)
    if identity.max(initial=-1) >= 0:
        forbidden |= (identity[rows] >= 0) & (identity[columns] >= 0) & (identity[rows] != identity[columns])
    if photo.max(initial=-1) >= 0:
        forbidden |= (photo[rows] >= 0) & (photo[rows] == photo[columns])
    if len(resolution.cannot):
        keys = resolution.cannot[:, 0] * graph.n + resolution.cannot[:, 1]  # sorted, as the pairs are
        wanted = rows.astype(np.int64) * graph.n + columns
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        forbidden |= keys[at] == wanted
    return forbidden
