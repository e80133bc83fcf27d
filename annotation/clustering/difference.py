"""What another clustering of the same faces would change, and where it goes against what people said.

Clusters of two labelings have no names in common, so each cluster's heir is found first: the pairs of clusters by
falling overlap, one heir each, which is also how persons keep their ids. Everything is counted from the non-zero cells
of the table of clusters by clusters: linear in the number of faces, but for the sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.constraints import Constraints
from annotation.clustering.vectors import Indexes
from foundation.errors import InvalidInput

ALONE = -1  # the face stands by itself
ABSENT = -2  # the labeling does not know the face

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """From labels `before` to labels `after`; clusters go by the labels they were given, those of one face are none.

    Attributes:
        moved: bool (n,), in a cluster on both sides, but not in the heir of the earlier one.
        joined: stood alone, now in a cluster.
        left: was in a cluster, now alone.
        appeared: not known before.
        vanished: not known after.
        split: earlier clusters whose faces are in several later ones, int64 by falling size.
        merged: later clusters whose faces come from several earlier ones, by falling size.
        new: later clusters without a face from any earlier one.
        gone: earlier clusters without a face in any later one.
        same: clusters that hold the same faces on both sides.
        heirs: int64 (k, 2), earlier cluster and the later one that continues it.
        flows: int64 (m, 3), earlier cluster, later cluster, faces that are in both; by falling faces.
    """

    moved: Bool
    joined: Bool
    left: Bool
    appeared: Bool
    vanished: Bool
    split: Indexes
    merged: Indexes
    new: Indexes
    gone: Indexes
    same: int
    heirs: Indexes
    flows: Indexes

    @property
    def changed(self) -> Bool:
        """(n,) faces for which anything differs."""
        return self.moved | self.joined | self.left | self.appeared | self.vanished


@dataclass(frozen=True)
class Contradictions:
    """Pairs of rows, smaller row first, each pair once; a person's many faces are told by one pair for each cluster.

    Attributes:
        together: int64 (m, 2), in one cluster though people hold them apart.
        parted: int64 (m, 2), not in one cluster though people said that they are one person.
    """

    together: Indexes
    parted: Indexes


class _Side:
    """One labeling, its clusters numbered 0.. by label."""

    def __init__(self, labels: npt.NDArray[np.integer], name: str) -> None:
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < ABSENT:
            raise InvalidInput(f"{name} must be whole numbers (n,) from {ABSENT} on.", code="bad_labels")
        found, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        kept = (found >= 0) & (sizes > 1)
        number = np.where(found == ABSENT, ABSENT, ALONE)
        number[kept] = np.arange(int(kept.sum()))
        self.number: Indexes = number[index].astype(np.int64)
        self.labels: Indexes = found[kept].astype(np.int64)
        self.sizes: Indexes = sizes[kept].astype(np.int64)

    def chosen(self, which: Bool) -> Indexes:
        """The labels of these clusters by falling size, smaller label first on a tie."""
        rows = np.flatnonzero(which)
        return self.labels[rows[np.argsort(-self.sizes[rows], kind="stable")]]


def difference(before: npt.NDArray[np.integer], after: npt.NDArray[np.integer]) -> Difference:
    """Compares labels (n,) of the same n faces; `ALONE` and `ABSENT` stand for no cluster.

    Of equal overlaps, the one whose first face comes first goes first, so that nothing hangs on the numbering.

    Raises:
        InvalidInput: `bad_labels` if they are no labels, `bad_shape` if they differ in length.
    """
    old, new = _Side(before, "before"), _Side(after, "after")
    if len(old.number) != len(new.number):
        raise InvalidInput("Both labelings need one label per face.", code="bad_shape")
    both = (old.number >= 0) & (new.number >= 0)
    width = max(len(new.labels), 1)
    keys, first, faces = np.unique(old.number[both] * width + new.number[both], return_index=True, return_counts=True)
    order = np.lexsort((first, -faces))
    row, column, faces = keys[order] // width, keys[order] % width, faces[order]
    heir = _heirs(row, column, len(old.labels))
    kept = np.flatnonzero(heir >= 0)
    pieces, sources = np.bincount(row, minlength=len(old.labels)), np.bincount(column, minlength=len(new.labels))
    moved = both.copy()
    moved[both] = heir[old.number[both]] != new.number[both]
    return Difference(
        moved=moved,
        joined=(old.number == ALONE) & (new.number >= 0),
        left=(old.number >= 0) & (new.number == ALONE),
        appeared=(old.number == ABSENT) & (new.number != ABSENT),
        vanished=(old.number != ABSENT) & (new.number == ABSENT),
        split=old.chosen(pieces > 1),
        merged=new.chosen(sources > 1),
        new=new.chosen(sources == 0),
        gone=old.chosen(pieces == 0),
        same=int(np.sum((faces == old.sizes[row]) & (faces == new.sizes[column]))),
        heirs=np.stack([old.labels[kept], new.labels[heir[kept]]], 1),
        flows=np.stack([old.labels[row], new.labels[column], faces], 1).astype(np.int64),
    )


def _heirs(row: Indexes, column: Indexes, clusters: int) -> Indexes:
    """(clusters,) the later cluster that continues each earlier one, -1 for none; cells come in order of preference."""
    heir = np.full(clusters, -1, np.int64)
    taken: set[int] = set()
    for earlier, later in zip(row.tolist(), column.tolist(), strict=True):
        if heir[earlier] < 0 and later not in taken:
            heir[earlier] = later
            taken.add(later)
    return heir


def contradictions(labels: npt.NDArray[np.integer], constraints: Constraints) -> Contradictions:
    """Where labels (n,) go against people's decisions about the same rows; rows that are `ABSENT` contradict nobody.

    What photos say (`constraints.photo`) is no decision and is not looked at.
    """
    side = _Side(labels, "labels")
    place = side.number.copy()
    alone = np.flatnonzero(place == ALONE)
    place[alone] = len(side.labels) + np.arange(len(alone))
    there = place >= 0
    named = np.flatnonzero(there & (constraints.identity >= 0))
    must, cannot = (pairs[there[pairs].all(axis=1)] for pairs in (constraints.must, constraints.cannot))
    torn, tied = (place[pairs[:, 0]] == place[pairs[:, 1]] for pairs in (cannot, must))
    return Contradictions(
        together=_pairs(cannot[torn], _spread(place, constraints.identity, named)),
        parted=_pairs(must[~tied], _spread(constraints.identity, place, named)),
    )


def _spread(group: Indexes, kind: Indexes, rows: Indexes) -> Indexes:
    """Pairs of rows: for each group of several kinds, its first row with the first one of every other kind."""
    _, first = np.unique(np.stack([group[rows], kind[rows]], 1), axis=0, return_index=True)
    first = np.sort(rows[first])
    first = first[np.argsort(group[first], kind="stable")]
    head = np.ones(len(first), np.bool_)
    head[1:] = group[first[1:]] != group[first[:-1]]
    leader = first[head][np.cumsum(head) - 1]
    return np.stack([leader[~head], first[~head]], 1)


def _pairs(*parts: Indexes) -> Indexes:
    pairs = np.concatenate([np.sort(part.reshape(-1, 2), axis=1) for part in parts]).astype(np.int64)
    return np.unique(pairs, axis=0)
