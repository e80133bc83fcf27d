"""What strategies look at: the labelled faces of one space, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Int = NDArray[np.int64]
Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Faces that may be asked about.

    Attributes:
        face_ids: (n,) rising.
        photo_ids: (n,).
        groups: (n,) the photo's near-duplicate group.
        vectors: (n, d) float32, L2-normalised.
        identity: (n,) the person by the labels, -1 for none.
        human: (n,) whether people said so.
        names: person -> name, only of those who have one.
        threshold: cosine similarity of centroids at which clusters merge.
        strangers: the mean cosine similarity of strangers, which the means of many faces amplify.
        band: how far from the threshold a similarity still leaves doubt, > 0.
        apart: (k, 2) rows that people have said are not one person.
        rejected: (row, person) pairs that people have ruled out.
        asked: face ids, the subject first, of questions that are open or were answered.
        quality: (n,) 0..1, higher is better; None where it is not known.
        together: (k, 2) rows that people have said are one person.
        beside: (k, 2) rows that another queue of the same mining run asks about as a pair.
        hashes: photo id -> 64-bit difference hash, as far as known, of photos that have near-duplicates.
        owner: (n,) the owner of the profile of a face that the profile prior set aside, -2 if not known; -1 for all
            other faces. None where there is no such face.
        cluster: (n,) the cluster in the current run, -1 for none. None where it is not known.
        model: what the embedding model is called.
        other: some of the faces, with the same labels, as another model sees them; None unless that was asked for.
    """

    face_ids: Int
    photo_ids: Int
    groups: Int
    vectors: Float
    identity: Int
    human: Bool
    names: Mapping[int, str]
    threshold: float
    band: float
    strangers: float = 0.0
    apart: Int = field(default_factory=lambda: np.empty((0, 2), np.int64))
    rejected: Set[tuple[int, int]] = frozenset()
    asked: Set[tuple[int, ...]] = frozenset()
    quality: Float | None = None
    together: Int = field(default_factory=lambda: np.empty((0, 2), np.int64))
    beside: Int = field(default_factory=lambda: np.empty((0, 2), np.int64))
    hashes: Mapping[int, int] = field(default_factory=dict)
    owner: Int | None = None
    cluster: Int | None = None
    model: str = ""
    other: Pool | None = None

    def check(self) -> None:
        """Raises InvalidInput unless all columns fit each other."""
        n = len(self.face_ids)
        quality = self.identity if self.quality is None else self.quality
        owner = self.identity if self.owner is None else self.owner
        cluster = self.identity if self.cluster is None else self.cluster
        columns = (self.photo_ids, self.groups, self.identity, self.human, quality, owner, cluster)
        if self.vectors.ndim != 2 or len(self.vectors) != n or any(column.shape != (n,) for column in columns):
            raise InvalidInput("Every column of the pool needs one value per face.", code="bad_shape")
        if n and np.any(np.diff(self.face_ids) <= 0):
            raise InvalidInput("The pool's face ids must rise.", code="bad_order")
        if self.band <= 0 or not -1 <= self.threshold <= 1:
            raise InvalidInput("The pool's threshold is out of range.", code="bad_threshold")

    @cached_property
    def without_leftovers(self) -> Pool:
        """The pool without the faces that the profile prior set aside; itself where there are none."""
        if self.owner is None or (self.owner == -1).all():
            return self
        return replace(self.take(np.flatnonzero(self.owner == -1)), owner=None)

    def take(self, kept: Int) -> Pool:
        """Some of the rows (rising), with what was said about them alone."""
        place = np.full(len(self.face_ids), -1, np.int64)
        place[kept] = np.arange(len(kept))
        apart, together, beside = (place[pairs] for pairs in (self.apart, self.together, self.beside))
        return replace(
            self,
            face_ids=self.face_ids[kept],
            photo_ids=self.photo_ids[kept],
            groups=self.groups[kept],
            vectors=self.vectors[kept],
            identity=self.identity[kept],
            human=self.human[kept],
            apart=apart[(apart >= 0).all(axis=1)],
            rejected={(int(place[row]), person) for row, person in self.rejected if place[row] >= 0},
            quality=None if self.quality is None else self.quality[kept],
            together=together[(together >= 0).all(axis=1)],
            beside=beside[(beside >= 0).all(axis=1)],
            owner=None if self.owner is None else self.owner[kept],
            cluster=None if self.cluster is None else self.cluster[kept],
        )

    def parties(self) -> Int:
        """(n,) the person of each face; a face without one is a party of its own, numbered below -1."""
        return np.where(self.identity >= 0, self.identity, -2 - np.arange(len(self.identity)))

    @cached_property
    def tied(self) -> Int:
        """(k, 2) rows that people have said are one person, by pairs or by putting both on the person."""
        rows = np.flatnonzero(self.human & (self.identity >= 0))
        rows = rows[np.argsort(self.identity[rows], kind="stable")]
        chain = np.stack([rows[:-1], rows[1:]], axis=1)
        return np.concatenate([self.together, chain[np.diff(self.identity[rows]) == 0]])

    def call(self, row: int) -> str:
        """What to call the person of a row."""
        person = int(self.identity[row])
        return "nobody's face" if person < 0 else self.names.get(person, f"person {person}")
