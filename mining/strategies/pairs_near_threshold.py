"""Pairs of people who are nearly alike enough to be one."""

from __future__ import annotations

import faiss
import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.persons import BLOCK, Hearts, hearts
from mining.strategies.pool import Bool, Float, Int, Pool

NEIGHBOURS = 6


class PairsNearThreshold(Strategy):
    """Compares the centroids of people, and of single faces that nobody has, with the threshold at which they merge.

    Value: faces that an answer settles (those of the smaller side) times the doubt, which is 1 from the threshold on,
    where something has kept the two apart against their likeness, and falls to 0 at `band` below it. Asked are the two
    faces at the hearts. Left out: pairs on which people have spoken, those who share a photo, and below the threshold
    two people both of whom were confirmed.
    """

    name = "pairs_near_threshold"
    title = "Pairs near the threshold"
    asks = "pair"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        if not len(pool.face_ids):
            return Candidates.none(pool.threshold)
        people = hearts(pool.vectors, pool.parties())
        pairs, similarity = _near_pairs(people, pool.threshold - pool.band, progress)
        similarity -= _amplified(pool, people.lengths[pairs])
        doubt = np.minimum(1, 1 - (pool.threshold - similarity) / pool.band)
        likely = similarity >= pool.threshold
        open_question = (doubt > 0) & ~_spoken_on(pool, people, pairs) & (likely | ~_confirmed(pool, people, pairs))
        settles = people.sizes[pairs].min(axis=1)
        value = (settles * doubt).astype(np.float32)
        rows = people.medoid[pairs]
        # The smaller side is the subject: it is what the answer moves.
        swap = people.sizes[pairs[:, 0]] > people.sizes[pairs[:, 1]]
        rows[swap] = rows[swap][:, ::-1]
        return Candidates(rows[open_question], value[open_question], similarity, pool.threshold)

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question | None:
        a, b = found.rows[at].tolist()
        sides = [self._side(pool, row) for row in (a, b)]
        if not set(pool.photo_ids[sides[0]]).isdisjoint(pool.photo_ids[sides[1]]):
            return None
        means = [pool.vectors[side].mean(axis=0) for side in sides]
        lengths = np.array([np.linalg.norm(mean) for mean in means])
        alike = float(means[0] @ means[1] / lengths.prod() - _amplified(pool, lengths))
        sizes = [len(side) for side in sides]
        medoids = float(pool.vectors[a] @ pool.vectors[b])
        identities = tuple(person for person in pool.identity[[a, b]].tolist() if person >= 0)
        whose = " and ".join(f"{pool.call(row)} ({size})" for row, size in zip((a, b), sizes, strict=True))
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=identities,
            value=float(found.value[at]),
            settles=min(sizes),
            why=f"{alike:.2f} between {whose}; {pool.threshold:.2f} would join them. {medoids:.2f} between the faces.",
            evidence={"centroids": round(alike, 4), "medoids": round(medoids, 4), "threshold": pool.threshold},
        )

    @staticmethod
    def _side(pool: Pool, row: int) -> Int:
        person = pool.identity[row]
        return np.flatnonzero(pool.identity == person) if person >= 0 else np.array([row])


def _near_pairs(people: Hearts, least: float, progress: Progress) -> tuple[Int, Float]:
    """(m, 2) persons, each pair once, whose centroids reach `least`, among the nearest of each; (m,) similarity."""
    index = faiss.IndexFlatIP(people.centres.shape[1])
    index.add(people.centres)
    wanted = min(NEIGHBOURS, len(people.centres))
    found: dict[tuple[int, int], float] = {}
    for at in range(0, len(people.centres), BLOCK):
        similarity, other = index.search(people.centres[at : at + BLOCK], wanted)
        own = np.repeat(np.arange(at, at + len(other)), wanted)
        near = np.flatnonzero((similarity.ravel() >= least) & (other.ravel() != own))
        pairs = np.sort(np.stack([own[near], other.ravel()[near]], axis=1), axis=1)
        found.update(((a, b), like) for (a, b), like in zip(pairs.tolist(), similarity.ravel()[near], strict=True))
        progress(min(at + BLOCK, len(people.centres)), len(people.centres))
    rows = np.array(sorted(found), np.int64).reshape(-1, 2)
    return rows, np.array([found[a, b] for a, b in rows.tolist()], np.float32)


def _amplified(pool: Pool, lengths: Float) -> Float:
    """(m,) by how much two centroids of strangers are more alike than two of their faces; lengths (m, 2) of the means.

    What strangers' faces have in common, such as the same blur, remains in the mean while all else cancels out;
    clustering allows for it in the same way (`annotation.clustering.evidence`).
    """
    return np.asarray(pool.strangers * (1 / lengths.prod(axis=-1) - 1))


def _confirmed(pool: Pool, people: Hearts, pairs: Int) -> Bool:
    """Whether people put faces on both sides."""
    confirmed = np.zeros(len(people.persons), np.bool_)
    confirmed[people.of[pool.human & (pool.identity >= 0)]] = True
    return np.asarray(confirmed[pairs].all(axis=1))


def _spoken_on(pool: Pool, people: Hearts, pairs: Int) -> Bool:
    """Whether people have told the two sides apart."""
    spoken = {tuple(sorted(pair)) for pair in people.of[pool.apart].tolist()}
    number = {int(person): at for at, person in enumerate(people.persons)}
    for row, person in pool.rejected:
        if person in number:
            spoken.add(tuple(sorted((int(people.of[row]), number[person]))))
    return np.array([tuple(pair) in spoken for pair in pairs.tolist()], np.bool_)
