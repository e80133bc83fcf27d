"""Who is one person to one model and two to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.special import expit

from annotation.clustering.centroids import centroids
from annotation.clustering.mixtures import find_mixtures
from annotation.clustering.prior_odds import log_prior_odds
from foundation.errors import Conflict
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.mixed_people import spoken_on
from mining.strategies.options import Option
from mining.strategies.persons import hearts, most_alike
from mining.strategies.pool import Int, Pool
from mining.strategies.weighing import Float64, Parties

NEIGHBOURS = 4  # of each person, to either model


@dataclass(frozen=True)
class Disagreements(Candidates):
    """Candidates and what was found about each.

    Attributes:
        sizes: (m, 2) faces of both sides.
        same: (m, 2) how likely they are one person, to the pool's model and to the other.
        half: (n,) per row of the pool: 2 * number for one half of a person, one more for the other, -1 for neither.
        models: what the two are called.
    """

    sizes: Int
    same: Float64
    half: Int
    models: tuple[str, str]


class ModelDisagreement(Strategy):
    """Lets two embedding models weigh the same people, and asks where one sees one person and the other two.

    Asked are people apart whom one model would merge and the other would not, and people who are one by their labels
    whose faces, cut in two where they differ most to the other model, are two people to that one alone. Value: faces of
    the smaller side times the difference of the two probabilities. Left out: faces that only one model has seen, pairs
    on which people have spoken, and those who share a photo.
    """

    name = "model_disagreement"
    title = "Where two models disagree"
    asks = "pair"
    options = (
        Option("least", "number", 0.1, "By how much the two probabilities of one person must differ.", low=0, high=1),
    )

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        if pool.other is None:
            raise Conflict(
                "Only one embedding model has seen these faces; a second one's vectors are needed.", code="one_model"
            )
        own, other = _both(pool, pool.other)
        if not len(own.face_ids):
            return Candidates.none(self.chosen["least"])
        pairs, sizes, apart = _apart(own, other)
        halves, few_many, within, half = _within(own, other)
        same = np.concatenate([apart, within])
        gap = np.abs(same[:, 0] - same[:, 1])
        asked = np.flatnonzero(gap >= self.chosen["least"])
        sizes = np.concatenate([sizes, few_many])
        back = np.searchsorted(pool.face_ids, own.face_ids)
        of_all = np.full(len(pool.face_ids), -1, np.int64)
        of_all[back] = half
        progress(len(own.face_ids), len(own.face_ids))
        return Disagreements(
            rows=back[np.concatenate([pairs, halves])[asked]],
            value=(sizes[:, 0] * gap)[asked].astype(np.float32),
            considered=gap.astype(np.float32),
            mark=self.chosen["least"],
            sizes=sizes[asked],
            same=same[asked],
            half=of_all,
            models=(own.model or "this model", other.model or "the other"),
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        found = cast(Disagreements, found)
        a, b = found.rows[at].tolist()
        (few, many), (here, there) = found.sizes[at].tolist(), found.same[at].tolist()
        one = pool.identity[a] >= 0 and pool.identity[a] == pool.identity[b]
        two = f"{pool.call(a)} ({few}) and {pool.call(b)} ({many})"
        whose = f"{few} and {many} faces of {pool.call(a)}" if one else two
        sides = {"sides": [_beside(pool, found.half, row) for row in (a, b)]} if one else {}
        people = dict.fromkeys(person for person in pool.identity[[a, b]].tolist() if person >= 0)
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=tuple(people),
            value=float(found.value[at]),
            settles=few,
            why=f"{whose}: one person with {here:.0%} to {found.models[0]}, with {there:.0%} to {found.models[1]}.",
            evidence={
                "same": [round(here, 4), round(there, 4)],
                "models": list(found.models),
                **sides,
            },
            reason=f"one person to {found.models[0 if here > there else 1]} only",
        )


def _beside(pool: Pool, half: Int, row: int) -> list[int]:
    """Faces of the same half."""
    faces: list[int] = pool.face_ids[most_alike(pool.vectors, row, np.flatnonzero(half == half[row]))].tolist()
    return faces


def _both(pool: Pool, other: Pool) -> tuple[Pool, Pool]:
    """The faces that both models have seen."""
    other.check()
    faces = np.intersect1d(pool.face_ids, other.face_ids)
    return pool.take(np.searchsorted(pool.face_ids, faces)), other.take(np.searchsorted(other.face_ids, faces))


def _apart(own: Pool, other: Pool) -> tuple[Int, Int, Float64]:
    """People whom just one of the models would merge: (m, 2) rows, sizes, and how likely they are one to both."""
    mine, theirs = Parties(own), Parties(other)
    everybody = np.arange(len(mine.numbers))
    near = [parties.nearest(everybody, NEIGHBOURS) for parties in (mine, theirs)]
    pairs = np.unique(np.sort(np.concatenate(near), axis=1), axis=0)
    pairs = mine.smaller_first(pairs[~mine.settled(pairs)])
    same = np.stack([mine.same(pairs), theirs.same(pairs)], axis=1)
    merged = [mine.alike(pairs) >= own.threshold, theirs.alike(pairs) >= other.threshold]
    split = np.flatnonzero(merged[0] != merged[1])
    return mine.shown[pairs[split]], mine.middles.sizes[pairs[split]], same[split]


def _within(own: Pool, other: Pool) -> tuple[Int, Int, Float64, Int]:
    """The same of halves of people who are two to the other model only; and (n,) the half of each row."""
    half = np.full(len(own.face_ids), -1, np.int64)
    labelled = np.flatnonzero(own.identity >= 0)
    labels = own.identity[labelled]
    if len(np.unique(labels)) == len(labels):
        return np.empty((0, 2), np.int64), np.empty((0, 2), np.int64), np.empty((0, 2)), half
    vectors = other.vectors[labelled]
    strangers = expected_of_strangers(other, vectors, labels)
    found = find_mixtures(vectors, labels, impostors=strangers, prior=expected_of_people(other))
    several = np.isin(labels, found.labels)
    number = np.searchsorted(found.labels, labels[several])
    half[labelled[several]] = 2 * number + ~found.smaller[several]
    inside = labelled[several]
    two = _two_to(own, inside, half[inside], found.labels)
    asked = np.flatnonzero((found.certainty >= 0.5) & (two < 0.5) & ~spoken_on(own, half, len(found.labels)))
    medoid = inside[hearts(own.vectors[inside], half[inside]).medoid].reshape(-1, 2)
    same = 1 - np.stack([two, found.certainty], axis=1)
    return medoid[asked], found.sizes[asked], same[asked], half


def _two_to(pool: Pool, rows: Int, half: Int, labels: Int) -> Float64:
    """(k,) how likely the halves 2i and 2i + 1 are two people to the pool's model."""
    parties = Parties(pool)
    middles = centroids(pool.vectors[rows], half)
    owners = np.repeat(np.searchsorted(parties.numbers, labels), 2)
    found = parties.between.compare(middles, owners, np.arange(len(owners)).reshape(-1, 2))
    score = -found.evidence - np.log(middles.sizes.reshape(-1, 2).sum(axis=1) - 1)
    return np.asarray(expit(score + log_prior_odds(score)), np.float64)
