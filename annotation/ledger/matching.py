"""Which clusters keep which persons of the last labels."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from annotation.ledger.labels import NOBODY, Int


def keep_previous(
    persons: Int, clusters: Int, before: Int, *, taken: Set[int], many: Set[int], min_overlap: float
) -> None:
    """Fill `persons` (one per cluster, in place), largest overlap first; smaller person, then cluster, on a tie.

    Args:
        persons: (clusters,) NOBODY where a person is wanted.
        clusters: (n,) the cluster of each face that counts.
        before: (n,) its previous person, NOBODY where it had none.
        taken: persons that are not up for this.
        many: persons who may keep any number of clusters of which they were `min_overlap`, taken or not.
        min_overlap: the part of the cluster or of the person's faces that they must share.
    """
    known = before != NOBODY
    cells, overlaps = np.unique(np.stack([before[known], clusters[known]], 1), axis=0, return_counts=True)
    cluster_size = np.bincount(clusters, minlength=len(persons))
    person_size = dict(zip(*(column.tolist() for column in np.unique(before, return_counts=True)), strict=True))
    used = set(taken)
    for cell in np.argsort(-overlaps, kind="stable").tolist():
        person, cluster = cells[cell].tolist()
        share_of_cluster = overlaps[cell] / cluster_size[cluster]
        share_of_person = overlaps[cell] / person_size[person]
        if persons[cluster] != NOBODY or max(share_of_cluster, share_of_person) < min_overlap:
            continue
        if person not in used or (person in many and share_of_cluster >= min_overlap):
            persons[cluster] = person
            used.add(person)
