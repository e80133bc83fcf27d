"""Which clusters keep which persons of the last labels."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from annotation.ledger.labels import NOBODY, Bool, Int


def keep_previous(
    persons: Int, clusters: Int, before: Int, *, fixed: Bool, taken: Set[int], many: Set[int], min_overlap: float
) -> None:
    """Fill `persons` (one per cluster, in place), largest overlap first; smaller person, then cluster, on a tie.

    With what comes of it as the previous persons, it comes to the same.

    Args:
        persons: (clusters,) NOBODY where a person is wanted.
        clusters: (n,) the cluster of each face that counts.
        before: (n,) its previous person, NOBODY where it had none.
        fixed: (n,) whether its person is from outside and stays the previous one whatever its cluster becomes.
        taken: persons that are not up for this.
        many: persons who may keep any number of clusters of which they were `min_overlap`, taken or not.
        min_overlap: the part of the cluster, of the person's fixed faces or of their others that they must share.
    """
    known = before != NOBODY
    cells, cell = np.unique(np.stack([before[known], clusters[known]], 1), axis=0, return_inverse=True)
    of_cell = np.zeros((len(cells), 2), np.int64)  # fixed faces, others
    np.add.at(of_cell, (cell, np.where(fixed[known], 0, 1)), 1)
    _, whose = np.unique(cells[:, 0], return_inverse=True)
    of_person = np.zeros((len(cells), 2), np.int64)
    np.add.at(of_person, whose, of_cell)
    overlaps = of_cell.sum(1)
    share_of_cluster = overlaps / np.bincount(clusters, minlength=len(persons))[cells[:, 1]]
    # Each kind by itself: others that have gone elsewhere are that person no longer, and would not count next time.
    share_of_person = (of_cell / np.maximum(of_person[whose], 1)).max(1)
    used = set(taken)
    large = np.maximum(share_of_cluster, share_of_person) >= min_overlap
    for k in np.argsort(-overlaps, kind="stable").tolist():
        person, cluster = cells[k].tolist()
        free = person not in used or (person in many and share_of_cluster[k] >= min_overlap)
        if persons[cluster] == NOBODY and large[k] and free:
            persons[cluster] = person
            used.add(person)
