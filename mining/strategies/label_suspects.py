"""Faces that are nearer to somebody else than to the person whose label they bear."""

from __future__ import annotations

import faiss
import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.persons import BLOCK, hearts
from mining.strategies.pool import Float, Int, Pool

NEAREST = 4  # medoids looked at per face: its own, and some that people may have ruled out


class LabelSuspects(Strategy):
    """Compares each labelled face with the medoid of its own person (never itself) and that of the nearest other one.

    Value: by how much the other one is nearer. A person of one face has nothing to compare that face with, but is
    somebody that other faces may be nearer to.
    """

    name = "label_suspects"
    title = "Labels that seem wrong"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        labelled = np.flatnonzero(pool.identity >= 0)
        if not len(labelled):
            return Candidates.none(0.0)
        vectors = pool.vectors[labelled]
        people = hearts(vectors, pool.identity[labelled])
        itself = people.medoid[people.of] == np.arange(len(labelled))
        beside = np.where(itself, people.second[people.of], people.medoid[people.of])
        own = np.einsum("ij,ij->i", vectors, vectors[beside])
        nearest, like = _nearest_medoids(vectors, vectors[people.medoid], progress)
        other, best = _best_other(pool, labelled, people.of, people.persons, nearest, like)
        excess = best - own
        comparable = people.sizes[people.of] > 1
        suspects = np.flatnonzero(comparable & (excess > 0))
        rows = np.stack([labelled[suspects], labelled[people.medoid[other[suspects]]]], axis=1)
        return Candidates(rows, excess[suspects], excess[comparable], 0.0)

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        subject, rival = found.rows[at].tolist()
        theirs = float(pool.vectors[subject] @ pool.vectors[rival])
        own = theirs - float(found.value[at])
        name, other = pool.call(subject), pool.call(rival)
        return Question(
            faces=(int(pool.face_ids[subject]), int(pool.face_ids[rival])),
            identities=(int(pool.identity[subject]), int(pool.identity[rival])),
            value=float(found.value[at]),
            settles=1,
            why=f"{theirs:.2f} to the medoid of {other}, {own:.2f} to its own, {name}.",
            evidence={"to_other": round(theirs, 4), "to_own": round(own, 4), "human": bool(pool.human[subject])},
        )


def _nearest_medoids(vectors: Float, medoids: Float, progress: Progress) -> tuple[Int, Float]:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(medoids))
    wanted = min(NEAREST, len(medoids))
    nearest = np.empty((len(vectors), wanted), np.int64)
    like = np.empty((len(vectors), wanted), np.float32)
    for at in range(0, len(vectors), BLOCK):
        rows = slice(at, at + BLOCK)
        like[rows], nearest[rows] = index.search(np.ascontiguousarray(vectors[rows]), wanted)
        progress(min(at + BLOCK, len(vectors)), len(vectors))
    return nearest, like


def _best_other(pool: Pool, labelled: Int, of: Int, persons: Int, nearest: Int, like: Float) -> tuple[Int, Float]:
    """The nearest person other than a row's own that people have not ruled out; similarity -1 where there is none."""
    like = np.where(nearest == of[:, None], -1, like)
    position = {int(row): at for at, row in enumerate(labelled)} if pool.rejected else {}
    for row, person in pool.rejected:
        at = position.get(row)
        if at is not None:
            like[at][persons[nearest[at]] == person] = -1
    best = like.argmax(axis=1)
    rows = np.arange(len(of))
    return nearest[rows, best], like[rows, best]
