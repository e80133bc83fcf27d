"""Groups of faces as the nodes of a linkage: what they hold, where they lie, what keeps them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, Vectors


@dataclass(frozen=True)
class Groups:
    """Groups 0..k-1 of faces, in the order of their smallest faces, and what keeps them apart.

    Attributes:
        members: int64, the faces of each group, one of each distinct vector; group g has
            members[starts[g]:starts[g + 1]].
        means: float32 (k, d), of the members, not normalised.
        identity: int64 (k,), -1 where there is none.
        photos: int64, of each group its photos that hold other faces too, ascending, from photo_starts[g] on.
        cannot: int64, sorted keys smaller * k + larger of groups that hold a cannot pair.
    """

    members: Indexes
    starts: Indexes
    means: Vectors
    identity: Indexes
    photos: Indexes
    photo_starts: Indexes
    cannot: Indexes

    @staticmethod
    def of(vectors: Vectors, labels: Indexes, same: Indexes, resolution: Resolution) -> Groups:
        """Groups by labels (n,). Faces of equal `same` (n,) have identical vectors."""
        k = int(labels.max(initial=-1)) + 1
        members, starts = _distinct(labels, same, k)
        identity = np.full(k, -1, np.int64)
        known = resolution.identity >= 0
        identity[labels[known]] = resolution.identity[known]
        shared = np.flatnonzero(_shared(resolution.photo))
        faces, photo_starts = _distinct(labels[shared], resolution.photo[shared], k)
        pairs = np.sort(labels[resolution.cannot], axis=1)
        means = _means(vectors, members, starts)
        photos = resolution.photo[shared[faces]]
        return Groups(members, starts, means, identity, photos, photo_starts, np.unique(pairs[:, 0] * k + pairs[:, 1]))

    def __len__(self) -> int:
        return len(self.identity)

    def faces(self, group: int) -> Indexes:
        """The members of one group."""
        return self.members[self.starts[group] : self.starts[group + 1]]


def unconstrained(n: int) -> Resolution:
    """No constraint on n faces or groups."""
    unknown = np.full(n, -1, np.int64)
    return Resolution(np.arange(n), unknown, unknown, np.empty((0, 2), np.int64), ())


@njit(cache=True)
def _means(vectors: Vectors, members: Indexes, starts: Indexes) -> Vectors:
    means = np.empty((len(starts) - 1, vectors.shape[1]), np.float32)
    total = np.empty(vectors.shape[1])
    for group in range(len(means)):
        total[:] = 0
        for p in members[starts[group] : starts[group + 1]]:
            total += vectors[p]
        means[group] = total / (starts[group + 1] - starts[group])
    return means


def _distinct(labels: Indexes, values: Indexes, k: int) -> tuple[Indexes, Indexes]:
    """One entry for each distinct value of each label, by label, then value; and where each of the k labels begins."""
    order = np.lexsort((values, labels))
    new = (np.diff(labels[order], prepend=-1) != 0) | (np.diff(values[order], prepend=-1) != 0)
    entries = order[new]
    return entries, np.searchsorted(labels[entries], np.arange(k + 1)).astype(np.int64)


def _shared(photo: Indexes) -> npt.NDArray[np.bool_]:
    """Faces whose photo is known and holds others."""
    _, inverse, counts = np.unique(photo, return_inverse=True, return_counts=True)
    shared: npt.NDArray[np.bool_] = (photo >= 0) & (counts[inverse] > 1)
    return shared
