"""Pairs of people who may be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from annotation.clustering import Questions, Thresholds, worthwhile_questions
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_strangers
from mining.strategies.pool import Bool, Int, Pool


@dataclass(frozen=True)
class Doubts(Candidates):
    """Candidates and what clustering thinks of each."""

    questions: Questions


class PairsNearThreshold(Strategy):
    """Weighs how likely people, and single faces that nobody has, are one person (`annotation.clustering.questions`).

    Value: faces that an answer can be expected to move: those of the smaller side times the probability that they are
    one person; less where better questions will tell. Asked are the clear and typical faces of both. Left out: pairs on
    which people have spoken, those who share a photo, and below the threshold two people both of whom were confirmed.
    """

    name = "pairs_near_threshold"
    title = "Pairs near the threshold"
    asks = "pair"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        if not len(pool.face_ids):
            return Candidates.none(pool.threshold)
        parties = pool.parties()
        found = worthwhile_questions(
            pool.vectors,
            parties,
            Thresholds(1 - pool.threshold, pool.threshold, pool.strangers),
            pool.apart,
            impostors=expected_of_strangers(pool, pool.vectors, parties),
            quality=pool.quality,
            shift=pool.shift,
        )
        found = found.take(found.clusters[:, 0] != found.clusters[:, 1])  # whether one is two, `mixed_people` asks
        progress(len(parties), len(parties))
        likely = found.similarity >= pool.threshold
        asked = found.take(~_ruled_out(pool, found) & (likely | ~_confirmed(pool, parties, found)))
        return Doubts(
            rows=asked.faces,
            value=asked.value.astype(np.float32),
            considered=found.similarity.astype(np.float32),
            mark=pool.threshold,
            questions=asked,
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question | None:
        doubts = cast(Doubts, found).questions
        a, b = found.rows[at].tolist()
        sides = [self._side(pool, row) for row in (a, b)]
        if not set(pool.photo_ids[sides[0]]).isdisjoint(pool.photo_ids[sides[1]]):
            return None
        alike, same, settles = float(doubts.similarity[at]), float(doubts.same[at]), int(doubts.settles[at])
        between = pool.vectors[sides[0]] @ pool.vectors[sides[1]].T
        apart = np.unravel_index(int(between.argmin()), between.shape)
        identities = tuple(person for person in pool.identity[[a, b]].tolist() if person >= 0)
        whose = " and ".join(f"{pool.call(row)} ({len(side)})" for row, side in zip((a, b), sides, strict=True))
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=identities,
            value=float(found.value[at]),
            settles=settles,
            why=f"{alike:.2f} between {whose}; {pool.threshold:.2f} would join them. {same:.0%} likely to be one person"
            + (f"; their two least alike faces have {between[apart]:.2f}." if between.size > 1 else "."),
            evidence={
                "centroids": round(alike, 4),
                "shown": round(float(pool.vectors[a] @ pool.vectors[b]), 4),
                "threshold": pool.threshold,
                "same": round(same, 4),
                "settles": settles,
                "least_alike": round(float(between[apart]), 4),
                "least_alike_faces": [int(pool.face_ids[side[i]]) for side, i in zip(sides, apart, strict=True)],
            },
        )

    @staticmethod
    def _side(pool: Pool, row: int) -> Int:
        person = pool.identity[row]
        return np.flatnonzero(pool.identity == person) if person >= 0 else np.array([row])


def _confirmed(pool: Pool, parties: Int, found: Questions) -> Bool:
    """Whether people put faces on both sides."""
    confirmed = np.unique(parties[pool.human & (pool.identity >= 0)])
    return np.asarray(np.isin(found.clusters, confirmed).all(axis=1))


def _ruled_out(pool: Pool, found: Questions) -> Bool:
    """Whether people have said of a face of one side that it isn't the other person."""
    parties = pool.parties()
    said = {tuple(sorted((int(parties[row]), person))) for row, person in pool.rejected}
    return np.array([tuple(sorted(pair)) in said for pair in found.clusters.tolist()], np.bool_)
