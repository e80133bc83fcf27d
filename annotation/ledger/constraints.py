"""The state of a ledger as links between the rows that are to be clustered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotation.clustering.constraints import Constraints
from annotation.ledger.state import State

Int = NDArray[np.int64]


def constraints(state: State, face_ids: Int, photo_ids: Int) -> Constraints:
    """Links among the given faces, with nothing lost where a face that carries a link is not among them.

    Args:
        state: what the ledger amounts to.
        face_ids: (n,) int64, each face once; row i of the result is face_ids[i].
        photo_ids: (n,) int64, the photo of each face.

    Returns:
        identity (n,): the person that people say the face is, -1 where they say nothing; rows of one person are one
        group and rows of two persons are apart, so pairs that follow from it are left out. must (m, 2) chains each
        group of unlabelled faces; cannot (m, 2) has smaller row first, sorted, each pair once.
    """
    rows = _Rows(state, face_ids)
    return Constraints(
        identity=rows.identity,
        photo=np.asarray(photo_ids, dtype=np.int64),
        must=_as_pairs(rows.chains()),
        cannot=_as_pairs(sorted(set(rows.apart()))),
    )


def _as_pairs(pairs: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> Int:
    return np.array(list(pairs), dtype=np.int64).reshape(-1, 2)


class _Rows:
    """Finds, for a face or person, a row that stands for it."""

    def __init__(self, state: State, face_ids: Int) -> None:
        self._state = state
        self._row = {face: row for row, face in enumerate(face_ids.tolist())}
        self.identity = np.full(len(face_ids), -1, dtype=np.int64)
        self._anchor: dict[int, int] = {}  # person -> first row
        for face, row in self._row.items():
            person = state.identity_of.get(face)
            if person is not None:
                self.identity[row] = person
                self._anchor.setdefault(person, row)
        self._groups: dict[int, list[int]] = {}
        for face, group in state.group_of.items():
            if face in self._row:
                self._groups.setdefault(group, []).append(self._row[face])

    def chains(self) -> Iterator[tuple[int, int]]:
        """One link fewer than rows per group; the smallest row first."""
        for _, members in sorted(self._groups.items()):
            members.sort()
            yield from pairwise(members)

    def apart(self) -> Iterator[tuple[int, int]]:
        """Pairs of rows whose groups are apart, where their persons don't already say so."""
        for a, b in self._state.cannot:
            yield from self._pair(self._row_of(a), self._row_of(b))
        for face, persons in self._state.rejected.items():
            for person in persons:
                yield from self._pair(self._row_of(face), self._anchor.get(person))

    def _row_of(self, face: int) -> int | None:
        """The face's own row, else that of any face known to be the same person."""
        row = self._row.get(face)
        if row is None and face in self._state.group_of:
            row = next(iter(self._groups.get(self._state.group_of[face], ())), None)
        if row is None and face in self._state.identity_of:
            row = self._anchor.get(self._state.identity_of[face])
        return row

    def _pair(self, a: int | None, b: int | None) -> Iterator[tuple[int, int]]:
        if a is None or b is None:
            return
        person_a, person_b = int(self.identity[a]), int(self.identity[b])
        if person_a < 0 or person_b < 0:
            yield (a, b) if a < b else (b, a)
