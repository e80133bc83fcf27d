"""Merges at the smallest distance of all where too many pairs have just this distance: a few rows of edges at a time.

Where no pair is nearer, complete linkage goes through the pairs of this distance in the order of their nodes: the first
node takes in every other that is as near to all it holds, in ascending order, then the next node that is left does.
"""

from __future__ import annotations

from collections.abc import Iterator

import faiss
import numpy as np
import numpy.typing as npt

from annotation.clustering.apartness import Apartness
from annotation.clustering.group_graph import Budget, farthest, near_means, widest
from annotation.clustering.groups import Groups
from annotation.clustering.linkage import Linkage
from annotation.clustering.vectors import Indexes, Vectors
from foundation.progress import Progress, silent


def merge_tied(
    vectors: Vectors, groups: Groups, height: np.float32, apart: Apartness, same: Indexes, budget: Budget,
    progress: Progress = silent,
) -> Linkage:  # fmt: skip
    """All merges of the groups at `height`, below which no pair that may link lies. `apart` is used up."""
    live = np.ones(len(groups), np.bool_)
    merges: list[tuple[int, int]] = []
    step = min(budget.tile, max(1, budget.edges // max(1, len(groups))))
    for row in range(0, len(groups), step):
        progress(row, len(groups))
        rows, columns = _tied_pairs(vectors, groups, row + np.flatnonzero(live[row : row + step]), live, height, budget)
        for kept in np.unique(rows).tolist():
            if live[kept]:
                others = columns[slice(*np.searchsorted(rows, [kept, kept + 1]))]
                for other in _taken_in(vectors, groups, kept, others[live[others]], height, apart, same):
                    live[other] = False
                    merges.append((kept, other))
    progress(len(groups), len(groups))
    pairs = np.array(merges, np.int64).reshape(-1, 2)
    return Linkage(float(height), np.arange(len(groups)), pairs, np.full(len(pairs), height))


def _tied_pairs(
    vectors: Vectors, groups: Groups, rows: Indexes, live: npt.NDArray[np.bool_], height: np.float32, budget: Budget
) -> tuple[Indexes, Indexes]:
    """Pairs (row < column) of live groups at the height, by row, then column."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    columns = np.flatnonzero(live)
    columns = columns[np.searchsorted(columns, rows.min(initial=len(live))) :]
    for at in range(0, len(columns), budget.tile):
        tile = columns[at : at + budget.tile]
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(groups.means[tile])
        a, b = near_means(index, groups, rows, tile, float(height))
        tied = np.isfinite(farthest(vectors, groups, a, b, height))
        found.append((a[tied], b[tied]))
    a, b = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    order = np.lexsort((b, a))
    return a[order], b[order]


def _taken_in(
    vectors: Vectors, groups: Groups, kept: int, others: Indexes, height: np.float32, apart: Apartness, same: Indexes
) -> Iterator[int]:
    """Which of the others, taken in order, the group can hold; each makes it pickier."""
    held = list(groups.faces(kept))
    array, known = np.array(held), set(same[held].tolist())
    for other in others.tolist():
        faces = groups.faces(other)
        new = [face for face in faces.tolist() if int(same[face]) not in known]
        if apart.forbids(kept, other) or widest(vectors, array, faces, height) > height:
            continue
        apart.merge(kept, other)
        if new:
            held += new
            array = np.array(held)
            known.update(same[new].tolist())
        yield other
