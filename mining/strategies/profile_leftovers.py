"""Faces that the profile prior set aside though they look like the owner."""

from __future__ import annotations

import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.persons import Hearts, hearts, similarity_to
from mining.strategies.pool import Bool, Float, Int, Pool


class ProfileLeftovers(Strategy):
    """Compares faces of a profile that are not in its largest cluster with its owner, at the clusters' threshold.

    Value: 1 from the threshold on, falling to 0 at `band` below it; one face is settled. Left out: faces that people
    have ruled out to be the owner, and those in a photo where the owner is another face.
    """

    name = "profile_leftovers"
    title = "Set aside from a profile, but like its owner"
    asks = "suspect"
    sees_leftovers = True

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        if pool.owner is None:
            return Candidates.none(pool.threshold)
        labelled = np.flatnonzero(pool.identity >= 0)
        left = np.flatnonzero(np.isin(pool.owner, pool.identity[labelled]) & (pool.owner >= 0))
        if not len(left):
            return Candidates.none(pool.threshold)
        theirs = labelled[np.isin(pool.identity[labelled], pool.owner[left])]
        people = hearts(pool.vectors[theirs], pool.identity[theirs])
        owner = np.searchsorted(people.persons, pool.owner[left])
        alike = _likeness(pool, people, left, owner)
        value = np.clip(1 - (pool.threshold - alike) / pool.band, 0, 1)
        asked = (value > 0) & ~_ruled_out(pool, left, pool.owner[left], theirs)
        rows = np.stack([left, theirs[people.medoid[owner]]], axis=1)
        progress(len(left), len(left))
        return Candidates(rows[asked], value[asked].astype(np.float32), alike, pool.threshold)

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        subject, heart = found.rows[at].tolist()
        theirs = np.flatnonzero(pool.identity == pool.identity[heart])
        people = hearts(pool.vectors[theirs], pool.identity[theirs])
        alike = float(_likeness(pool, people, np.array([subject]), np.zeros(1, np.int64))[0])
        owner, size = pool.call(heart), len(theirs)
        return Question(
            faces=(int(pool.face_ids[subject]), int(pool.face_ids[heart])),
            identities=(int(pool.identity[heart]),),
            value=float(found.value[at]),
            settles=1,
            why=f"Set aside, but {alike:.2f} to the {size} faces of {owner}, whose profile it is; "
            f"{pool.threshold:.2f} would join them.",
            evidence={"to_owner": round(alike, 4), "threshold": pool.threshold},
        )


def _likeness(pool: Pool, people: Hearts, rows: Int, owner: Int) -> Float:
    """(m,) similarity to the owner's centroid, less what that shares with all strangers the more for being a mean."""
    alike = similarity_to(pool.vectors[rows], people.centres, owner)
    return np.asarray(alike - pool.strangers * (1 / people.lengths[owner] - 1), np.float32)


def _ruled_out(pool: Pool, left: Int, owner: Int, theirs: Int) -> Bool:
    """(m,) whether people have said that a face is not the owner, or the owner is in its photo already."""
    taken = set(zip(pool.photo_ids[theirs].tolist(), pool.identity[theirs].tolist(), strict=True))
    told = set(pool.rejected)
    for a, b in pool.apart.tolist():
        told |= {(a, int(pool.identity[b])), (b, int(pool.identity[a]))}
    faces = zip(left.tolist(), pool.photo_ids[left].tolist(), owner.tolist(), strict=True)
    return np.array([(photo, person) in taken or (row, person) in told for row, photo, person in faces], np.bool_)
