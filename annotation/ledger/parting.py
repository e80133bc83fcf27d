"""Labels after a merge was taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.labels import Clustered
from annotation.ledger.state import State


def part_again(entries: Sequence[Entry], state: State, faces: Clustered, previous: dict[int, int]) -> None:
    """Give clusters that a merge took along their old person back, in `previous`, once the merge is taken back.

    A merge wrote down faces of both persons. A cluster that holds such faces of one side only was that person's; its
    faces that bear the other one's label have it from the merge.
    """
    parted = list(_parted(entries, state))
    if not parted:
        return
    cluster_of = dict(zip(faces.face_ids.tolist(), faces.clusters.tolist(), strict=True))
    wanted: dict[int, tuple[int, int]] = {}  # cluster -> (its person, the person it was merged into)
    for merge, identity, into in parted:
        theirs, others = ({cluster_of.get(face, -1) for face in side} for side in (merge.faces, merge.others))
        wanted.update(dict.fromkeys(theirs - others - {-1}, (identity, into)))
    for row in np.flatnonzero(np.isin(faces.clusters, list(wanted))).tolist():
        face = int(faces.face_ids[row])
        identity, into = wanted[int(faces.clusters[row])]
        if face in previous and state.root_of(previous[face]) == state.root_of(into):
            previous[face] = identity


def _parted(entries: Sequence[Entry], state: State) -> Iterator[tuple[Entry, int, int]]:
    for entry in entries:
        taken_back = entry.kind is Kind.MERGE and entry.id in state.reverted
        if taken_back and entry.identity and entry.into and state.root_of(entry.identity) != state.root_of(entry.into):
            yield entry, entry.identity, entry.into
