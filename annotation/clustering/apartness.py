"""Which groups of faces may never become one, kept up to date while groups merge."""

from __future__ import annotations

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
