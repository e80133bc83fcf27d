"""What people and photos say about which faces belong together, as index arrays over the vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Indexes
from foundation.errors import InvalidInput


@dataclass(frozen=True)
class Constraints:
    """Facts that a clustering of n vectors must obey. Rows and entries are indexes into the vectors.

    Attributes:
        identity: int64 (n,), the identity that a person gave, -1 where none did. Equal ones must link, different ones
            cannot.
        photo: int64 (n,), -1 where unknown. Two faces of one photo cannot link unless a person says that they do
            (by giving both the same identity or by must pairs).
        must: int64 (m, 2), pairs that a person said are the same, oldest first.
        cannot: int64 (m, 2), pairs that a person said are different.
    """

    identity: Indexes
    photo: Indexes
    must: Indexes
    cannot: Indexes

    @staticmethod
    def none(n: int) -> Constraints:
        """No constraint on n vectors."""
        unknown, empty = np.full(n, -1, np.int64), np.empty((0, 2), np.int64)
        return Constraints(identity=unknown, photo=unknown.copy(), must=empty, cannot=empty.copy())

    def __len__(self) -> int:
        return len(self.identity)

    def check(self, n: int) -> None:
        """Raises InvalidInput unless every array fits n vectors."""
        for name, values in (("identity", self.identity), ("photo", self.photo)):
            _check_integers(name, values)
            if values.shape != (n,):
                raise InvalidInput(f"Constraints.{name} must have shape ({n},), not {values.shape}.")
            if n and values.min() < -1:
                raise InvalidInput(f"Constraints.{name} must be -1 or more, not {values.min()}.")
        for name, pairs in (("must", self.must), ("cannot", self.cannot)):
            _check_integers(name, pairs)
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise InvalidInput(f"Constraints.{name} must have shape (m, 2), not {pairs.shape}.")
            if len(pairs) and (pairs.min() < 0 or pairs.max() >= n):
                raise InvalidInput(f"Constraints.{name} names a face outside 0..{n - 1}.")
            if np.any(pairs[:, 0] == pairs[:, 1]):
                raise InvalidInput(f"Constraints.{name} pairs a face with itself.")


def _check_integers(name: str, values: npt.NDArray[np.int64]) -> None:
    if not isinstance(values, np.ndarray) or values.dtype != np.int64:
        raise InvalidInput(f"Constraints.{name} must be an int64 array.")
