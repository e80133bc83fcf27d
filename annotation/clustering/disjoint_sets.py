"""Union-find over 0..n-1 whose representative is always the smallest member."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class DisjointSets:
    """Sets of integers that only ever join."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, item: int) -> int:
        """The smallest member of the item's set."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(self, a: int, b: int) -> tuple[int, int]:
        """Joins two sets, given by their representatives; returns (kept, dissolved) representatives."""
        kept, dissolved = (a, b) if a < b else (b, a)
        self._parent[dissolved] = kept
        return kept, dissolved

    def roots(self) -> npt.NDArray[np.int64]:
        """The representative of every item, int64 (n,)."""
        parent, above = np.empty(0, np.int64), np.array(self._parent, np.int64)
        while not np.array_equal(parent, above):
            parent, above = above, above[above]
        return above
