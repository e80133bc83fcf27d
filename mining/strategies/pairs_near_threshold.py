"""Pairs of people who may be one, and people who may be two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from annotation.clustering import Questions, Thresholds, worthwhile_questions
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_strangers
from mining.strategies.persons import most_alike
from mining.strategies.pool import Bool, Int, Pool


@dataclass(frozen=True)
class Doubts(Candidates):
    """Candidates and what clustering thinks of each."""

    questions: Questions


class PairsNearThreshold(Strategy):
    """Asks about the pair that keeps two people apart, or holds one together (`annotation.clustering.questions`).

    People, and single faces that nobody has, may be one person; and the two parts in which a person's faces differ most
    may be two. Value: faces that the answer can be expected to put right; less where better questions will tell. Asked
    are the clear and typical faces of both sides. Left out: what people have spoken on; people who share a photo, or
    below the threshold were both confirmed; and parts that people's answers tie together.
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
            tied=pool.tied,
            impostors=expected_of_strangers(pool, pool.vectors, parties),
            quality=pool.quality,
        )
        progress(len(parties), len(parties))
        likely = found.similarity >= pool.threshold
        two_people = found.clusters[:, 0] != found.clusters[:, 1]
        open_pairs = two_people & ~_ruled_out(pool, found) & (likely | ~_confirmed(pool, parties, found))
        asked = found.take(open_pairs | ~two_people)
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
        alike, same, settles = float(doubts.similarity[at]), float(doubts.same[at]), int(doubts.settles[at])
        whole = doubts.clusters[at, 0] == doubts.clusters[at, 1]
        told = self._of_one(pool, doubts, at) if whole else self._of_two(pool, doubts, at)
        if told is None:
            return None
        why, reason, more = told
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=tuple(dict.fromkeys(person for person in pool.identity[[a, b]].tolist() if person >= 0)),
            value=float(found.value[at]),
            settles=settles,
            why=why,
            evidence={
                "halves" if whole else "centroids": round(alike, 4),
                "shown": round(float(pool.vectors[a] @ pool.vectors[b]), 4),
                "threshold": pool.threshold,
                "same": round(same, 4),
                "settles": settles,
                **more,
            },
            reason=reason,
        )

    def _of_two(self, pool: Pool, doubts: Questions, at: int) -> tuple[str, str, dict[str, Any]] | None:
        """Why the question is asked, in a sentence, in short and in figures; None if a photo has the answer."""
        rows = doubts.faces[at].tolist()
        sides = [self._side(pool, row) for row in rows]
        if not set(pool.photo_ids[sides[0]]).isdisjoint(pool.photo_ids[sides[1]]):
            return None
        alike, same = float(doubts.similarity[at]), float(doubts.same[at])
        between = pool.vectors[sides[0]] @ pool.vectors[sides[1]].T
        apart = np.unravel_index(int(between.argmin()), between.shape)
        whose = " and ".join(f"{pool.call(row)} ({len(side)})" for row, side in zip(rows, sides, strict=True))
        why = f"{alike:.2f} between {whose}; {pool.threshold:.2f} would join them. {same:.0%} likely to be one person"
        why += f"; their two least alike faces have {between[apart]:.2f}." if between.size > 1 else "."
        faces = [int(pool.face_ids[side[i]]) for side, i in zip(sides, apart, strict=True)]
        reason = "above the threshold, still apart" if alike >= pool.threshold else "just below the threshold"
        return why, reason, {"least_alike": round(float(between[apart]), 4), "least_alike_faces": faces}

    @staticmethod
    def _of_one(pool: Pool, doubts: Questions, at: int) -> tuple[str, str, dict[str, Any]]:
        """The same of a person who may be two."""
        few, many = doubts.sizes[at].tolist()
        a, b = doubts.faces[at].tolist()
        person = np.flatnonzero(pool.identity == pool.identity[a])
        to_a, to_b = (pool.vectors[person] @ pool.vectors[row] for row in (a, b))
        sides = [person[(to_a >= to_b) & (person != b)], person[(to_b > to_a) & (person != a)]]
        parts = f"{few} and {many} faces" if many > 1 else "the two faces"
        whose = f"{parts} of {pool.call(a)}"
        why = f"{doubts.similarity[at]:.2f} between {whose}. {1 - doubts.same[at]:.0%} likely to be two people."
        beside = [most_alike(pool.vectors, row, side) for row, side in zip((a, b), sides, strict=True)]
        return why, "holds a person together", {"sides": [pool.face_ids[rows].tolist() for rows in beside]}

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
