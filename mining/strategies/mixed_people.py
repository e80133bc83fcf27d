"""Names under which there seem to be two people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from annotation.clustering.mixtures import Mixtures, find_mixtures
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.persons import hearts, most_alike
from mining.strategies.pool import Bool, Int, Pool


@dataclass(frozen=True)
class Cut(Candidates):
    """Candidates, with the people whom they came from.

    Attributes:
        found: all people of two or more faces, cut in two.
        which: (m,) the number of each candidate among these.
        half: (n,) per row of the pool: 2 * number for the smaller half, one more for the other, -1 for neither.
    """

    found: Mixtures
    which: Int
    half: Int


class MixedPeople(Strategy):
    """Cuts each person's faces in two where they differ most, and weighs whether the halves are one person.

    Value: faces of the smaller half times the certainty that they are somebody else. Asked are the faces at the hearts
    of the halves. Left out: people of whom people tied or told apart faces of both halves, or put some on both; and a
    single face beside several, about which `label_suspects` asks. The method is in `annotation.clustering.mixtures`.
    """

    name = "mixed_people"
    title = "Two people under one name"
    asks = "pair"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        labelled = np.flatnonzero(pool.identity >= 0)
        if not len(labelled):
            return Candidates.none(0.0)
        vectors, labels = pool.vectors[labelled], pool.identity[labelled]
        strangers = expected_of_strangers(pool, vectors, labels)
        found = find_mixtures(vectors, labels, impostors=strangers, prior=expected_of_people(pool))
        if not len(found.labels):
            return Candidates.none(0.0)
        half = np.full(len(pool.identity), -1, np.int64)
        number = np.minimum(np.searchsorted(found.labels, labels), len(found.labels) - 1)
        several = np.isin(labels, found.labels)
        half[labelled[several]] = 2 * number[several] + ~found.smaller[several]
        open_question = (found.score > 0) & ~spoken_on(pool, half, len(found.labels))
        open_question &= (found.sizes[:, 0] > 1) | (found.sizes[:, 1] == 1)
        which = np.flatnonzero(open_question)
        inside = np.flatnonzero(half >= 0)
        medoid = inside[hearts(pool.vectors[inside], half[inside]).medoid].reshape(-1, 2)
        progress(len(labelled), len(labelled))
        return Cut(
            rows=medoid[which],
            value=(found.sizes[which, 0] * found.certainty[which]).astype(np.float32),
            considered=found.score.astype(np.float32),
            mark=0.0,
            found=found,
            which=which,
            half=half,
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        cut = cast(Cut, found)
        number, (a, b) = int(cut.which[at]), cut.rows[at].tolist()
        few, many = cut.found.sizes[number].tolist()
        alike, same, strange = (
            float(column[number]) for column in (cut.found.similarity, cut.found.expected, cut.found.strangers)
        )
        sides = [np.flatnonzero(cut.half == 2 * number + side) for side in (0, 1)]
        halves = f"{few} and {many} faces" if many > 1 else "the two faces"
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=(int(pool.identity[a]),),
            value=float(cut.value[at]),
            settles=few,
            why=f"{alike:.2f} between {halves} of {pool.call(a)}; one person would have {same:.2f}, two {strange:.2f}.",
            evidence={
                "halves": round(alike, 4),
                "one_person": round(same, 4),
                "strangers": round(strange, 4),
                "log_odds": round(float(cut.found.score[number]), 3),
                "certainty": round(float(cut.found.certainty[number]), 4),
                "sides": [
                    pool.face_ids[most_alike(pool.vectors, row, side)].tolist()
                    for row, side in zip((a, b), sides, strict=True)
                ],
            },
        )


def spoken_on(pool: Pool, half: Int, people: int) -> Bool:
    """(people,) whether people have tied or told apart faces of both halves, or put faces on both."""
    spoken = np.zeros(people, np.bool_)
    for pairs in (pool.apart, pool.together):
        a, b = half[pairs].T
        across = (a >= 0) & (b >= 0) & (a != b) & (a // 2 == b // 2)
        spoken[a[across] // 2] = True
    human = np.zeros(2 * people, np.bool_)
    human[half[pool.human & (half >= 0)]] = True
    return np.asarray(spoken | human.reshape(-1, 2).all(axis=1))
