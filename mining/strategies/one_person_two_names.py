"""People confirmed under two names who may be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import faiss
import numpy as np
from scipy.special import expit

from annotation.clustering.between_means import BetweenMeans, Likeness
from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.prior_odds import log_prior_odds
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.persons import hearts
from mining.strategies.pool import Bool, Int, Pool

NEIGHBOURS = 4  # of each person; who is one with another is among the nearest


@dataclass(frozen=True)
class Namesakes(Candidates):
    """Candidates and what was found about each.

    Attributes:
        likeness: of all pairs looked at.
        which: (m,) the number of each candidate among these.
        sizes: (m, 2) faces of both.
        certainty: (m,) 0..1.
    """

    likeness: Likeness
    which: Int
    sizes: Int
    certainty: np.ndarray[tuple[int], np.dtype[np.float64]]


class OnePersonTwoNames(Strategy):
    """Weighs whether two people are one, both of whom were confirmed and whom clustering would not merge.

    Value: faces of the smaller one times the certainty that they are one. The evidence is how alike the means of their
    faces are (`annotation.clustering.between_means`), less the logarithm of how many there were to choose from. Left
    out: pairs told apart, and those who share a photo; `pairs_near_threshold` asks about those at the threshold.
    """

    name = "one_person_two_names"
    title = "One person under two names"
    asks = "pair"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        labelled = np.flatnonzero(pool.identity >= 0)
        if not len(labelled):
            return Candidates.none(0.0)
        vectors, labels = pool.vectors[labelled], pool.identity[labelled]
        people = hearts(vectors, labels)
        confirmed = np.flatnonzero(np.bincount(people.of[pool.human[labelled]], minlength=len(people.sizes)))
        middles = centroids(vectors, people.of)
        pairs = _nearest(middles, confirmed)
        if not len(pairs):
            return Candidates.none(0.0)
        between = BetweenMeans(vectors, labels, expected_of_strangers(pool, vectors, labels), expected_of_people(pool))
        likeness = between.compare(middles, people.persons, pairs)
        score = likeness.evidence - np.log(len(confirmed) - 1)
        certainty = expit(score + log_prior_odds(score))
        which = np.flatnonzero((score > 0) & ~_merged_by_clustering(pool, middles, pairs, likeness))
        which = which[~_kept_apart(pool, people.persons[pairs[which]])]
        # The smaller side is the subject: it is what the answer moves.
        pair = pairs[which]
        swap = middles.sizes[pair[:, 0]] > middles.sizes[pair[:, 1]]
        pair[swap] = pair[swap][:, ::-1]
        sizes = middles.sizes[pair]
        progress(len(labelled), len(labelled))
        return Namesakes(
            rows=labelled[people.medoid[pair]],
            value=sizes[:, 0] * certainty[which],
            considered=score.astype(np.float32),
            mark=0.0,
            likeness=likeness,
            which=which,
            sizes=sizes,
            certainty=certainty[which],
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        found = cast(Namesakes, found)
        number, (a, b) = int(found.which[at]), found.rows[at].tolist()
        few, many = found.sizes[at].tolist()
        likeness = found.likeness
        alike, same, strange = (
            float(column[number]) for column in (likeness.similarity, likeness.expected, likeness.strangers)
        )
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=(int(pool.identity[a]), int(pool.identity[b])),
            value=float(found.value[at]),
            settles=few,
            why=f"{alike:.2f} between {pool.call(a)} ({few}) and {pool.call(b)} ({many}), both confirmed; "
            f"one person would have {same:.2f}, two {strange:.2f}.",
            evidence={
                "means": round(alike, 4),
                "one_person": round(same, 4),
                "strangers": round(strange, 4),
                "log_odds": round(float(likeness.evidence[number]), 3),
                "certainty": round(float(found.certainty[at]), 4),
            },
        )


def _nearest(middles: Centroids, confirmed: Int) -> Int:
    """(m, 2) pairs of confirmed people among the nearest of either, smaller number first, each once."""
    if len(confirmed) < 2:
        return np.empty((0, 2), np.int64)
    index = faiss.IndexFlatIP(middles.directions.shape[1])
    index.add(middles.directions[confirmed])
    wanted = min(NEIGHBOURS + 1, len(confirmed))
    other = index.search(middles.directions[confirmed], wanted)[1]
    pairs = np.sort(np.stack([np.repeat(confirmed, wanted), confirmed[other.ravel()]], axis=1), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _merged_by_clustering(pool: Pool, middles: Centroids, pairs: Int, likeness: Likeness) -> Bool:
    """(m,) whether the means reach the threshold at which clusters merge, which allows for what strangers share."""
    surplus = pool.strangers * (1 / middles.lengths[pairs].prod(axis=1) - 1)
    return np.asarray(likeness.similarity - surplus >= pool.threshold)


def _kept_apart(pool: Pool, persons: Int) -> Bool:
    """(m,) whether people have told faces of both apart or ruled one out for the other, or a photo shows both."""
    known = {tuple(sorted(pair)) for pair in pool.identity[pool.apart].tolist()}
    known |= {tuple(sorted((int(pool.identity[row]), person))) for row, person in pool.rejected}
    wanted = np.isin(pool.identity, persons)
    photos: dict[int, set[int]] = {}
    for person, photo in zip(pool.identity[wanted].tolist(), pool.photo_ids[wanted].tolist(), strict=True):
        photos.setdefault(person, set()).add(photo)
    return np.array([(a, b) in known or not photos[a].isdisjoint(photos[b]) for a, b in persons.tolist()], np.bool_)
