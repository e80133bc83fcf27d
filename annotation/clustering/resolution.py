"""Turns constraints into must-link components and the cannot-links between them; contradictions are listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from annotation.clustering.constraints import Constraints
from annotation.clustering.disjoint_sets import DisjointSets
from annotation.clustering.vectors import Indexes, number_clusters

ClashKind = Literal["cannot_within_identity", "must_across_identities", "must_against_cannot"]


@dataclass(frozen=True)
class Clash:
    """Two decisions that cannot both hold.

    Attributes:
        kind: which rule decided; an identity beats pairs, a cannot pair beats must pairs, a later must pair an earlier.
        dropped: the pair of faces whose decision was not obeyed, as given.
        kept: the two faces whose decision stands against it: two of different (or one) identity, or a cannot pair.
    """

    kind: ClashKind
    dropped: tuple[int, int]
    kept: tuple[int, int]


@dataclass(frozen=True)
class Resolution:
    """Constraints without contradictions, for n faces.

    Attributes:
        component: int64 (n,), the must-link component of each face, numbered by smallest member.
        identity: int64 (n,), the identity of each face's component, -1 where it has none.
        photo: int64 (n,), as given; faces of one photo in different components cannot link.
        cannot: int64 (k, 2), the cannot pairs that hold, each smaller index first, sorted, without repeats.
        clashes: every decision that was not obeyed.
    """

    component: Indexes
    identity: Indexes
    photo: Indexes
    cannot: Indexes
    clashes: tuple[Clash, ...]


def resolve(constraints: Constraints, *, expected: int | None = None) -> Resolution:
    """Settles what must and what cannot link. Raises InvalidInput where an array does not fit (`expected` faces).

    Must pairs are taken from the last to the first; one that would join two identities, or the two ends of a cannot
    pair, is left out and reported.
    """
    constraints.check(len(constraints) if expected is None else expected)
    components = _Components(constraints.identity)
    clashes = list(components.forbid(constraints.cannot))
    for a, b in constraints.must[::-1].tolist():
        clash = components.require(a, b)
        if clash is not None:
            clashes.append(clash)
    root = components.sets.roots()
    return Resolution(
        component=number_clusters(root),
        identity=_spread_identity(root, constraints.identity),
        photo=constraints.photo,
        cannot=_unique_pairs(components.cannot),
        clashes=tuple(clashes),
    )


class _Components:
    """Must-link components under way: which identity each has, and which others it may never join."""

    def __init__(self, identity: Indexes) -> None:
        self.sets = DisjointSets(len(identity))
        self.cannot: list[tuple[int, int]] = []
        self._named: dict[int, int] = {}  # component -> one face that a person gave an identity
        self._apart: dict[int, dict[int, tuple[int, int]]] = {}  # component -> component -> the pair that says so
        self._identity = identity
        first: dict[int, int] = {}
        for face in np.flatnonzero(identity >= 0).tolist():
            known = first.setdefault(int(identity[face]), face)
            if known != face:
                self.sets.join(self.sets.find(known), face)
            self._named[known] = known

    def forbid(self, pairs: npt.NDArray[np.int64]) -> Iterator[Clash]:
        for a, b in pairs.tolist():
            root_a, root_b = self.sets.find(a), self.sets.find(b)
            if root_a == root_b:
                yield Clash("cannot_within_identity", dropped=(a, b), kept=(a, b))
                continue
            self.cannot.append((a, b))
            self._apart.setdefault(root_a, {})[root_b] = (a, b)
            self._apart.setdefault(root_b, {})[root_a] = (a, b)

    def require(self, a: int, b: int) -> Clash | None:
        root_a, root_b = self.sets.find(a), self.sets.find(b)
        if root_a == root_b:
            return None
        apart = self._apart.get(root_a, {}).get(root_b)
        named_a, named_b = self._named.get(root_a), self._named.get(root_b)
        if named_a is not None and named_b is not None:  # one component holds all of an identity
            return Clash("must_across_identities", dropped=(a, b), kept=(named_a, named_b))
        if apart is not None:
            return Clash("must_against_cannot", dropped=(a, b), kept=apart)
        self._join(root_a, root_b)
        return None

    def _join(self, root_a: int, root_b: int) -> None:
        kept, dissolved = self.sets.join(root_a, root_b)
        named = self._named.pop(dissolved, None)
        if named is not None:
            self._named[kept] = named
        moved = self._apart.pop(dissolved, {})
        for other, pair in moved.items():
            self._apart[other].pop(dissolved)
            self._apart[other][kept] = pair
            self._apart.setdefault(kept, {})[other] = pair


def _spread_identity(root: Indexes, identity: Indexes) -> Indexes:
    of_root = np.full(len(root), -1, np.int64)
    known = identity >= 0
    of_root[root[known]] = identity[known]
    return of_root[root]


def _unique_pairs(pairs: list[tuple[int, int]]) -> Indexes:
    ordered = np.sort(np.array(pairs, np.int64).reshape(-1, 2), axis=1)
    unique: Indexes = np.unique(ordered, axis=0)
    return unique
