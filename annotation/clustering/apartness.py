"""Which groups of faces may never become one, kept up to date while groups merge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes


class Apartness:
    """Cannot-links between groups. Group g starts as the faces with labels == g (0 .. max)."""

    def __init__(self, labels: Indexes, resolution: Resolution) -> None:
        groups = int(labels.max(initial=-1)) + 1
        self._identity = np.full(groups, -1, np.int64)
        known = resolution.identity >= 0
        self._identity[labels[known]] = resolution.identity[known]
        self._photos: dict[int, set[int]] = {}
        for face in _faces_of_shared_photos(resolution.photo):
            self._photos.setdefault(int(labels[face]), set()).add(int(resolution.photo[face]))
        self._cannot: dict[int, set[int]] = {}
        for a, b in labels[resolution.cannot].tolist():
            self._cannot.setdefault(a, set()).add(b)
            self._cannot.setdefault(b, set()).add(a)

    def forbids(self, a: int, b: int) -> bool:
        """Whether two live groups hold two identities, two faces of one photo, or a cannot pair."""
        identity_a, identity_b = self._identity[a], self._identity[b]
        if identity_a >= 0 and identity_b >= 0 and identity_a != identity_b:
            return True
        if b in self._cannot.get(a, ()):
            return True
        photos_a, photos_b = self._photos.get(a), self._photos.get(b)
        return photos_a is not None and photos_b is not None and not photos_a.isdisjoint(photos_b)

    def merge(self, kept: int, dissolved: int) -> None:
        """Group `dissolved` becomes part of `kept`."""
        if self._identity[kept] < 0:
            self._identity[kept] = self._identity[dissolved]
        if dissolved in self._photos:
            self._photos.setdefault(kept, set()).update(self._photos.pop(dissolved))
        for other in self._cannot.pop(dissolved, set()):
            self._cannot[other].discard(dissolved)
            self._cannot[other].add(kept)
            self._cannot.setdefault(kept, set()).add(other)


def _faces_of_shared_photos(photo: Indexes) -> list[int]:
    values, inverse, counts = np.unique(photo, return_inverse=True, return_counts=True)
    shared: list[int] = np.flatnonzero((counts[inverse] > 1) & (values[inverse] >= 0)).tolist()
    return shared


@dataclass(frozen=True)
class Facts:
    """The same as arrays, for Numba: two groups of different identities, or with a token in common, never link.

    A token is a photo of two groups or more, or one cannot pair, which both its groups hold.

    Attributes:
        identity: int64 (k,), -1 where there is none.
        head, tail: int64 (k,), the first and the last entry of each group's list, -1 where it is empty.
        after, token: int64 (t,), the next entry, or -1, and what the entry says.
    """

    identity: Indexes
    head: Indexes
    tail: Indexes
    after: Indexes
    token: Indexes

    @classmethod
    def of(cls, labels: Indexes, resolution: Resolution) -> Facts:
        """Of groups 0.. of faces: group g is the faces with labels == g."""
        groups = int(labels.max(initial=-1)) + 1
        identity = np.full(groups, -1, np.int64)
        known = resolution.identity >= 0
        identity[labels[known]] = resolution.identity[known]
        group, token = _tokens(labels, resolution)
        head, tail = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
        head[group[::-1]] = np.arange(len(group))[::-1]
        tail[group] = np.arange(len(group))
        after = np.arange(1, len(group) + 1)
        after[tail[tail >= 0]] = -1
        return cls(identity, head, tail, after, token)


def _tokens(labels: Indexes, resolution: Resolution) -> tuple[Indexes, Indexes]:
    """Groups, ascending, and the token that each holds."""
    seen = np.flatnonzero(resolution.photo >= 0)
    pairs = np.unique(np.stack([resolution.photo[seen], labels[seen]], axis=1), axis=0)
    _, photo, groups_in_photo = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    shared = groups_in_photo[photo] > 1
    ends = labels[resolution.cannot]
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    numbers = len(groups_in_photo) + np.arange(len(ends))
    group = np.concatenate([pairs[shared, 1], ends[:, 0], ends[:, 1]])
    token = np.concatenate([photo[shared], numbers, numbers])
    order = np.lexsort((token, group))
    return group[order], token[order]
